"""What the phone says that it is: properties, processors, sensors, all made up."""

from __future__ import annotations

import platform
from dataclasses import dataclass, field

ABIS = {"aarch64": "arm64-v8a", "x86_64": "x86_64"}
FEATURES = "shell_v2,cmd,stat_v2,ls_v2,fixed_push_mkdir"
# Cores and their highest frequency in kHz, one row a cluster.
CLUSTERS = (((0, 1, 2, 3), 2_000_000), ((4, 5, 6), 2_800_000), ((7,), 3_200_000))
BATTERY = """\
Current Battery Service state:
  AC powered: false
  USB powered: true
  Wireless powered: false
  status: 2
  health: 2
  present: true
  level: 87
  scale: 100
  voltage: 4123
  temperature: 284
  technology: Li-ion
"""
THERMAL = """\
IsStatusOverride: false
Thermal Status: 0
Cached temperatures:
\tTemperature{mValue=31.2, mType=2, mName=battery, mStatus=0}
HAL Ready: true
Current temperatures from HAL:
\tTemperature{mValue=41.7, mType=0, mName=CPU0, mStatus=0}
\tTemperature{mValue=33.5, mType=3, mName=skin, mStatus=0}
"""


@dataclass(frozen=True, kw_only=True)
class Profile:
    """One phone.

    Attributes:
        serial: Its ro.serialno.
        model: Its ro.product.model.
        properties: Others, over the defaults.
        features: What its daemon can do, as in the banner.
        files: Others, over the defaults, by path.
    """

    serial: str = "SIMULATED0001"
    model: str = "Simulated Phone 1"
    properties: dict[str, str] = field(default_factory=dict)
    features: str = FEATURES
    other_files: dict[str, str] = field(default_factory=dict)

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
            "dumpsys/battery": BATTERY,
            "dumpsys/thermalservice": THERMAL,
            "proc/cpuinfo": _cpuinfo(),
            "proc/meminfo": "MemTotal:        7812345 kB\nMemFree:         1234567 kB\n",
            "sys/devices/system/cpu/present": "0-7\n",
            "sys/class/thermal/thermal_zone0/type": "cpu-0-0\n",
            "sys/class/thermal/thermal_zone0/temp": "41700\n",
            "sys/class/thermal/thermal_zone1/type": "battery\n",
            "sys/class/thermal/thermal_zone1/temp": "28400\n",
        }
        for cores, khz in CLUSTERS:
            for core in cores:
                folder = f"sys/devices/system/cpu/cpu{core}/cpufreq"
                files[f"{folder}/cpuinfo_max_freq"] = f"{khz}\n"
                files[f"{folder}/scaling_cur_freq"] = f"{khz // 2}\n"
                files[f"{folder}/stats/time_in_state"] = f"{khz // 2} 1000\n{khz} 10\n"
        return {**files, **self.other_files}

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


def _cpuinfo() -> str:
    every = "fp asimd evtstrm aes crc32 atomics asimddp"
    cores = [core for cores, _ in CLUSTERS for core in cores]
    # The big core has one instruction set more than the others.
    return "".join(
        f"processor\t: {core}\nFeatures\t: {every}{' i8mm' * (core == cores[-1])}\n\n"
        for core in cores
    )
