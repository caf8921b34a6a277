"""Takes a first phone's measure: `python examples/first_phone.py --device pixel-8 net.tflite`.

docs/first-phone.md says what to do before, and what to compare the answers with. Every step is a
command of mobilekit; what it printed, its exit code and its time go into a folder, which is packed
at the end. A step that fails does not stop the next: what does not work on a phone is what we want
to hear of. Serials are struck out of all that is packed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

STEP_TIMEOUT_S = 3600.0  # a matrix of many models on a phone that has to cool down
STRUCK = "SERIAL"
TEXTS = (".out", ".err", ".json", ".jsonl")  # what is packed: no models


@dataclass(frozen=True, kw_only=True)
class Step:
    """One command of mobilekit, and what came of it.

    Attributes:
        name: Of its two files, <name>.out and <name>.err.
        words: What followed "mobilekit".
        exit_code: 0 done, 1 a finding; None where it ran into the limit of time.
        took_s: Seconds.
    """

    name: str
    words: tuple[str, ...]
    exit_code: int | None
    took_s: float


def steps_of(args: argparse.Namespace, results: Path) -> list[tuple[str, list[str]]]:
    """Names and words of the commands, in their order."""
    device, models = ["--device", args.device], [str(path) for path in args.models]
    runner = [
        word
        for name in ("runner", "runner_binary")
        if getattr(args, name)
        for word in (f"--{name.replace('_', '-')}", str(getattr(args, name)))
    ]
    out = ["--out", str(results)]
    matrix = ["--num-threads", args.num_threads, "--repetitions", str(args.repetitions)]
    steps = [
        ("doctor", ["doctor", "--json"]),
        ("devices", ["devices", "--json"]),
        ("selftest", ["selftest", *device, *runner, "--out", str(results / "selftest"), "--json"]),
    ]
    if models:
        steps += [
            ("push", ["push", models[0], *device, "--json"]),
            ("push-again", ["push", models[0], *device, "--json"]),
            ("matrix", ["benchmark", *models, *device, *runner, *matrix, *out, "--json"]),
        ]
    return steps


def serials() -> list[str]:
    """Serials of all phones that adb sees, the longest first."""
    from mobilekit import list_devices
    from mobilekit.core.errors import MobileKitError

    try:
        found = {phone.serial for phone in list_devices() if phone.serial}
    except MobileKitError as error:
        print(f"first_phone: {error}", file=sys.stderr)
        return []
    return sorted(found, key=len, reverse=True)


def strike(text: str, secrets: Iterable[str]) -> str:
    """The text without the serials."""
    for secret in secrets:
        text = text.replace(secret, STRUCK)
    return text


def take(name: str, words: Sequence[str], folder: Path, secrets: Sequence[str]) -> Step:
    """Runs one command; its words, output and errors are written without serials."""
    print(f"first_phone: {name} …", file=sys.stderr, flush=True)
    command, began = [sys.executable, "-m", "mobilekit", *words], time.monotonic()
    code: int | None
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=STEP_TIMEOUT_S, check=False
        )
        code, out, err = done.returncode, done.stdout, done.stderr
    except subprocess.TimeoutExpired:
        code, out, err = None, "", f"more than {STEP_TIMEOUT_S:g} s"
    took_s = time.monotonic() - began
    for ending, text in (("out", out), ("err", err)):
        (folder / f"{name}.{ending}").write_text(strike(text, secrets))
    last = err.strip().rpartition("\n")[2] if code else ""
    print(f"first_phone: {name}: exit code {code}, {took_s:.0f} s {last}", file=sys.stderr)
    return Step(
        name=name,
        words=tuple(strike(word, secrets) for word in words),
        exit_code=code,
        took_s=round(took_s, 1),
    )


def pack(folder: Path, secrets: Sequence[str]) -> Path:
    """One archive of all texts below `folder`; their names hold no serials either."""
    archive = folder.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(folder.rglob("*")):
            if path.suffix in TEXTS:
                name = path.relative_to(folder.parent).as_posix()
                packed.writestr(strike(name, secrets), strike(path.read_text(), secrets))
    return archive


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("models", type=Path, nargs="*", metavar="model", help=".tflite files")
    parser.add_argument("--device", default="adb", help="serial or label (default: the only phone)")
    parser.add_argument("--runner", help="as `mobilekit benchmark` takes it")
    parser.add_argument("--runner-binary", type=Path)
    parser.add_argument("--num-threads", default="1,2,4")
    parser.add_argument("--repetitions", type=int, default=12)
    parser.add_argument("--out", type=Path, default=Path("first-phone"), help="folder to fill")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs every step; returns 0 if all of them did what they should."""
    args = parse(argv)
    if args.out.exists() and any(args.out.iterdir()):
        print(f"first_phone: {args.out} is not empty; name another --out.", file=sys.stderr)
        return 2
    args.out.mkdir(parents=True, exist_ok=True)
    secrets = serials()
    taken = [
        take(name, words, args.out, secrets) for name, words in steps_of(args, args.out / "results")
    ]
    document = json.dumps([asdict(step) for step in taken], indent=1) + "\n"
    (args.out / "steps.json").write_text(document)
    print(pack(args.out, secrets))
    return 0 if all(step.exit_code == 0 for step in taken) else 1


if __name__ == "__main__":
    sys.exit(main())
