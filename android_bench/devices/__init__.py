"""Where models are measured: the contract of a device, and the table of the kinds that exist.

A kind is a module with an opener and a class that has the methods of `Device`; there is no base
class. Opening imports the module, listing does not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

from android_bench.process import Shell
from mobilekit.core.device import DeviceInfo
from mobilekit.core.errors import UsageError, nearest
from mobilekit.core.loading import load
from mobilekit.core.registry import Registry

__all__ = ["DEVICE_KINDS", "Device", "DeviceKind", "Shell", "kind_of", "open_device", "public_name"]


class Device(Protocol):
    """What the harness asks of a device. Remote paths are absolute paths on the device."""

    @property
    def kind(self) -> str:
        """A name of `DEVICE_KINDS`."""

    @property
    def label(self) -> str:
        """What people call it; errors and results use it, never the serial."""

    @property
    def workspace(self) -> str:
        """A folder on the device that is ours."""

    def info(self) -> DeviceInfo:
        """Reads what the device is.

        Raises:
            DeviceError: If the device does not answer.
        """

    def push(self, local: Path, remote: str) -> None:
        """Brings a file there, whole, or not at all; what is there with equal bytes stays.

        Raises:
            StorageError: If `local` cannot be read.
            DeviceError: If it cannot be written, or is not there with equal sha256 afterwards.
        """

    def pull(self, remote: str, local: Path) -> None:
        """Brings a file here, whole, or not at all.

        Raises:
            DeviceError: If `remote` cannot be read, or arrived with another sha256.
            StorageError: If `local` cannot be written.
        """

    def shell(self, argv: Sequence[str], *, timeout_s: float) -> Shell:
        """Runs a command there; its arguments arrive as they are, whatever is in them.

        Any exit status is an answer, not an error.

        Raises:
            DeviceTimeoutError: If it does not end within `timeout_s`; it is ended then.
            DeviceError: If it cannot be started, or the way to the device fails.
        """


@dataclass(frozen=True, kw_only=True)
class DeviceKind:
    """One row of `DEVICE_KINDS`.

    Attributes:
        name: As in a plan.
        title: What it is, for people.
        opener: "package.module:function" that returns the `Device`; it takes the address where
            the kind has one, empty where none was given.
        address: What follows the name and a colon, for people; empty where nothing may.
        alone: Whether the name alone will do where there is an address.
        runner: What measures there where none is named: a name of `android_bench.runners.RUNNERS`.
    """

    name: str
    title: str
    opener: str
    address: str = ""
    alone: bool = False
    runner: str = "litert_python"


DEVICE_KINDS: Registry[DeviceKind] = Registry(
    "device kind",
    [
        DeviceKind(
            name="host",
            title="this computer",
            opener="android_bench.devices.host:open_host",
        ),
        DeviceKind(
            name="adb",
            title="an Android device, by adb",
            opener="android_bench.devices.adb:open_adb",
            address="serial or label",
            alone=True,
            runner="native",
        ),
        DeviceKind(
            name="ssh",
            title="a Linux board: ssh:user@board, or ssh: and a Host of ~/.ssh/config",
            opener="android_bench.devices.ssh:open_ssh",
            address="user@board",
        ),
    ],
)


# A name that is no kind is the serial or the label of a phone.
UNPREFIXED_KIND = "adb"


def open_device(name: str) -> Device:
    """Opens the device that a plan or a command line names.

    Args:
        name: A kind, e.g. "host" or "adb" (then ANDROID_SERIAL or the only one is taken), a kind
            with an address, e.g. "adb:0A1B2C", or a phone's serial or label alone.

    Raises:
        UnknownNameError: If no kind and no phone has that name.
        UsageError: If there is no such device, or several could be meant.
        DeviceError: If it is there and cannot be used.
    """
    kind = kind_of(name)
    opener = cast(Callable[..., Device], load(kind.opener))
    return opener(_address(name)) if kind.address else opener()


def kind_of(name: str) -> DeviceKind:
    """The kind of the device that a plan or a command line names; nothing is looked for.

    Raises:
        UnknownNameError: If it is a kind with a typing error; a phone whose label really is so
            near to a kind's name is written with its kind, "adb:hots".
        UsageError: If the address is missing, or there must be none.
    """
    word, colon, address = name.partition(":")
    if word not in DEVICE_KINDS:
        if word and not nearest(word, DEVICE_KINDS):
            return DEVICE_KINDS[UNPREFIXED_KIND]
        return DEVICE_KINDS[word]  # raises the error that lists the kinds
    kind = DEVICE_KINDS[word]
    if colon and not kind.address:
        raise UsageError(f"Device {name!r} cannot be: {word} has no address; write {word!r}.")
    if not address and (colon or (kind.address and not kind.alone)):
        raise UsageError(f"Device {name!r} needs an address, as in {word}:{kind.address}.")
    return kind


def _address(name: str) -> str:
    word, _, address = name.partition(":")
    return address if word in DEVICE_KINDS else name


def public_name(name: str) -> str:
    """The same with the address hashed, for what is written down and may be shared."""
    from android_bench.devices.identity import serial_hash

    word, _, address = name.partition(":")
    return f"{word}:{serial_hash(address)[:12]}" if address else word
