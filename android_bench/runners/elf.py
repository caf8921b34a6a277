"""Tells from its first bytes which processors a program or library is for."""

from __future__ import annotations

import struct
from pathlib import Path

from mobilekit.core.storage import storage_errors

MAGIC = b"\x7fELF"
NO_ELF = "no ELF file"
# e_machine of the ELF header: the kernel's name of the architecture, and Android's.
MACHINES = {
    0x03: ("i686", "x86"),
    0x28: ("armv7l", "armeabi-v7a"),
    0x3E: ("x86_64", "x86_64"),
    0xB7: ("aarch64", "arm64-v8a"),
    0xF3: ("riscv64", "riscv64"),
}


def abi_of(path: Path) -> str:
    """E.g. "aarch64"; "no ELF file" for a script or anything else.

    Raises:
        StorageError: If it cannot be read.
    """
    with storage_errors(path, "read"), path.open("rb") as file:
        head = file.read(20)
    if len(head) < 20 or not head.startswith(MAGIC):
        return NO_ELF
    (machine,) = struct.unpack("<H" if head[5] == 1 else ">H", head[18:20])
    return MACHINES[machine][0] if machine in MACHINES else f"machine {machine:#x}"


def same_abi(found: str, device: str) -> bool:
    """Whether the device runs it; both names of an architecture mean the same."""
    return any({found, device} <= set(names) for names in MACHINES.values())
