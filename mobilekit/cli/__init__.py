"""The `mobilekit` command: parses, runs one command, turns errors into exit codes.

Nothing heavy is imported until a command needs it: each command is a module of its own, and only
the one that was asked for is loaded.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

from absl import flags
from absl.flags import argparse_flags

from mobilekit import __version__
from mobilekit.cli.options import adb_server
from mobilekit.core.errors import MobileKitError, StorageError
from mobilekit.core.registry import Registry
from mobilekit.formatting import printable

EPILOG = """\
examples:
  mobilekit run examples/quickstart.toml
  mobilekit benchmark float.tflite int8.tflite --num-threads 1,2
  mobilekit verify net.tflite --full-integer

mobilekit COMMAND --help shows a command's options, with examples."""

EXIT_BUG = 70
EXIT_INTERRUPTED = 130


class CommandModule(Protocol):
    """What a module of this package has to have."""

    EXAMPLES: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], None]


@dataclass(frozen=True, kw_only=True)
class Command:
    """One row of `COMMANDS`."""

    name: str
    summary: str

    def load(self) -> CommandModule:
        """Imports the command's module, named as it is."""
        return cast(CommandModule, importlib.import_module(f"mobilekit.cli.{self.name}_command"))


COMMANDS: Registry[Command] = Registry(
    "command",
    [
        Command(name="list", summary="Show what exists: architectures, recipes, delegates."),
        Command(name="info", summary="Count a network's parameters, MACs and memory."),
        Command(name="run", summary="Do a whole plan: build, convert, evaluate, measure, report."),
        Command(name="build", summary="Build a network, with weights, as a .keras file."),
        Command(name="convert", summary="Convert a model to .tflite, as a recipe says."),
        Command(name="verify", summary="Check that a .tflite file is what it claims to be."),
        Command(name="lint", summary="Say which delegates would take a .tflite, and why not."),
        Command(name="debug", summary="Rank the layers of a .tflite by the error they add."),
        Command(name="evaluate", summary="Judge a .tflite file on images."),
        Command(name="devices", summary="Show this computer and every phone that adb sees."),
        Command(name="selftest", summary="Say how much noise a device makes, and keep that."),
        Command(name="push", summary="Bring a file to a device and check it there."),
        Command(name="clean", summary="Remove what was pushed to a device long ago."),
        Command(name="benchmark", summary="Measure .tflite files on a device."),
        Command(name="compare", summary="Say whether one measurement is faster than another."),
        Command(name="report", summary="Write the report of a folder of results."),
        Command(name="doctor", summary="Show what is installed, what is missing, how to get it."),
    ],
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit code."""
    words = [_dashed(word) for word in (sys.argv[1:] if argv is None else argv)]
    debug = "--debug" in words
    try:
        args = _parser(words).parse_args(words)
        with adb_server(args):
            args.run(args)
        sys.stdout.flush()
    except SystemExit as leaving:  # argparse: help, version or a usage error
        return leaving.code if isinstance(leaving.code, int) else 2
    except MobileKitError as error:
        if debug:
            raise
        _complain(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        _complain("interrupted; what was measured is kept.")
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # the reader of our output left, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:  # what no door translated, such as a full disk behind standard output
        if debug:
            raise
        _complain(f"{error.filename or 'standard output'} cannot be used ({error.strerror}).")
        return StorageError.exit_code
    except Exception as error:
        if debug:
            raise
        kind = type(error).__name__
        _complain(f"this is a bug: {kind}: {error}. Run again with --debug and report it.")
        return EXIT_BUG
    return 0


def _complain(sentence: str) -> None:
    """One line on standard error; a name out of a file must not drive the terminal."""
    print(f"mobilekit: {printable(' '.join(sentence.splitlines()))}", file=sys.stderr)


def _dashed(word: str) -> str:
    """`--num_threads=2` as `--num-threads=2`: users of TensorFlow's tools type underscores."""
    name, equals, value = word.partition("=")
    if not name.startswith("--") or name.removeprefix("--").replace("-", "_") in flags.FLAGS:
        return word
    return name.replace("_", "-") + equals + value


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse_flags.ArgumentParser(  # type: ignore[no-untyped-call]
        prog="mobilekit",
        description="Build, convert, measure and compare convolutional networks on mobile devices.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--debug", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--version", action="version", version=f"mobilekit {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    asked = next((word for word in words if word in COMMANDS), None)
    for command in COMMANDS.values():
        module = command.load() if command.name == asked else None
        subparser = commands.add_parser(
            command.name,
            help=command.summary,
            description=command.summary,
            epilog=f"examples:\n{module.EXAMPLES}" if module else None,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        subparser.add_argument(
            "--debug", action="store_true", help="show the traceback of an error"
        )
        if module:
            module.add_arguments(subparser)
            subparser.set_defaults(run=module.run)
    return cast(argparse.ArgumentParser, parser)
