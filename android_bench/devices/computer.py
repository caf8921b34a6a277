"""What a Linux computer is, read from its files: /proc, /sys, /etc.

The files come through a function, so that a board at the end of a wire can be read the same way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

# The instruction sets that decide how fast XNNPACK's int8 kernels are, by their names in
# /proc/cpuinfo: on x86 ("flags") 8-bit dot products come with *_vnni and amx, on Arm ("Features")
# with asimddp and i8mm. The wide float sets are here because int8 is compared with float.
INT8_FEATURES = (
    "avx2",
    "avx512f",
    "avx512_vnni",
    "avx_vnni",
    "avx_vnni_int8",
    "amx_int8",
    "asimd",
    "asimddp",
    "i8mm",
    "sve",
    "sve2",
)

ReadFile = Callable[[str], str | None]


@dataclass(frozen=True, kw_only=True)
class Computer:
    """A Linux computer; what it does not say is None.

    Attributes:
        manufacturer: Of the machine or board.
        model: The CPU's name; a board's own name where the kernel gives no CPU name.
        soc: System on chip, of boards with a device tree.
        os: Distribution and kernel.
        build_fingerprint: "<distribution>-<version>/<kernel release>".
        cpu_features: Those of INT8_FEATURES that every processor has.
        machine_id: What tells this installation from others; hash it before it is shown.
    """

    manufacturer: str | None
    model: str | None
    soc: str | None
    os: str
    build_fingerprint: str
    cpu_features: tuple[str, ...]
    machine_id: str | None


def read_computer(read: ReadFile) -> Computer:
    """Reads a computer through `read`, which gives a file's text or None."""
    cpuinfo = read("/proc/cpuinfo") or ""
    release = _assignments(read("/etc/os-release") or "")
    kernel = (read("/proc/sys/kernel/osrelease") or "unknown").strip()
    name = release.get("PRETTY_NAME", "Linux")
    version = f"{release.get('ID', 'linux')}-{release.get('VERSION_ID', 'rolling')}"
    return Computer(
        manufacturer=_line(read("/sys/class/dmi/id/sys_vendor")),
        model=_cpu_name(cpuinfo) or _line(read("/proc/device-tree/model")),
        soc=_line(read("/proc/device-tree/compatible"), last=True),
        os=f"{name}, Linux {kernel}",
        build_fingerprint=f"{version}/{kernel}",
        cpu_features=cpu_features(cpuinfo),
        machine_id=_line(read("/etc/machine-id")) or _line(read("/proc/sys/kernel/hostname")),
    )


def _cpu_name(cpuinfo: str) -> str | None:
    names = [value for key, value in _fields(cpuinfo) if key == "model name" and value]
    return names[0] if names else None


def cpu_features(cpuinfo: str) -> tuple[str, ...]:
    """Those of INT8_FEATURES that every processor of a /proc/cpuinfo has."""
    sets = [set(value.split()) for key, value in _fields(cpuinfo) if key in ("flags", "Features")]
    everywhere = set.intersection(*sets) if sets else set()
    return tuple(feature for feature in INT8_FEATURES if feature in everywhere)


def _fields(cpuinfo: str) -> list[tuple[str, str]]:
    parts = (line.partition(":") for line in cpuinfo.splitlines())
    return [(key.strip(), value.strip()) for key, _, value in parts]


def _assignments(text: str) -> dict[str, str]:
    parts = (line.partition("=") for line in text.splitlines())
    return {key: value.strip().strip("\"'") for key, sign, value in parts if sign}


def _line(text: str | None, *, last: bool = False) -> str | None:
    """The first (or last) line or zero-ended string of a file; None for an empty one."""
    parts = [part for part in (text or "").replace("\0", "\n").split("\n") if part.strip()]
    return parts[-1 if last else 0].strip() if parts else None
