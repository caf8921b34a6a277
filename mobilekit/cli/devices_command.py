"""`mobilekit devices`: this computer and the phones, before anything is measured."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from mobilekit.cli.options import add_adb_server, add_json

if TYPE_CHECKING:
    from android_bench.devices.android import Battery, Cluster
    from android_bench.devices.overview import DeviceOverview, ListedDevice

EXAMPLES = """\
  mobilekit devices
  mobilekit devices --json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds where adb's server is, and --json, which holds no serials."""
    add_adb_server(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> None:
    """Prints a block a device; one that cannot be used says what to do."""
    from android_bench.devices.adb_program import REMEDY, find_adb
    from mobilekit.cli.output import print_json
    from mobilekit.devices import list_devices

    listed = list_devices()
    if find_adb() is None:
        print(f"mobilekit: there is no adb here, so no phone is seen; {REMEDY}.", file=sys.stderr)
    if args.json:
        print_json([row.overview for row in listed])
        return
    for index, row in enumerate(listed):
        if index:
            print()
        _print(row)


def _print(row: ListedDevice) -> None:
    from mobilekit.cli.output import print_plain_table
    from mobilekit.formatting import printable

    about = row.overview
    words = [row.serial or "this computer"]
    words += ["simulated"] if about.info and about.info.simulated else []
    words += [f"emulated by {about.info.emulated}"] if about.info and about.info.emulated else []
    rows = [["  problem", about.problem]] if about.problem else _facts(about)
    print_plain_table(
        [printable(about.label), printable(", ".join(words))],
        [[name, printable(text)] for name, text in rows if text],
    )


def _facts(about: DeviceOverview) -> list[list[str]]:
    info = about.info
    assert info is not None  # there is one where there is no problem
    model = " ".join(text for text in (info.manufacturer, info.model) if text)
    delegates = [[row.target, row.verdict, row.because] for row in about.delegates]
    return [
        ["  model", model],
        ["  chip", info.soc or ""],
        ["  system", f"{info.os}, {info.abi}"],
        ["  cores", _cores(about.clusters) or str(info.cpu_count or "")],
        ["  int8", ", ".join(info.cpu_features)],
        ["  memory", f"{about.ram_bytes / 1e9:.1f} GB" if about.ram_bytes else ""],
        ["  battery", _battery(about.battery)],
        ["  thermal", _thermal(about)],
        *[["  delegate", f"{target}: {how}, {why}"] for target, how, why in delegates],
        *[["  selftest", text] for text in _validated(about)],
        *[["  note", note] for note in about.notes],
    ]


def _cores(clusters: tuple[Cluster, ...]) -> str:
    parts = [
        f"{len(c.cores)} up to {c.max_khz / 1e6:.2f} GHz (cpu {_ranges(c.cores)})" for c in clusters
    ]
    return ", ".join(parts)


def _ranges(numbers: tuple[int, ...]) -> str:
    contiguous = numbers == tuple(range(numbers[0], numbers[-1] + 1))
    if contiguous and len(numbers) > 1:
        return f"{numbers[0]}-{numbers[-1]}"
    return ",".join(map(str, numbers))


def _battery(battery: Battery | None) -> str:
    if battery is None:
        return ""
    words = [] if battery.level_percent is None else [f"{battery.level_percent} %"]
    words += [] if battery.temperature_c is None else [f"{battery.temperature_c:.1f} °C"]
    return ", ".join([*words, "plugged in" if battery.plugged else "not plugged in"])


def _validated(about: DeviceOverview) -> list[str]:
    from mobilekit.formatting import at_most_percent

    if not about.validated:
        return [f"unvalidated: `mobilekit selftest --device {about.label}` tells its noise floor"]
    return [
        f"validated {passed.measured[:10]}, floor {at_most_percent(passed.noise_floor)}"
        f" ({passed.runner}, {passed.runtime})"
        for passed in about.validated
    ]


def _thermal(about: DeviceOverview) -> str:
    from android_bench.devices.android import THERMAL_WORDS

    words = []
    if about.cpu_temperature_c is not None:
        words.append(f"CPU {about.cpu_temperature_c:.1f} °C")
    if about.skin_temperature_c is not None:
        words.append(f"skin {about.skin_temperature_c:.1f} °C")
    if about.thermal_status is not None:
        status = about.thermal_status
        name = THERMAL_WORDS[status] if status < len(THERMAL_WORDS) else "unknown"
        words.append(f"throttling status {status} ({name})")
    return ", ".join(words)
