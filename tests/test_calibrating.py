"""Calibration of any length: in constant memory, with progress, stopped and resumed."""

import dataclasses
import gc
import itertools
import json
import weakref

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from PIL import Image

from converters.calibration import Calibration, calibrate
from converters.foreign_float import as_float_file
from mobilekit.calibrating import PORTION, Calibrating, Inputs
from mobilekit.core.errors import UsageError
from tests import tiny_models

pytestmark = pytest.mark.needs_tensorflow  # the extra [convert]

FLOAT_FILE = as_float_file(tiny_models.tiny_float(), "tiny.tflite")
COUNT = 5 * PORTION
STATES = ".mobilekit-calibration-*.json"


def image(seed):
    random = np.random.default_rng(seed)
    return random.uniform(-1, 1, tiny_models.IMAGE).astype(np.float32) * (1 + seed)


def inputs(count=COUNT, stop_at=None, broken=(), asked=None):
    """A set of `count`; reading `stop_at` is where a person presses Ctrl-C."""

    def entries(skip):
        if asked is not None:
            asked.append(skip)
        for seed in range(skip, count):
            if seed == stop_at:
                raise KeyboardInterrupt
            yield None if seed in broken else (image(seed),)

    return Inputs(identity="a set", entries=entries, total=count)


def calibrating(folder, said=None, every_s=60.0):
    return Calibrating(folder, (said if said is not None else []).append, every_s)


def stopped(folder, at, **options):
    said = []
    with pytest.raises(KeyboardInterrupt):
        calibrating(folder, said).ranges(FLOAT_FILE, inputs(stop_at=at, **options))
    return said


@pytest.fixture(scope="module")
def whole():
    return calibrate(FLOAT_FILE, [image(seed) for seed in range(COUNT)])


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_ranges_do_not_depend_on_the_threads(whole, threads):
    assert calibrate(FLOAT_FILE, map(image, range(COUNT)), num_threads=threads) == whole


def test_the_ranges_are_those_of_every_tensor_that_the_runtime_keeps():
    samples = [image(seed) for seed in range(6)]
    runtime = Interpreter(
        model_content=FLOAT_FILE,
        experimental_preserve_all_tensors=True,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    runtime.allocate_tensors()
    seen = {}
    for values in samples:
        runtime.set_tensor(runtime.get_input_details()[0]["index"], values)
        runtime.invoke()
        for detail in runtime.get_tensor_details():
            if detail["name"] in calibrated(samples):
                seen.setdefault(detail["name"], []).append(runtime.get_tensor(detail["index"]))
    assert seen.keys() == calibrated(samples).keys()
    for name, (low, high) in calibrated(samples).items():
        values = np.stack(seen[name])
        assert high == pytest.approx(values.max(), rel=1e-5)
        # Behind a ReLU the least value is taken as 0, which every scale holds.
        assert low == pytest.approx(values.min(), rel=1e-5) or 0 == low <= values.min()


def calibrated(samples):
    return calibrate(FLOAT_FILE, samples).by_tensor


@pytest.mark.parametrize("at", [PORTION, PORTION + 5, 3 * PORTION, COUNT - 1])
def test_a_stopped_calibration_goes_on_and_sees_the_same(whole, tmp_path, at):
    said, asked = stopped(tmp_path, at), []
    done = at // PORTION * PORTION
    assert said[-1] == f"calibration stopped after {done} samples, which are kept"
    again = []
    finished = calibrating(tmp_path, again).ranges(FLOAT_FILE, inputs(asked=asked))
    assert (finished, asked) == (whole, [done])
    assert again == [f"calibration goes on after {done} of {COUNT} samples that are done already"]


def test_what_cannot_be_read_is_not_read_again_after_a_stop(tmp_path):
    broken, asked = {1, 2, PORTION + 1}, []
    stopped(tmp_path, 2 * PORTION + 1, broken=broken)
    finished = calibrating(tmp_path).ranges(FLOAT_FILE, inputs(broken=broken, asked=asked))
    assert asked == [2 * PORTION]
    readable = [image(seed) for seed in range(COUNT) if seed not in broken]
    assert finished == calibrate(FLOAT_FILE, readable)


def test_a_calibration_may_be_stopped_again_and_again(whole, tmp_path):
    for at in range(PORTION, COUNT, PORTION):
        stopped(tmp_path, at + 1)
    assert calibrating(tmp_path).ranges(FLOAT_FILE, inputs()) == whole


def test_a_kill_loses_no_more_than_what_was_not_saved_yet(whole, tmp_path):
    class Killed(BaseException):
        """Nothing is written after it, as after SIGKILL."""

    def entries(skip):
        for seed in range(skip, COUNT):
            if seed == 3 * PORTION:
                raise Killed
            yield (image(seed),)

    with pytest.raises(Killed):
        calibrating(tmp_path, every_s=0).ranges(
            FLOAT_FILE, Inputs(identity="a set", entries=entries, total=COUNT)
        )
    asked = []
    assert calibrating(tmp_path).ranges(FLOAT_FILE, inputs(asked=asked)) == whole
    assert asked == [3 * PORTION]


OTHERS = {
    "another set": (lambda given: dataclasses.replace(given, identity="another"), FLOAT_FILE),
    "another file": (
        lambda given: given,
        as_float_file(tiny_models.tiny_float(weights="float16"), "other.tflite"),
    ),
}


@pytest.mark.parametrize("other", OTHERS)
def test_the_state_of_something_else_is_left_alone(tmp_path, other):
    change, content = OTHERS[other]
    stopped(tmp_path, 2 * PORTION)
    asked = []
    calibrating(tmp_path).ranges(content, change(inputs(asked=asked)))
    assert asked == [0]
    assert len(list(tmp_path.glob(STATES))) == 1


@pytest.mark.parametrize(
    "damage",
    [
        lambda state: "",
        lambda state: "[1, 2",
        lambda state: json.dumps({**state, "low": state["low"][1:]}),
        lambda state: json.dumps({**state, "high": ["x"] * len(state["high"])}),
        lambda state: json.dumps({key: state[key] for key in ("entries", "samples")}),
        lambda state: json.dumps({**state, "entries": -3}),
        lambda state: json.dumps({**state, "entries": COUNT * 2}),
        lambda state: json.dumps({**state, "samples": 0}),
    ],
)
def test_a_damaged_state_is_said_and_not_used(whole, tmp_path, damage):
    stopped(tmp_path, 2 * PORTION)
    [path] = tmp_path.glob(STATES)
    path.write_text(damage(json.loads(path.read_text())))
    said, asked = [], []
    finished = calibrating(tmp_path, said).ranges(FLOAT_FILE, inputs(asked=asked))
    assert (finished, asked) == (whole, [0])
    assert said[0].startswith("warning: ")
    assert "it starts anew" in said[0]


def test_a_quick_calibration_leaves_nothing_and_says_nothing(tmp_path):
    said = []
    calibrating(tmp_path, said).ranges(FLOAT_FILE, inputs())
    assert (list(tmp_path.iterdir()), said) == ([], [])


def test_a_long_one_says_how_far_it_is_and_its_state_can_be_forgotten(tmp_path):
    said = []
    its = calibrating(tmp_path, said, every_s=0)
    its.ranges(FLOAT_FILE, inputs())
    assert said[0].startswith(f"calibrating: {PORTION} of {COUNT} samples, about ")
    assert len(list(tmp_path.glob(STATES))) == 1
    its.forget()
    assert list(tmp_path.iterdir()) == []


def test_without_a_readable_sample_there_is_no_range(tmp_path):
    with pytest.raises(UsageError, match="needs at least one image"):
        calibrating(tmp_path).ranges(FLOAT_FILE, inputs(count=3, broken={0, 1, 2}))


def test_ten_thousand_samples_take_the_memory_of_a_few():
    alive, most = 0, 0

    def gone():
        nonlocal alive
        alive -= 1

    def samples():
        nonlocal alive, most
        for seed in range(10_000):
            values = np.full(tiny_models.IMAGE, seed, np.float32)
            alive += 1
            most = max(most, alive)
            weakref.finalize(values, gone)
            yield values
            del values

    gc.collect()
    ranges = calibrate(FLOAT_FILE, samples(), num_threads=2)
    assert ranges.samples == 10_000
    assert most <= 6


def test_a_calibration_takes_portions():
    calibration = Calibration(FLOAT_FILE)
    for some in itertools.pairwise([0, 3, 3, 8]):
        calibration.see(image(seed) for seed in range(*some))
    assert calibration.ranges() == calibrate(FLOAT_FILE, map(image, range(8)))


def test_a_stopped_conversion_goes_on_and_writes_the_same_bytes(tmp_path):
    from mobilekit.core.preprocessing import Preprocessing
    from mobilekit.files import convert_file

    source = tmp_path / "float.tflite"
    source.write_bytes(tiny_models.tiny_float())
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    height, width = tiny_models.IMAGE[1:3]
    random = np.random.default_rng(0)
    for index in range(2 * PORTION):
        pixels = random.integers(0, 256, (height, width, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(pictures / f"{index:03}.png")
    (pictures / "050.png").write_bytes(b"broken")
    expects = Preprocessing(
        input_size=(height, width), resize_shorter=height, mean=(127.5,) * 3, std=(127.5,) * 3
    )

    def press_ctrl_c(sentence):
        """In the middle of calibration, which is when the broken picture is read."""
        if "left out" in sentence:
            raise KeyboardInterrupt

    def convert(output, say):
        options = {"calibration": pictures, "preprocessing": expects, "method": "minmax"}
        convert_file(source, "static_wi8_ai8", output, say=say, **options)
        return output.read_bytes()

    (tmp_path / "one").mkdir()
    said = []
    with pytest.raises(KeyboardInterrupt):
        convert(tmp_path / "one" / "net.tflite", press_ctrl_c)
    [state] = (tmp_path / "one").iterdir()
    assert state.match(STATES)
    resumed = convert(tmp_path / "one" / "net.tflite", said.append)
    assert any("goes on after 32 of 64" in sentence for sentence in said)
    assert not state.exists()
    assert resumed == convert(tmp_path / "whole.tflite", [].append)
