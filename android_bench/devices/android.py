"""What an Android device is and how it feels, read from what its own programs print.

All of it comes from outside: whatever does not read as expected is None, never an error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

PROPERTY = re.compile(r"^\[([^\]\n]+)\]: \[(.*?)\]$", re.M | re.S)
COLDEST_C, HOTTEST_C = -40.0, 150.0  # a zone without a sensor says what no silicon survives
SKIN = 3  # of Android's TemperatureType: 0 CPU, 1 GPU, 2 battery, 3 skin
# Of BatteryManager: whether it is charging; 1 is "unknown".
BATTERY_STATUS = {"2": True, "3": False, "4": False, "5": False}
# PowerManager's words for what `Thermal Status` counts.
THERMAL_WORDS = ("none", "light", "moderate", "severe", "critical", "emergency", "shutdown")


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """Cores that share their highest frequency.

    Attributes:
        cores: Their numbers, ascending.
        max_khz: The highest frequency that the kernel lists.
    """

    cores: tuple[int, ...]
    max_khz: int


@dataclass(frozen=True, kw_only=True)
class Battery:
    """Of `dumpsys battery`."""

    level_percent: int | None
    temperature_c: float | None
    plugged: bool


@dataclass(frozen=True, kw_only=True)
class AndroidProperties:
    """The part of `getprop` that results need."""

    manufacturer: str | None
    model: str | None
    soc: str | None
    soc_maker: str | None
    abi: str
    release: str
    api_level: int | None
    build_fingerprint: str
    serial: str | None
    opengles: tuple[int, int] | None
    simulated: bool
    emulated: str | None


def parse_properties(text: str) -> AndroidProperties:
    """Reads the output of `getprop`.

    Android's emulator is called simulated too: its processor is not a phone's. It may be this
    computer's own, though, while `ro.mobilekit.emulated` names what translates every instruction.
    """
    values = {key: value.strip() for key, value in PROPERTY.findall(text)}

    def first(*keys: str) -> str | None:
        return next((values[key] for key in keys if values.get(key)), None)

    soc = [value for key in ("ro.soc.manufacturer", "ro.soc.model") if (value := values.get(key))]
    serial = first("ro.serialno", "ro.boot.serialno")
    emulated = values.get("ro.kernel.qemu") == "1" or values.get("ro.boot.qemu") == "1"
    return AndroidProperties(
        manufacturer=first("ro.product.manufacturer", "ro.product.vendor.manufacturer"),
        model=first("ro.product.model", "ro.product.vendor.model"),
        # Before Android 12 there is only the board's name.
        soc=" ".join(soc) if len(soc) == 2 else first("ro.hardware", "ro.board.platform"),
        soc_maker=first("ro.soc.manufacturer"),
        abi=first("ro.product.cpu.abi") or "unknown",
        release=first("ro.build.version.release") or "unknown",
        api_level=_number(values.get("ro.build.version.sdk")),
        build_fingerprint=first("ro.build.fingerprint", "ro.vendor.build.fingerprint") or "unknown",
        serial=serial if serial != "unknown" else None,
        opengles=_opengles(values.get("ro.opengles.version")),
        simulated=values.get("ro.mobilekit.simulated") == "1" or emulated,
        emulated=first("ro.mobilekit.emulated"),
    )


def parse_clusters(lines: str) -> tuple[Cluster, ...]:
    """Reads lines of "<path of cpu N's cpuinfo_max_freq>:<kHz>", slowest cluster first."""
    cores: dict[int, list[int]] = {}
    for core, khz in re.findall(r"/cpu(\d+)/cpufreq/cpuinfo_max_freq:(\d+)$", lines, re.M):
        cores.setdefault(int(khz), []).append(int(core))
    return tuple(Cluster(cores=tuple(sorted(cores[khz])), max_khz=khz) for khz in sorted(cores))


def parse_battery(text: str) -> Battery | None:
    """Reads `dumpsys battery`; None where there is no battery service."""
    values = dict(re.findall(r"^ *([A-Za-z ]+): (\S+) *$", text, re.M))
    if "level" not in values:
        return None
    tenths = _number(values.get("temperature"))
    return Battery(
        level_percent=_number(values["level"]),
        temperature_c=None if tenths is None else tenths / 10,
        plugged="true" in (v for key, v in values.items() if key.endswith(" powered")),
    )


def parse_charging(text: str) -> bool | None:
    """Whether `dumpsys battery` says that the battery takes up charge; None where it does not."""
    found = re.search(r"^ *status: (\d)$", text, re.M)
    return BATTERY_STATUS.get(found[1]) if found else None


def parse_screen_on(text: str) -> bool | None:
    """Reads `dumpsys power`; None where there is no screen, or nothing is said of it."""
    found = re.search(r"^ *mWakefulness=(Awake|Dreaming|Dozing|Asleep)$", text, re.M)
    if found:
        return found[1] in ("Awake", "Dreaming")
    found = re.search(r"^ *Display Power: state=(ON|OFF|DOZE|DOZE_SUSPEND)$", text, re.M)
    return found[1] == "ON" if found else None


def parse_thermal_status(text: str) -> int | None:
    """Reads `dumpsys thermalservice`: 0 none … 6 shutdown; Android 10 and later have it."""
    found = re.search(r"^Thermal Status: (\d)$", text, re.M)
    return int(found[1]) if found else None


def parse_skin_c(text: str) -> float | None:
    """The hottest skin sensor of `dumpsys thermalservice`, which is what throttling follows."""
    # The cached part may be hours old.
    current = text.partition("Current temperatures from HAL:")[2]
    values = re.findall(rf"Temperature\{{mValue=(-?\d+\.\d+), mType={SKIN},", current)
    return max(map(float, values), default=None)


def parse_hottest_cpu_c(zones: Mapping[str, str]) -> float | None:
    """The hottest of the thermal zones whose type names a CPU; values are in m°C or °C."""
    found = [_zone_c(text) for kind, text in zones.items() if "cpu" in kind.lower()]
    return max((celsius for celsius in found if celsius is not None), default=None)


def _zone_c(text: str) -> float | None:
    """As the runners, which share no code with the host, read a zone."""
    number = _number(text)
    if number is None:
        return None
    celsius = number / 1000 if abs(number) >= 1000 else float(number)
    return celsius if COLDEST_C <= celsius <= HOTTEST_C else None


def parse_ram_bytes(meminfo: str) -> int | None:
    """MemTotal of /proc/meminfo, which is what the kernel left of the chips."""
    found = re.search(r"^MemTotal:\s*(\d+) kB$", meminfo, re.M)
    return int(found[1]) * 1024 if found else None


def count_cpus(present: str) -> int | None:
    """How many a list such as "0-3,6" holds (/sys/devices/system/cpu/present)."""
    ranges = re.fullmatch(r"\d+(-\d+)?(,\d+(-\d+)?)*", present.strip())
    if not ranges:
        return None
    ends = [part.split("-") for part in present.strip().split(",")]
    return sum(int(end[-1]) - int(end[0]) + 1 for end in ends)


def _number(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch(r"-?\d{1,12}", text.strip()) else None


def _opengles(text: str | None) -> tuple[int, int] | None:
    number = _number(text)
    return (number >> 16, number & 0xFFFF) if number else None
