"""Builds the C++ runner once for the tests that start it, and fakes the library that it opens."""

import functools
import json
import os
import re
import subprocess
from pathlib import Path

from filelock import FileLock

from android_bench.runners.artifacts import find_library

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "android_bench" / "runner"
LIBRARY = find_library()
COMPILER = os.environ.get("CXX", "g++")


def make_runner(*words):
    """Runs make, one at a time of all the processes that test."""
    command = ["make", "-s", "-j2", "-f", "android_bench/runner/runner.mk", *words]
    (ROOT / "build").mkdir(exist_ok=True)
    with FileLock(ROOT / "build" / "runner.lock"):
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@functools.cache
def build_runner(sanitized=False):
    """The program's path; what is up to date is not built again."""
    made = make_runner("runner", f"SANITIZE={1 if sanitized else ''}")
    assert made.returncode == 0, f"`make runner` needs a C++ compiler:\n{made.stderr[-2000:]}"
    return ROOT / "build" / ("runner-sanitized" if sanitized else "runner") / "mobilekit_runner"


def run_native(*arguments, program=None, library=LIBRARY.path, version=LIBRARY.version):
    """Exit code, document and standard error of one start, without a warm-up by time."""
    done = subprocess.run(
        [
            *(str(program or build_runner()), "--library", str(library)),
            *("--library-version", version, "--warmup-min-secs", "0", *map(str, arguments)),
        ],
        capture_output=True,
        timeout=60,
        cwd="/",
    )
    lines = done.stdout.decode().splitlines()
    stderr = done.stderr.decode(errors="replace")
    assert lines, f"exited {done.returncode}: {stderr[-2000:]}"
    return done.returncode, json.loads(lines[-1]), stderr


def functions():
    """Result and name behind "LiteRt" of every function in the table of litert_api.h."""
    text = (SOURCE / "litert_api.h").read_text()
    rows = re.findall(r"^  F\((\w+), (\w+),", text, re.MULTILINE)
    assert len(rows) > 40
    return rows


def optional_functions():
    """Names of those that only some starts need."""
    text = (SOURCE / "litert_api.h").read_text()
    return re.findall(r"^  G\(\w+, (\w+),", text, re.MULTILINE)


def compile_library(folder, source):
    """A shared library of C++ text."""
    path, text = folder / "libFake.so", folder / "fake.cc"
    text.write_text(source)
    command = [COMPILER, "-std=c++17", "-shared", "-fPIC", "-I", str(ROOT), str(text), "-o"]
    subprocess.run([*command, str(path)], check=True, capture_output=True)
    return path


def fake_library(folder, bodies=None, without=()):
    """One whose functions return 0 and do nothing, but for those with a body of their own."""
    bodies = bodies or {}
    lines = ['extern "C" {']
    for result, name in functions():
        if name in without:
            continue
        default = "return 0;" if result == "Status" else ""
        kind = "int" if result == "Status" else "void"
        lines.append(f"{kind} LiteRt{name}({bodies.get(name, ('', default))[0]})")
        lines.append(f"{{ {bodies.get(name, ('', default))[1]} }}")
    return compile_library(folder, "\n".join(["#include <cstddef>", *lines, "}"]))
