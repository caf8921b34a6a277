"""A plan that does everything on a network of 200,000 weights and a few small pictures."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).parent.parent
REPETITIONS = 6

PLAN = f"""\
schema = 1
[[models]]
architecture = "mobilenet_v1"
alpha = 0.25
input_size = 32
classes = 10
[convert]
recipes = ["float32", "dynamic_wi8_afp32", "static_wi8_ai8"]
effort = "none"
[calibration]
images = "photos"
[evaluation]
images = "photos"
labels = "photos/labels.txt"
[[measure]]
warmup_runs = 0
num_runs = 3
min_secs = 0
repetitions = {REPETITIONS}
"""


def write_pictures(folder: Path, count: int = 16) -> None:
    """Pictures that a network tells apart, with labels."""
    folder.mkdir()
    random = np.random.default_rng(0)
    labels = []
    for index in range(count):
        coarse = random.integers(0, 256, (4, 4, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((48, 40)).save(folder / f"{index:02}.png")
        labels.append(f"{index:02}.png {index % 10}\n")
    (folder / "labels.txt").write_text("".join(labels))


def write_plan(folder: Path, text: str = PLAN) -> Path:
    """A folder with the plan and its pictures."""
    write_pictures(folder / "photos")
    plan = folder / "plan.toml"
    plan.write_text(text)
    return plan


def command(*words: object) -> list[str]:
    """The command line as a process."""
    return [sys.executable, "-m", "mobilekit", *map(str, words)]


def environment(folder: Path) -> dict[str, str]:
    """Keeps the secret, the copies and the locks of mobilekit inside a test's folder."""
    kept = {f"MOBILEKIT_{name}_DIR": str(folder / name) for name in ("CONFIG", "CACHE", "STATE")}
    return {**os.environ, **kept, "COLUMNS": "80", "PYTHONPATH": str(ROOT)}


def mobilekit(folder: Path, *words: object, **options: object) -> subprocess.CompletedProcess[str]:
    """Runs a command in a folder and returns what it printed."""
    return subprocess.run(
        command(*words),
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        **options,  # type: ignore[call-overload]
    )
