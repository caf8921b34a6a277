"""What was read from a device."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class DeviceInfo:
    """A device as results record it; what cannot be read is None.

    Attributes:
        kind: A name of `android_bench.devices.DEVICE_KINDS`.
        label: What people call it: its model as a slug, unless they chose another.
        serial_hash: Its serial or address, hashed with a secret that stays on the bench host.
        simulated: Whether anything about it is a simulation.
        manufacturer: Who made it.
        model: What it is called by its maker; the CPU's name on a computer.
        soc: System on chip.
        abi: E.g. "arm64-v8a", "x86_64".
        os: Operating system and release.
        build_fingerprint: Identifies the system software; latencies of two builds do not compare.
        cpu_features: Instruction sets that decide how fast int8 can be, e.g. "avx512_vnni".
        cpu_count: Logical processors this process may use.
        emulated: What emulates its processor, e.g. "qemu"; times there are no latencies.
    """

    kind: str
    label: str
    serial_hash: str
    simulated: bool
    manufacturer: str | None
    model: str | None
    soc: str | None
    abi: str
    os: str
    build_fingerprint: str
    cpu_features: tuple[str, ...] = ()
    cpu_count: int | None = None
    emulated: str | None = None
