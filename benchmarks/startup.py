"""How long the command line takes to answer, beside an empty Python."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

import measured

COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "mobilekit --help": ["-m", "mobilekit", "--help"],
    "mobilekit list architectures": ["-m", "mobilekit", "list", "architectures"],
    "mobilekit list recipes": ["-m", "mobilekit", "list", "recipes"],
    "mobilekit benchmark --help": ["-m", "mobilekit", "benchmark", "--help"],
}
REPEATS = 15


def seconds(arguments: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL, cwd=measured.ROOT
    )
    return time.perf_counter() - began


def main() -> None:
    taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for arguments in COMMANDS.values():
        seconds(arguments)  # the first start compiles
    for _ in range(REPEATS):
        for name, arguments in COMMANDS.items():
            taken[name].append(seconds(arguments))
    lines = [f"Wall seconds of {REPEATS} starts, interleaved.", ""]
    lines += ["| command | median | slowest | over an empty Python |", "|---|---|---|---|"]
    empty = taken["python -c pass"]
    for name, values in taken.items():
        over = statistics.median(v - e for v, e in zip(values, empty, strict=True))
        lines.append(
            f"| `{name}` | {statistics.median(values):.3f} | {max(values):.3f} | {over:.3f} |"
        )
    measured.write("startup", "Start-up time", lines)


if __name__ == "__main__":
    main()
