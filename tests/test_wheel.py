"""The wheel holds the three packages and their data, and nothing else."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("android_bench", "converters", "mobilekit")


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    """Members of a wheel that was built from a copy of the sources."""
    source = tmp_path_factory.mktemp("wheel") / "source"
    ignore = shutil.ignore_patterns("__pycache__")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, source / package, ignore=ignore)
    for file in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, source)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", "out"]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = (source / "out").glob("*.whl")
    return set(zipfile.ZipFile(wheel).namelist())


def test_its_top_level_is_the_three_packages(names):
    top = {name.partition("/")[0] for name in names}
    assert {name for name in top if not name.endswith(".dist-info")} == set(PACKAGES)


def test_every_module_is_in_it(names):
    modules = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
    }
    assert {name for name in names if name.endswith(".py")} == modules


def test_the_reports_templates_and_the_types_marker_are_in_it(names):
    templates = {f"mobilekit/templates/{p.name}" for p in (ROOT / "mobilekit/templates").iterdir()}
    assert templates | {"mobilekit/py.typed"} <= names


def test_the_rules_of_the_delegates_are_in_it(names):
    rules = {
        f"converters/delegates/{p.name}" for p in (ROOT / "converters/delegates").glob("*.json")
    }
    assert len(rules) == 10
    assert rules <= names


def test_the_licence_is_in_it(names):
    assert any(name.endswith("/LICENSE") for name in names)
