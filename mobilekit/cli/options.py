"""Options that several commands take, each written once."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager

from mobilekit.core.preprocessing import Preprocessing
from mobilekit.core.target import DEFAULT_TARGET


def add_json(parser: argparse.ArgumentParser) -> None:
    """`--json`, for every command that prints a table."""
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


# How adb itself is told where its server is; whatever starts adb follows it.
ADB_SERVER, ADB_PORT = "ADB_SERVER_SOCKET", "ANDROID_ADB_SERVER_PORT"
DEFAULT_ADB_PORT = 5037


def add_adb_server(parser: argparse.ArgumentParser) -> None:
    """`--adb-host` and `--adb-port`, for every command that may ask adb."""
    parser.add_argument(
        "--adb-host",
        metavar="HOST",
        help=f"computer whose adb server has the phones (default {ADB_SERVER}, or this one)",
    )
    parser.add_argument(
        "--adb-port",
        type=int,
        metavar="PORT",
        help=f"its port (default {ADB_PORT}, or {DEFAULT_ADB_PORT})",
    )


@contextmanager
def adb_server(args: argparse.Namespace) -> Iterator[None]:
    """Lets adb use the server that was named; the environment is as before afterwards.

    Raises:
        UsageError: If there can be no such server.
    """
    from mobilekit.core.errors import UsageError

    host: str | None = getattr(args, "adb_host", None)
    port: int | None = getattr(args, "adb_port", None)
    if host is None and port is None:
        yield
        return
    if host is not None and (not host or not set(host).isdisjoint(" /\t\n")):
        raise UsageError(f"--adb-host takes a computer's name or address, not {host!r}.")
    if port is not None and not 0 < port < 65536:
        raise UsageError(f"--adb-port takes a port from 1 to 65535, not {port}.")
    host = host or "localhost"
    before = os.environ.get(ADB_SERVER)
    number = port or os.environ.get(ADB_PORT) or DEFAULT_ADB_PORT
    os.environ[ADB_SERVER] = f"tcp:[{host}]:{number}" if ":" in host else f"tcp:{host}:{number}"
    try:
        yield
    finally:
        if before is None:
            del os.environ[ADB_SERVER]
        else:
            os.environ[ADB_SERVER] = before


def add_phone(parser: argparse.ArgumentParser) -> None:
    """`--device`, for what is done to a phone."""
    parser.add_argument(
        "--device",
        default="adb",
        help="serial or label (default ANDROID_SERIAL, or the only phone), or host",
    )
    add_adb_server(parser)


def add_architecture(parser: argparse.ArgumentParser) -> None:
    """The architecture and the options of its builder."""
    parser.add_argument("architecture", help="a name of `mobilekit list architectures`")
    parser.add_argument("--alpha", type=float, default=1.0, help="width multiplier (default 1.0)")
    parser.add_argument(
        "--input-size", type=int, help="height and width, pixels (default: as published)"
    )
    parser.add_argument("--classes", type=int, help="outputs (default: as published)")
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an option of the family, as `mobilekit info` lists them; repeatable",
    )
    parser.add_argument(
        "--target",
        default=DEFAULT_TARGET,
        help="delegate whose graph forms are used where they compute the same, or none for every"
        f" layer as its paper writes it (default {DEFAULT_TARGET})",
    )


def named_values(given: list[str], option: str) -> dict[str, str]:
    """What "NAME=VALUE" arguments say.

    Raises:
        UsageError: If one has no "=", or a name comes twice.
    """
    from mobilekit.core.errors import UsageError

    values: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise UsageError(f"{option} takes NAME=VALUE, not {text!r}.")
        if name in values:
            raise UsageError(f"{option} {name} is given twice; one value is used, so give one.")
        values[name] = value
    return values


def add_preprocessing(parser: argparse.ArgumentParser) -> None:
    """What the input of a file from elsewhere expects."""
    group = parser.add_argument_group(
        "preprocessing", "for a file without provenance beside it; pixels are 0..255"
    )
    group.add_argument("--mean", type=float, nargs="+", help="subtracted: one value or three")
    group.add_argument("--std", type=float, nargs="+", help="divided by: one value or three")
    group.add_argument("--crop", type=int, help="height and width of the input (default 224)")
    group.add_argument(
        "--resize", type=int, help="shorter side before the crop (default 8/7 of it)"
    )


def preprocessing(args: argparse.Namespace) -> Preprocessing | None:
    """What `add_preprocessing` was given; None where nothing was.

    Raises:
        UsageError: If the values do not make a preprocessing.
    """
    from mobilekit.core.errors import UsageError

    if args.mean is None and args.std is None:
        if args.crop or args.resize:
            raise UsageError("--crop and --resize belong to --mean and --std; give those too.")
        return None
    crop = args.crop or 224
    try:
        return Preprocessing(
            input_size=(crop, crop),
            resize_shorter=args.resize or -(-crop * 8 // 7),
            mean=_channels(args.mean or [0.0], "--mean"),
            std=_channels(args.std or [1.0], "--std"),
        )
    except ValueError as error:
        raise UsageError(f"The preprocessing cannot be: {error}.") from error


def _channels(values: list[float], option: str) -> tuple[float, float, float]:
    from mobilekit.core.errors import UsageError

    if len(values) == 1:
        values = values * 3
    if len(values) != 3:
        raise UsageError(f"{option} takes one value or three, not {len(values)}.")
    return (values[0], values[1], values[2])
