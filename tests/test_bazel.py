"""The Bazel build of the Python packages, offline, with the version that Debian has."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.needs_bazel

ROOT = Path(__file__).parent.parent
TRACKED = ["WORKSPACE", "third_party", "mobilekit", "converters", "android_bench"]


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


def test_every_target_builds_without_a_network_and_the_binary_runs(workspace):
    built = subprocess.run(
        ["bazel", "build", "//..."], cwd=workspace, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr[-2000:]
    listed = subprocess.run(
        ["bazel", "query", "//..."], cwd=workspace, capture_output=True, text=True, check=True
    )
    assert {
        "//mobilekit:mobilekit",
        "//converters:converters",
        "//android_bench:android_bench",
    } <= (set(listed.stdout.split()))
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
