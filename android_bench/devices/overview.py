"""What can be said of each device before anything is measured: the rows of `mobilekit devices`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from android_bench.devices.adb import Adb, AdbDevice
from android_bench.devices.adb_program import find_adb
from android_bench.devices.android import (
    AndroidProperties,
    Battery,
    Cluster,
    parse_battery,
    parse_clusters,
    parse_hottest_cpu_c,
    parse_ram_bytes,
    parse_skin_c,
    parse_thermal_status,
)
from android_bench.devices.attached import Attached
from android_bench.devices.host import HostDevice, open_host
from android_bench.floors import ValidatedBy
from mobilekit.core.device import DeviceInfo
from mobilekit.core.errors import DeviceError
from mobilekit.core.target import DELEGATES

MAX_FREQUENCIES = (
    "for f in /sys/devices/system/cpu/cpu[0-9]*/cpufreq/cpuinfo_max_freq; do"
    ' [ -r "$f" ] && echo "$f:$(cat "$f")"; done; true'
)
ZONES = (
    "for z in /sys/class/thermal/thermal_zone*; do"
    ' t=$(cat "$z/temp" 2>/dev/null) && echo "${z##*/} $(cat "$z/type"):$t"; done; true'
)
NNAPI_SINCE, NNAPI_DEPRECATED = 27, 35
# Qualcomm's and MediaTek's own names of their chips, in ro.soc.model and ro.hardware.
CHIP = re.compile(r"\b(sm\d{4}|mt\d{4})", re.I)
# Delegate of a maker's NPU -> what ro.soc.manufacturer says on such chips.
NPUS = {"qualcomm": ("qti", "qualcomm"), "mediatek": ("mediatek",)}
NEEDED_OPENGLES = (3, 1)


@dataclass(frozen=True, kw_only=True)
class PossibleDelegate:
    """A delegate on a device, as far as can be said without applying it.

    Attributes:
        target: E.g. "nnapi@30".
        verdict: "yes", "no", or "maybe": then only a run can tell.
        because: The reason, in a few words.
    """

    target: str
    verdict: str
    because: str


@dataclass(frozen=True, kw_only=True)
class DeviceOverview:
    """One device; what cannot be read is None, or empty.

    Attributes:
        label: What it is called.
        problem: What stands in the way of using it; everything below is then empty.
        info: As results record it.
        api_level: Of Android.
        ram_bytes: What the kernel can use.
        clusters: Cores by highest frequency, the slowest first.
        battery: Of `dumpsys battery`.
        cpu_temperature_c: The hottest CPU sensor.
        skin_temperature_c: What throttling follows.
        thermal_status: 0 none … 6 shutdown.
        delegates: What can be there.
        notes: What else is to be known about measuring here.
        validated: The selftests that it passed, the newest first.
    """

    label: str
    problem: str | None
    info: DeviceInfo | None = None
    api_level: int | None = None
    ram_bytes: int | None = None
    clusters: tuple[Cluster, ...] = ()
    battery: Battery | None = None
    cpu_temperature_c: float | None = None
    skin_temperature_c: float | None = None
    thermal_status: int | None = None
    delegates: tuple[PossibleDelegate, ...] = ()
    notes: tuple[str, ...] = ()
    validated: tuple[ValidatedBy, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ListedDevice:
    """An overview and, for the terminal alone, the serial that `--device` takes."""

    serial: str | None
    overview: DeviceOverview


def list_devices() -> tuple[ListedDevice, ...]:
    """This computer, and every phone that adb sees; without an adb there are none.

    Raises:
        DeviceError: If adb or its server does not work.
        StorageError: If the chosen labels or the local secret cannot be read.
    """
    found = [ListedDevice(serial=None, overview=overview_of_host(open_host()))]
    program = find_adb()
    if program is not None:
        adb = Adb(path=program.path)
        found += [
            ListedDevice(serial=phone.serial, overview=overview_of_phone(adb, phone))
            for phone in sorted(adb.devices(), key=lambda phone: (phone.label, phone.serial))
        ]
    return tuple(found)


def overview_of_host(host: HostDevice) -> DeviceOverview:
    """This computer."""

    def read(script: str) -> str:
        return host.shell(["sh", "-c", script], timeout_s=10).stdout

    return DeviceOverview(
        label=host.label,
        problem=None,
        info=host.info(),
        ram_bytes=parse_ram_bytes(read("cat /proc/meminfo")),
        clusters=parse_clusters(read(MAX_FREQUENCIES)),
        cpu_temperature_c=_cpu_temperature(read),
        delegates=(_xnnpack(),),
    )


def overview_of_phone(adb: Adb, attached: Attached) -> DeviceOverview:
    """A phone; one that fails while it is read has that as its problem."""
    if attached.problem:
        return DeviceOverview(label=attached.label, problem=attached.problem)
    device = AdbDevice(adb=adb, attached=attached)
    try:
        return _overview(device)
    except DeviceError as error:
        return DeviceOverview(label=attached.label, problem=str(error))


def _overview(device: AdbDevice) -> DeviceOverview:
    def read(script: str) -> str:
        return device.read(["sh", "-c", script]) or ""

    found = device.properties()
    thermal = device.read(["dumpsys", "thermalservice"]) or ""
    notes = [] if device.separates_streams else ["no shell_v2: errors arrive inside the output"]
    return DeviceOverview(
        label=device.label,
        problem=None,
        info=device.info(),
        api_level=found.api_level,
        ram_bytes=parse_ram_bytes(read("cat /proc/meminfo")),
        clusters=parse_clusters(read(MAX_FREQUENCIES)),
        battery=parse_battery(device.read(["dumpsys", "battery"]) or ""),
        cpu_temperature_c=_cpu_temperature(read),
        skin_temperature_c=parse_skin_c(thermal),
        thermal_status=parse_thermal_status(thermal),
        delegates=possible_delegates(found),
        notes=tuple(notes),
    )


def possible_delegates(found: AndroidProperties) -> tuple[PossibleDelegate, ...]:
    """What API level, OpenGL ES and the chip's name allow; never more than "maybe" but the CPU."""
    return (
        _xnnpack(),
        _nnapi(found.api_level),
        *_gpus(found.opengles),
        *_npus(found.soc, found.soc_maker),
    )


def _xnnpack() -> PossibleDelegate:
    return PossibleDelegate(target="xnnpack", verdict="yes", because="it is the CPU")


def _nnapi(level: int | None) -> PossibleDelegate:
    if level is None:
        return PossibleDelegate(target="nnapi", verdict="maybe", because="the API level is unknown")
    if level < NNAPI_SINCE:
        return PossibleDelegate(
            target="nnapi", verdict="no", because=f"Android has it since API {NNAPI_SINCE}"
        )
    # Later levels come as feature levels, which an update of Google Play changes.
    known = [int(variant) for variant in DELEGATES["nnapi"].variants if variant.isdigit()]
    deprecated = ", deprecated since Android 15" if level >= NNAPI_DEPRECATED else ""
    return PossibleDelegate(
        target=f"nnapi@{min(level, max(known))}",
        verdict="maybe",
        because=f"which processors its drivers offer shows when it runs{deprecated}",
    )


def _gpus(opengles: tuple[int, int] | None) -> tuple[PossibleDelegate, ...]:
    if opengles is not None and opengles < NEEDED_OPENGLES:
        shown = ".".join(map(str, opengles))
        classic = PossibleDelegate(
            target="gpu", verdict="no", because=f"OpenGL ES {shown}, and 3.1 is needed"
        )
    else:
        classic = PossibleDelegate(
            target="gpu", verdict="maybe", because="shows when it is applied"
        )
    mldrift = PossibleDelegate(
        target="gpu-mldrift", verdict="maybe", because="shows when it is applied"
    )
    return (classic, mldrift)


def _npus(soc: str | None, maker: str | None) -> tuple[PossibleDelegate, ...]:
    chip = CHIP.search(soc or "")
    return tuple(_npu(delegate, soc, maker, chip[1].lower() if chip else "") for delegate in NPUS)


def _npu(delegate: str, soc: str | None, maker: str | None, chip: str) -> PossibleDelegate:
    if chip in DELEGATES[delegate].variants:
        target, verdict = f"{delegate}@{chip}", "maybe"
        because = "needs the maker's libraries beside the runner"
    elif maker is None:
        target, verdict = delegate, "maybe"
        because = f"the device does not name its chip's maker ({soc or 'nor the chip'})"
    elif maker.lower() in NPUS[delegate]:
        target, verdict = delegate, "maybe"
        because = f"the kit knows no variant for {soc}"
    else:
        target, verdict, because = delegate, "no", f"the chip is {soc}"
    return PossibleDelegate(target=target, verdict=verdict, because=because)


def _cpu_temperature(read: Callable[[str], str]) -> float | None:
    lines = (line.rpartition(":") for line in read(ZONES).splitlines())
    return parse_hottest_cpu_c({name: value for name, _, value in lines})
