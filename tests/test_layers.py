"""Imports go down: the arrows of the architecture, and what starts without TensorFlow."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = ("mobilekit", "converters", "android_bench")
HEAVY = {"tensorflow", "keras", "ai_edge_quantizer"}
# Package or module -> the project's modules that it may import.
BELOW = {
    "mobilekit.core": ["mobilekit.core"],
    "converters": ["mobilekit.core", "converters"],
    "android_bench": ["mobilekit.core", "android_bench"],
    "mobilekit.architectures": ["mobilekit.core", "mobilekit.architectures"],
    "mobilekit.weights": ["mobilekit.core", "mobilekit.architectures", "mobilekit.weights"],
}


def sources(name: str) -> list[Path]:
    path = ROOT.joinpath(*name.split("."))
    return sorted(path.rglob("*.py"))


def imports(path: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            found += [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
    return found


def top(module: str) -> str:
    return module.partition(".")[0]


@pytest.mark.parametrize("package", BELOW)
def test_a_package_imports_only_what_lies_below(package):
    assert sources(package)
    wrong = [
        (path.name, module)
        for path in sources(package)
        for module in imports(path)
        if top(module) in PROJECT
        and not any(f"{module}.".startswith(f"{allowed}.") for allowed in BELOW[package])
    ]
    assert wrong == []


def test_the_core_needs_only_the_standard_library():
    used = {top(module) for path in sources("mobilekit.core") for module in imports(path)}
    assert used - {"mobilekit"} <= sys.stdlib_module_names


def test_a_bench_host_needs_no_tensorflow():
    used = {top(module) for path in sources("android_bench") for module in imports(path)}
    assert not used & HEAVY


@pytest.mark.parametrize(
    ("door", "module"),
    [
        ("converters/freeze.py", "tf.lite.TFLiteConverter"),
        ("converters/quantize.py", "from ai_edge_quantizer"),
        ("mobilekit/weights/tensor_pickle.py", "import pickle"),
        ("android_bench/devices/ssh_connection.py", '["ssh", '),
        ("mobilekit/__main__.py", "sys.exit("),
    ],
)
def test_there_is_one_door_each(door, module):
    users = [
        path.relative_to(ROOT).as_posix()
        for package in PROJECT
        for path in sources(package)
        if module in path.read_text() and path.name != "litert_python_program.py"
    ]
    assert users == [door]


def test_nobody_asks_a_shell_to_read_a_command():
    users = [
        path
        for package in PROJECT
        for path in sources(package)
        if "shell=True" in path.read_text() or "os.system" in path.read_text()
    ]
    assert users == []


@pytest.mark.parametrize(
    "command",
    [
        ["--help"],
        ["list", "architectures"],
        ["list", "recipes"],
        ["list", "delegates"],
        ["list", "device-kinds"],
    ],
    ids=" ".join,
)
def test_looking_something_up_loads_nothing_heavy(command):
    code = (
        f"import json, sys; from mobilekit.cli import main; main({command!r});"
        "print(json.dumps(sorted({m.partition('.')[0] for m in sys.modules})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    allowed = {"absl", "mobilekit", "converters", "android_bench", "__main__"}
    sitewide = {"sitecustomize", "usercustomize", "distutils-precedence", "_distutils_hack"}
    others = {
        name
        for name in loaded - sys.stdlib_module_names - allowed - sitewide
        if not name.startswith("__editable__")
    }
    assert others == set()
