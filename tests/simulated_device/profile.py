"""What the phone says that it is: properties, processors, sensors, all made up."""

from __future__ import annotations

import platform
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from tests.simulated_device.thermal import Heat

ABIS = {"aarch64": "arm64-v8a", "x86_64": "x86_64"}
FEATURES = "shell_v2,cmd,stat_v2,ls_v2,fixed_push_mkdir"
# Cores and their highest frequency in kHz, one row a cluster.
Clusters = tuple[tuple[tuple[int, ...], int], ...]
CLUSTERS: Clusters = (((0, 1, 2, 3), 2_000_000), ((4, 5, 6), 2_800_000), ((7,), 3_200_000))


@dataclass(frozen=True, kw_only=True)
class Profile:
    """One phone.

    Attributes:
        serial: Its ro.serialno.
        model: Its ro.product.model.
        properties: Others, over the defaults.
        features: What its daemon can do, as in the banner.
        other_files: Others, over the defaults, by path.
        heat: How it heats up.
        clusters: Its cores and their highest frequency in kHz, one row a cluster.
        cpuinfo: Its /proc/cpuinfo, where it is not the default.
        emulator: The command that runs its programs for 64-bit Arm; none where it is empty.
        sysroot: Of their libraries.
    """

    serial: str = "SIMULATED0001"
    model: str = "Simulated Phone 1"
    properties: dict[str, str] = field(default_factory=dict)
    features: str = FEATURES
    other_files: dict[str, str] = field(default_factory=dict)
    heat: Heat = field(default_factory=Heat)
    clusters: Clusters = CLUSTERS
    cpuinfo: str = ""
    emulator: tuple[str, ...] = ()
    sysroot: Path = Path("/usr/aarch64-linux-gnu")

    def banner(self) -> str:
        """What the daemon greets with."""
        names = {
            "ro.product.name": "simulated",
            "ro.product.model": self.model,
            "ro.product.device": "simulated",
        }
        words = "".join(f"{key}={value};" for key, value in names.items())
        return f"device::{words}features={self.features}"

    def files(self) -> dict[str, str]:
        """The files behind properties, processors and sensors, by path."""
        files = {
            "properties": "".join(f"[{k}]: [{v}]\n" for k, v in sorted(self._all().items())),
            "proc/cpuinfo": self.cpuinfo or _cpuinfo(self._cores()),
            "proc/meminfo": "MemTotal:        7812345 kB\nMemFree:         1234567 kB\n",
            "sys/devices/system/cpu/present": f"0-{len(self._cores()) - 1}\n",
            "proc/sys/kernel/random/boot_id": f"{uuid.uuid4()}\n",
        }
        for cores, khz in self.clusters:
            for core in cores:
                folder = f"sys/devices/system/cpu/cpu{core}/cpufreq"
                files[f"{folder}/cpuinfo_max_freq"] = f"{khz}\n"
        return {**files, **self.other_files}

    def _cores(self) -> list[int]:
        return [core for cores, _ in self.clusters for core in cores]

    def _all(self) -> dict[str, str]:
        machine = platform.machine()
        defaults = {
            "ro.mobilekit.simulated": "1",
            "ro.serialno": self.serial,
            "ro.product.manufacturer": "Nobody",
            "ro.product.model": self.model,
            "ro.soc.manufacturer": "Nobody",
            "ro.soc.model": "SIM1",
            "ro.product.cpu.abi": ABIS.get(machine, machine),
            "ro.build.version.release": "14",
            "ro.build.version.sdk": "34",
            "ro.build.fingerprint": "nobody/simulated/simulated:14/SIM1.1/1:user/test-keys",
            "ro.opengles.version": "196610",
        }
        return {**defaults, **self.properties}


def _cpuinfo(cores: list[int]) -> str:
    every = "fp asimd evtstrm aes crc32 atomics asimddp"
    # The big core has one instruction set more than the others.
    return "".join(
        f"processor\t: {core}\nFeatures\t: {every}{' i8mm' * (core == cores[-1])}\n\n"
        for core in cores
    )
