"""The table of operator versions says what the runtimes say of themselves."""

import importlib.util
import sys
from pathlib import Path

import pytest

from converters.operator_versions import RUNTIMES, VERSIONS
from converters.tflite_schema import names_of
from mobilekit.core.errors import UnknownNameError
from tests import tiny_models

ROOT = Path(__file__).parent.parent
LEGACY = ROOT / ".venv-legacy" / "bin" / "python"


def asked(python):
    """What a runtime has, by the script that made the table."""
    place = ROOT / "benchmarks" / "operator_versions.py"
    spec = importlib.util.spec_from_file_location("operator_versions_script", place)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    runtime, version, found = script.highest_versions(python)
    rows = {operator: found.get(operator, 0) for operator in script.operators()}
    return f"{runtime} {version}", rows


def test_the_newest_column_is_the_litert_that_is_installed():
    package, rows = asked(Path(sys.executable))
    assert package == RUNTIMES["litert-2.3"].package
    assert rows == VERSIONS["litert-2.3"]


@pytest.mark.needs_legacy
def test_the_oldest_column_is_tflite_runtime_2_14():
    package, rows = asked(LEGACY)
    assert package == RUNTIMES["2.14"].package
    assert rows == VERSIONS["2.14"]


def test_every_runtime_has_a_row_for_every_operator():
    builtin = set(names_of("BuiltinOperator").values())
    others = {"CUSTOM", "DELEGATE", "PLACEHOLDER_FOR_GREATER_OP_CODES"}
    for name, column in VERSIONS.items():
        assert name in RUNTIMES
        assert set(column) == builtin - others


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_runtimes_refuse_dynamic_dense_layers_until_they_know_version_12(runtime):
    from converters.tflite_reader import read_model
    from converters.verify import verify

    graph = read_model(tiny_models.tiny_dynamic(), "dynamic.tflite")
    problems = verify(graph, runtime=runtime, allocate=False).problems
    if runtime != "2.14":
        assert problems == ()
        return
    [problem] = problems
    assert "(FULLY_CONNECTED" in problem.sentence
    assert "has version 12, and tflite-runtime 2.14.0 goes up to version 10 of it" in (
        problem.sentence
    )


def test_an_unknown_runtime_is_refused_with_the_nearest():
    from converters.tflite_reader import read_model
    from converters.verify import verify

    graph = read_model(tiny_models.tiny_float(), "float.tflite")
    with pytest.raises(UnknownNameError, match=r"'litert-2\.2'\. Did you mean 'litert-2"):
        verify(graph, runtime="litert-2.2", allocate=False)


def test_an_operator_that_a_runtime_lacks_is_told_as_missing():
    from ai_edge_litert import schema_py_generated as schema

    from converters.tflite_reader import read_model
    from converters.verify import verify

    net = tiny_models.Network()
    image = net.tensor("image", (1, 4))
    output = net.tensor("output", (1, 4))
    net.operator("STABLEHLO_ADD", [image, image], [output], schema.StablehloConcatenateOptionsT())
    graph = read_model(net.finish([image], [output]), "new.tflite")
    [problem] = verify(graph, runtime="2.14", allocate=False).problems
    assert "tflite-runtime 2.14.0 does not have it" in problem.sentence
