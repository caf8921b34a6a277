"""`mobilekit selftest`: how much noise a device makes, and whether it can be believed."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from mobilekit.cli.options import add_adb_server, add_json
from mobilekit.core.measurement import RunConfig

EXAMPLES = """\
  mobilekit selftest
  mobilekit selftest --device ssh:pi@board --python /home/pi/venv/bin/python
  mobilekit selftest net.tflite --runner native --benchmark-model benchmark_model"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the file, the device and what measures there."""
    parser.add_argument(
        "model",
        type=Path,
        nargs="?",
        help="a .tflite file (default: a small network that the kit writes)",
    )
    parser.add_argument(
        "--device", default="host", help="host (default), ssh:user@board, or a phone's serial"
    )
    parser.add_argument(
        "--repetitions",
        type=int,
        default=RunConfig.repetitions,
        metavar="N",
        help="blocks (default %(default)s)",
    )
    parser.add_argument(
        "--runner", help="native (the default on a phone) or litert_python (elsewhere)"
    )
    parser.add_argument("--runner-binary", type=Path, help="program of --runner native")
    parser.add_argument("--runtime", help="ai-edge-litert (default) or tflite-runtime")
    parser.add_argument("--python", type=Path, metavar="PATH", help="the interpreter on the device")
    parser.add_argument(
        "--benchmark-model",
        type=Path,
        metavar="PATH",
        help="Google's benchmark_model, to be held against (default: the one in the cache)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("results") / "selftest",
        help="folder of the raw starts (default %(default)s)",
    )
    add_adb_server(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> None:
    """Prints what was found, and keeps it; a test that fails is a finding."""
    from mobilekit.benchmarking import selftest_device
    from mobilekit.cli.output import print_json, print_notes, print_plain_table
    from mobilekit.cli.progress import StartsBar
    from mobilekit.core.errors import Finding
    from mobilekit.selftest_rows import rows_of, title_of

    with StartsBar() as progress:
        found = selftest_device(
            args.model,
            device=args.device,
            results=args.out,
            repetitions=args.repetitions,
            runner=args.runner,
            runner_binary=args.runner_binary,
            runtime=args.runtime,
            python=args.python,
            benchmark_model=args.benchmark_model,
            command=shlex.join(_command(args)),
            progress=progress,
        )
    if args.json:
        print_json(found.document())
    else:
        print_plain_table(["selftest", title_of(found)], rows_of(found))
    if found.problems:
        raise Finding(f"The selftest failed: {'; '.join(found.problems)}.")
    if not args.json:
        print_notes(["From now on results of this device, runner and runtime are validated by it."])


def _command(args: argparse.Namespace) -> list[str]:
    words = ["mobilekit", "selftest", *([str(args.model)] if args.model else [])]
    for name in (
        "device",
        "repetitions",
        "runner",
        "runner_binary",
        "runtime",
        "python",
        "benchmark_model",
    ):
        value = getattr(args, name)
        words += [f"--{name.replace('_', '-')}", str(value)] if value else []
    return words
