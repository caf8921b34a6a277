"""A simulated phone whose programs are for 64-bit Arm, run by qemu; no phone's speed is in it."""

import functools
import shutil
from dataclasses import dataclass
from pathlib import Path

from android_bench.runners.native import Library, NativeRunner
from tests.native_scene import ROOT, make_runner
from tests.simulated_device.profile import Profile

QEMU = "qemu-aarch64-static"
COMPILER = "aarch64-linux-gnu-g++"
WHEEL = ROOT / "build" / "litert" / "arm64-v8a"  # `make test-arm64` unpacks it
IMPLEMENTER = 0x41  # Arm
CPUINFO = """\
processor\t: {core}
BogoMIPS\t: 38.40
Features\t: {features}
CPU implementer\t: {implementer:#x}
CPU architecture: 8
CPU variant\t: 0x0
CPU part\t: {part:#x}
CPU revision\t: 0

"""


@dataclass(frozen=True, kw_only=True)
class Processor:
    """What qemu is told, and what /proc/cpuinfo has to say then: libraries believe both."""

    name: str
    part: int
    features: str


PROCESSORS = {
    row.name: row
    for row in (
        Processor(name="cortex-a53", part=0xD03, features="fp asimd aes pmull sha1 sha2 crc32"),
        Processor(
            name="cortex-a76",
            part=0xD0B,
            features="fp asimd aes pmull sha1 sha2 crc32 atomics fphp asimdhp asimdrdm lrcpc"
            " dcpop asimddp",
        ),
    )
}


def arm64_profile(name: str) -> Profile:
    """A phone with one of PROCESSORS."""
    processor = PROCESSORS[name]
    assert shutil.which(QEMU), "tests marked needs_qemu need Debian's package qemu-user-static"
    cores = (0, 1)
    return Profile(
        serial=f"SIMULATED-{name}",
        model=f"Emulated {name}",
        properties={"ro.product.cpu.abi": "arm64-v8a", "ro.mobilekit.emulated": "qemu"},
        cpuinfo="".join(
            CPUINFO.format(
                core=core,
                features=processor.features,
                implementer=IMPLEMENTER,
                part=processor.part,
            )
            for core in cores
        ),
        clusters=((cores, 2_000_000),),
        emulator=(QEMU, "-cpu", name),
    )


@functools.cache
def build_arm64_runner() -> Path:
    """The cross-compiled program; what is up to date is not built again."""
    assert shutil.which(COMPILER), "tests marked needs_qemu need Debian's g++-aarch64-linux-gnu"
    made = make_runner("runner", "ABI=arm64-v8a")
    assert made.returncode == 0, made.stderr[-2000:]
    return ROOT / "build" / "runner" / "arm64-v8a" / "mobilekit_runner"


def arm64_library() -> Library:
    """LiteRT's library of the wheel for 64-bit Arm Linux."""
    path = WHEEL / "ai_edge_litert" / "libLiteRt.so"
    assert path.exists(), "run `make test-arm64`, which fetches the wheel for 64-bit Arm"
    (wheel,) = WHEEL.glob("ai_edge_litert-*.dist-info")
    return Library(path=path, version=wheel.name.split("-")[1].removesuffix(".dist"))


def arm64_runner() -> NativeRunner:
    """The driver with both."""
    return NativeRunner(runtime="litert", binary=build_arm64_runner(), library=arm64_library())
