"""Runs a simulated phone until it is interrupted: `python -m tests.simulated_device --port 0`.

Prints its port; `adb connect 127.0.0.1:PORT` then finds it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal

from tests.simulated_device.phone import Phone
from tests.simulated_device.profile import FEATURES, Profile
from tests.simulated_device.thermal import Heat

NUMBERS = (
    *("drop_shell_after", "cut_shell_after", "garble_shell_after", "drop_push_after"),
    *("drop_pull_after", "full_after", "free_kb"),
)
SWITCHES = ("full", "damage_push", "damage_pull", "lose_push", "unauthorized")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulated_device", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--serial", default=Profile.serial)
    parser.add_argument("--model", default=Profile.model)
    parser.add_argument("--features", default=FEATURES, help="of the daemon, with commas")
    parser.add_argument("--property", action="append", default=[], metavar="KEY=VALUE")
    for name in NUMBERS:
        parser.add_argument(f"--{name.replace('_', '-')}", type=int)
    for name in SWITCHES:
        parser.add_argument(f"--{name.replace('_', '-')}", action="store_true")
    parser.add_argument("--hang", action="append", default=[], choices=("shell", "exec", "sync"))
    parser.add_argument("--slow-s", type=float, default=0.0)
    parser.add_argument("--clock-offset-s", type=int, default=0)
    parser.add_argument("--speed", type=float, default=1.0, help="of its heat")
    return parser.parse_args()


async def serve(args: argparse.Namespace) -> None:
    phone = Phone(
        Profile(
            serial=args.serial,
            model=args.model,
            features=args.features,
            heat=Heat(speed=args.speed),
            properties=dict(pair.split("=", 1) for pair in args.property),
        )
    )
    for name in (*NUMBERS, *SWITCHES, "slow_s", "clock_offset_s"):
        setattr(phone.faults, name, getattr(args, name))
    phone.faults.hang = frozenset(args.hang)
    loop = asyncio.get_running_loop()
    running = asyncio.create_task(phone.run(args.port))
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, running.cancel)
    while not phone.port:
        await asyncio.sleep(0.01)
    print(phone.port, flush=True)
    with contextlib.suppress(asyncio.CancelledError):
        await running


if __name__ == "__main__":
    asyncio.run(serve(arguments()))
