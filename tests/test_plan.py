# ruff: noqa: E501 - one row a mistake
"""Plans say what to do; whatever does not exist is named with its place and the nearest name."""

from pathlib import Path

import pytest

from mobilekit.core.errors import UsageError
from mobilekit.plan import read_plan

ROOT = Path(__file__).parent.parent
GOOD = """\
schema = 1
[[models]]
architecture = "mobilenet_v2"
[convert]
recipes = ["float32", "static_wi8_ai8"]
[calibration]
images = "photos"
[[measure]]
num_threads = [1, 2]
"""


def plan(tmp_path: Path, text: str):
    path = tmp_path / "plan.toml"
    path.write_text(text)
    return read_plan(path)


def test_the_quickstart_is_the_plan_of_the_formats():
    quickstart = read_plan(ROOT / "examples" / "quickstart.toml")
    assert quickstart.models[0].weights == "torchvision"
    assert [c.num_threads for c in quickstart.measure[0].configs()] == [1, 2]
    assert Path(quickstart.output.dir).resolve() == ROOT / "results"
    assert quickstart.calibration is not None
    assert Path(quickstart.calibration.images).resolve() == ROOT / "build/data/calibration"


def test_lists_multiply(tmp_path):
    found = plan(tmp_path, GOOD + 'delegate = ["xnnpack", "xnnpack"]\n')
    settings = [(c.delegate, c.num_threads) for c in found.measure[0].configs()]
    assert settings == [("xnnpack", 1), ("xnnpack", 2)] * 2


def test_a_device_may_have_an_address(tmp_path):
    assert plan(tmp_path, GOOD + 'device = "ssh:pi@board"\n').measure[0].device == "ssh:pi@board"


def test_paths_are_relative_to_the_plan(tmp_path):
    found = plan(tmp_path, GOOD + '[output]\ndir = "/abs"\n')
    assert found.calibration.images == str(tmp_path / "photos")
    assert found.output.dir == "/abs"


def test_a_weights_file_is_a_path_and_a_source_is_not(tmp_path):
    text = GOOD.replace('"mobilenet_v2"\n', '"mobilenet_v2"\nweights = "net.pth"\n')
    assert plan(tmp_path, text).models[0].weights == str(tmp_path / "net.pth")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("schema = 1", "schema = 2"), "schema 2 is not known"),
        (("schema = 1\n", ""), "schema: this key is missing"),
        (("architecture", "architektur"), "models[0].architektur: this key does not exist. Did you mean 'architecture'?"),
        (("mobilenet_v2", "mobilenet_v22"), "models[0].architecture: unknown architecture 'mobilenet_v22'. Did you mean 'mobilenet_v2'?"),
        (("static_wi8_ai8", "static_w8_a8"), "convert.recipes[1]: unknown recipe 'static_w8_a8'. Did you mean 'static_wi8_ai8'?"),
        (('"mobilenet_v2"', '"mobilenet_v2"\nweights = "torchvison"'), "models[0].weights: unknown weights of mobilenet_v2 'torchvison'. Did you mean 'torchvision'?"),
        (("[[measure]]", '[[measure]]\ndevice = "hst"'), "measure[0].device: unknown device kind 'hst'. Did you mean 'host'?"),
        (("[[measure]]", '[[measure]]\ndevice = "ssh"'), "measure[0].device: Device 'ssh' needs an address, as in ssh:user@board."),
        (("[[measure]]", '[[measure]]\ndelegate = "xnpack"'), "measure[0].delegate: unknown delegate 'xnpack'. Did you mean 'xnnpack'?"),
        (("[convert]", '[convert]\ntarget = "nnapi@3"'), "convert.target: unknown variant of nnapi '3'."),
        (("[1, 2]", '"two"'), "measure[0].num_threads: a whole number is needed, not 'two'"),
        (("[1, 2]", "[1, 0]"), "measure[0]: num_threads must be 1..256, not 0"),
        (('architecture = "mobilenet_v2"', ""), "models[0]: give either `architecture` or `file`"),
        (('architecture = "mobilenet_v2"', 'file = "net.onnx"'), "is neither a .keras nor a .tflite file"),
        (("[[measure]]", '[compare]\nbaseline = { recipes = "float32" }\n[[measure]]'), "compare.baseline: unknown key 'recipes'. Did you mean 'recipe'?"),
        (('[calibration]\nimages = "photos"\n', ""), "a static recipe needs to see images"),
        (("[convert]", "[convert"), "is not a plan that can be read"),
        (("[convert]", '[convert]\ntarget = "ethosu@u55-128"'), "convert.target: files are made for xnnpack alone yet"),
        (("[[measure]]", '[[measure]]\ndelegate = "gpu"'), "measure[0].delegate: runner litert_python, which measures on host, cannot apply 'gpu'"),
        (("[[measure]]", '[[measure]]\noptions = { fp61 = "true" }'), "measure[0].options: Delegate 'xnnpack' has no option 'fp61'; it has fp16, weight_cache"),
        (("[[measure]]", '[[measure]]\noptions = { fp16 = "1" }'), "measure[0].options: Option 'fp16' of delegate 'xnnpack' takes true, not '1'"),
        (("[[measure]]", '[[measure]]\nshapes = { image = "1x8" }'), "measure[0]: the shape of 'image' must be like 1,192,192,3"),
        (("[1, 2]", "[]"), "measure[0]: an empty list measures nothing"),
        (('["float32", "static_wi8_ai8"]', "[]"), "`convert.recipes` is empty"),
        (('"static_wi8_ai8"', '"float32"'), "`convert.recipes` names a recipe twice"),
        (("[[models]]\narchitecture = \"mobilenet_v2\"", "models = []"), "`models` is empty"),
        (('architecture = "mobilenet_v2"', 'file = "net.keras"\nalpha = 0.5'), "`alpha` is an option of `architecture`, not of `file`"),
        (("[[measure]]", '[compare]\nbaseline = { recipe = "float23" }\n[[measure]]'), "compare.baseline.recipe: unknown recipe 'float23'. Did you mean 'float32'?"),
        (("[[measure]]", "[[measure]]\nrepetitions = 3\n[[measure]]"), "need the same `repetitions`"),
    ],
)  # fmt: skip
def test_what_does_not_exist_is_named_with_its_place(tmp_path, change, sentence):
    with pytest.raises(UsageError) as caught:
        plan(tmp_path, GOOD.replace(*change))
    assert sentence in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / "plan.toml"))


def test_a_missing_plan_and_a_binary_one_are_refused(tmp_path):
    with pytest.raises(UsageError, match="There is no plan"):
        read_plan(tmp_path / "none.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="is not a plan that can be read"):
        read_plan(tmp_path / "binary.toml")
