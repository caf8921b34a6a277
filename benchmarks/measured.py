"""Writes what a benchmark saw to docs/measured/, with the command, commit and machine."""

from __future__ import annotations

import datetime
import math
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from scipy import stats

ROOT = Path(__file__).parent.parent


def machine() -> str:
    """The processor, how many of it, and the Python, in one line."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    cores = len(os.sched_getaffinity(0))
    return f"{model}, {cores} processors, {platform.system()}, Python {platform.python_version()}"


def interval(
    numerators: Sequence[float], denominators: Sequence[float]
) -> tuple[float, float, float]:
    """Geometric mean of paired ratios, and its 95 % interval (Student's t on the logarithms)."""
    logs = [math.log(a / b) for a, b in zip(numerators, denominators, strict=True)]
    found = stats.ttest_1samp(logs, 0).confidence_interval(0.95)
    return math.exp(statistics.fmean(logs)), math.exp(found.low), math.exp(found.high)


def ratio(numerators: Sequence[float], denominators: Sequence[float]) -> str:
    """The same as text."""
    mean, low, high = interval(numerators, denominators)
    return f"{mean:.2f} [{low:.2f}, {high:.2f}]"


def write(name: str, title: str, lines: Sequence[str]) -> None:
    """Prints the lines and writes them to docs/measured/<name>.md."""
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty=+"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    command = f"python benchmarks/{Path(sys.argv[0]).name} {' '.join(sys.argv[1:])}".strip()
    head = [
        f"# {title}",
        "",
        f"Written by `{command}` at commit {commit}, {datetime.date.today()}, on {machine()}.",
        "",
    ]
    text = "\n".join([*head, *lines]) + "\n"
    folder = ROOT / "docs" / "measured"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.md").write_text(text)
    print(text)
