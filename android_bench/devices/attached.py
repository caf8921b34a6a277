"""The phones that adb sees: what `adb devices -l` lists, and which of them is meant.

`--device` goes before ANDROID_SERIAL, which goes before the only one; what is left is a list of
what there is, and exit code 2.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from android_bench.folders import config_dir
from mobilekit.core.errors import DeviceError, StorageError, UnknownNameError, UsageError
from mobilekit.core.storage import read_text

READY = "device"
GONE = "absent"  # not listed at all
UNNAMED = "unnamed-device"  # one that has not said its model yet
# What adb says a phone's state is, and what to do about it.
REMEDIES = {
    "unauthorized": "has not allowed this computer; unlock it and accept the question about USB"
    " debugging on its screen",
    "authorizing": "is being asked whether it allows this computer; try again in a moment",
    "offline": "is listed but does not answer; plug it in again, or, if it is at the end of a"
    " network, run `adb disconnect` and `adb connect` again",
    "connecting": "is being connected; try again in a moment",
    "no permissions": "may not be opened by this user; on Linux install udev rules for it"
    " (Debian and Ubuntu: apt install android-sdk-platform-tools-common), join the group plugdev,"
    " and plug it in again",
    "recovery": "is in recovery mode; restart it",
    "sideload": "is in sideload mode; restart it",
    "rescue": "is in rescue mode; restart it",
    "bootloader": "is in its bootloader; restart it",
    "host": "is in host mode; restart it",
}
NOT_LISTED = "is not seen by adb any more; plug it in again and look at `adb devices`"
LINE = re.compile(
    rf"(?P<serial>\S.*?)\s+(?P<state>{'|'.join([READY, *REMEDIES])})(?=\s|$)(?P<rest>.*)"
)


@dataclass(frozen=True, kw_only=True)
class Attached:
    """One line of the list.

    Attributes:
        serial: As adb prints it.
        state: "device" where all is well.
        label: What people call it: the label they chose, or its model as a slug.
    """

    serial: str
    state: str
    label: str

    @property
    def problem(self) -> str | None:
        """What stands in the way, and what to do; None where nothing does."""
        return REMEDIES.get(self.state)

    def need_ready(self) -> None:
        """Raises DeviceError where the phone cannot be used as it is."""
        if self.problem:
            raise NotReadyError(self.serial if self.label == UNNAMED else self.label, self.state)


class NotReadyError(DeviceError):
    """The phone is there and cannot be used.

    Attributes:
        device: The device's label; its serial, for the terminal, where it has not said its model.
        state: What adb says, a key of REMEDIES, or GONE.
    """

    def __init__(self, device: str, state: str) -> None:
        Exception.__init__(self, device, state)
        self.device, self.state = device, state

    def __str__(self) -> str:
        return f"{self.device} ({self.state}) {REMEDIES.get(self.state, NOT_LISTED)}."


def slug(text: str) -> str:
    """Lower case letters and digits with single dashes, e.g. "pixel-8-pro"."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def parse_devices(text: str, labels: Mapping[str, str]) -> tuple[Attached, ...]:
    """Reads what `adb devices -l` printed; lines that are no device are adb's own talk."""
    found = []
    for line in text.splitlines():
        match = LINE.fullmatch(line.strip())
        if match and not line.startswith("*"):
            serial = match["serial"]
            model = re.search(r"\bmodel:(\S+)", match["rest"])
            label = labels.get(serial) or slug(model[1] if model else "") or UNNAMED
            found.append(Attached(serial=serial, state=match["state"], label=label))
    return tuple(found)


def chosen_labels() -> dict[str, str]:
    """Labels that this user gave, by serial: lines such as `"0A1B2C" = "left"` in labels.toml.

    Raises:
        StorageError: If the file cannot be read, or holds anything else.
    """
    path = config_dir() / "labels.toml"
    if not path.exists():
        return {}
    try:
        table = tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise StorageError(str(path), f"is not TOML ({error})") from error
    for serial, label in table.items():
        if not isinstance(label, str) or slug(label) != label or not label:
            raise StorageError(
                str(path), f"{serial!r} needs a label of a-z, 0-9 and single dashes, not {label!r}"
            )
    return table


def choose(name: str | None, attached: Sequence[Attached]) -> Attached:
    """The phone that is meant.

    Args:
        name: A serial or a label; None takes ANDROID_SERIAL or the only phone.
        attached: What adb lists.

    Raises:
        UnknownNameError: If no phone has that name.
        UsageError: If there is none, or several could be meant.
        DeviceError: If it is there and cannot be used.
    """
    wanted = name or os.environ.get("ANDROID_SERIAL") or None
    if wanted is None:
        meant = list(attached)
    else:
        serials = [phone for phone in attached if phone.serial == wanted]
        meant = serials or [phone for phone in attached if phone.label == wanted]
        if not meant and attached:
            names = {text for phone in attached for text in (phone.serial, phone.label)}
            raise UnknownNameError("device", wanted, names)
    if not meant:
        asked = f" It cannot be {wanted!r}." if wanted else ""
        raise UsageError(
            f"adb sees no device.{asked} Plug one in, allow USB debugging in its developer options,"
            " and look at `adb devices`."
        )
    if len(meant) > 1:
        listed = ", ".join(
            sorted(f"{phone.label} ({phone.serial}, {phone.state})" for phone in meant)
        )
        raise UsageError(
            f"Several devices could be meant: {listed}. Name one by its serial with --device or"
            f" ANDROID_SERIAL; labels of your own go into {config_dir() / 'labels.toml'}."
        )
    meant[0].need_ready()
    return meant[0]
