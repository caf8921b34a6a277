"""The Bazel build of everything, offline, with the version that Debian has."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from android_bench.runners.artifacts import find_library
from android_bench.runners.elf import abi_of

pytestmark = pytest.mark.needs_bazel

ROOT = Path(__file__).parent.parent
TRACKED = ["WORKSPACE", ".bazelrc", "third_party", "mobilekit", "converters", "android_bench"]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """A copy, so that Bazel leaves nothing in the checkout."""
    folder = tmp_path_factory.mktemp("bazel") / "mobilekit"
    folder.mkdir()
    for name in TRACKED:
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, folder / name)
    yield folder
    subprocess.run(["bazel", "shutdown"], cwd=folder, check=True, capture_output=True)


def bazel(workspace, *words):
    done = subprocess.run(
        ["bazel", *words], cwd=workspace, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return done.stdout


def test_every_target_builds_and_every_test_passes_without_a_network(workspace):
    said = bazel(workspace, "test", "//...")
    for source in (ROOT / "android_bench" / "runner").glob("*_test.cc"):
        assert re.search(
            rf"^//android_bench/runner:{source.stem}\s+(\(cached\) )?PASSED", said, re.M
        )
    assert {
        "//mobilekit:mobilekit",
        "//converters:converters",
        "//android_bench:android_bench",
        "//android_bench/runner:mobilekit_runner",
    } <= set(bazel(workspace, "query", "//...").split())


def test_the_command_line_runs(workspace):
    bazel(workspace, "build", "//mobilekit:mobilekit_cli")
    # The binary starts the python3 of PATH, and finds third-party packages there.
    here = Path(sys.executable).parent
    shown = subprocess.run(
        [workspace / "bazel-bin/mobilekit/mobilekit_cli", "list", "recipes"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": f"{here}:{os.environ['PATH']}"},
    )
    assert "static_wi8_ai8" in shown.stdout, shown.stderr


def test_the_runner_opens_the_installed_library(workspace):
    bazel(workspace, "build", "//android_bench/runner")
    program = workspace / "bazel-bin/android_bench/runner/mobilekit_runner"
    library = find_library()
    words = ["--probe", "--library", library.path, "--library-version", library.version]
    shown = subprocess.run([program, *words], capture_output=True, text=True, check=False)
    assert json.loads(shown.stdout)["error"] is None


def test_the_runner_is_built_for_boards_of_64_bit_arm(workspace):
    bazel(workspace, "build", "--config=linux_arm64", "//android_bench/runner")
    program = workspace / "bazel-bin/android_bench/runner/mobilekit_runner"
    assert abi_of(program) == "aarch64"
    head = program.read_bytes()[:18]
    assert int.from_bytes(head[16:18], "little") == 3  # ET_DYN: position-independent
