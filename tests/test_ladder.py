"""The rescue ladder: it climbs no further than it must, and says what it cannot show."""

import dataclasses
import json
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from converters.fidelity import FileRunner
from converters.foreign_float import as_float_file
from converters.tflite_reader import read_model
from converters.writer import read_sidecar
from mobilekit.cli import main
from mobilekit.core.errors import UsageError
from mobilekit.core.measurement import RunConfig
from mobilekit.core.preprocessing import Preprocessing
from mobilekit.images import image_set, read_labels
from mobilekit.intervals import ALPHA
from mobilekit.ladder.climb import climb_ladder
from mobilekit.ladder.climber import Climber
from mobilekit.ladder.judging import Judge, bound_of, images_to_show
from mobilekit.ladder.parts import parts_of
from mobilekit.ladder.records import AGREEMENT, TOP1, Budget, Climb, Reached, RungLatency, Verdict
from mobilekit.ladder.rungs import RUNGS, Options, wanted_rungs
from mobilekit.samples import ArraySet, sample_set
from mobilekit.sources import network_of_file
from tests import tiny_models

pytestmark = pytest.mark.needs_tensorflow  # the quantizer comes with it

ROOT = Path(__file__).parent.parent
FLOAT_FILE = as_float_file(tiny_models.tiny_float(), "tiny.tflite")
EXPECTS = Preprocessing(input_size=(8, 8), resize_shorter=8, std=(42.5,) * 3)
AUTO = ["--recipe", "auto", "--max-drop", "1", "--calibration", "c"]
PREPARED = ["--mean", "0", "--std", "42.5", "--crop", "8", "--resize", "8"]


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """A float model, photographs to calibrate and to judge on, and labels by the float model."""
    folder = tmp_path_factory.mktemp("ladder")
    (folder / "net.tflite").write_bytes(tiny_models.tiny_float())
    random = np.random.default_rng(0)
    for part, count in (("calibration", 24), ("judged", 60)):
        (folder / part).mkdir()
        for number in range(count):
            pixels = random.integers(0, 256, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / part / f"{number:03}.png")
    runner = FileRunner(FLOAT_FILE)
    paths = image_set(folder / "judged").paths
    values = (np.asarray(Image.open(path), np.float32)[np.newaxis] / 42.5 for path in paths)
    answers = runner.run(values).argmax(axis=1)
    lines = [f"{path.name} {answer}" for path, answer in zip(paths, answers, strict=True)]
    (folder / "labels.txt").write_text("\n".join(lines))
    return folder


def climbed(scene, output, **options) -> Climb:
    wanted = {"max_drop": 12.0, "calibration": scene / "calibration", "devices": (), **options}
    return climb_ladder(scene / "net.tflite", output, preprocessing=EXPECTS, **wanted)


def test_the_first_rung_that_holds_is_written_and_ends_the_climb(scene, tmp_path):
    output = tmp_path / "out.tflite"
    climb = climbed(scene, output, images=scene / "judged", labels=scene / "labels.txt")
    assert climb.chosen == "minmax"
    assert [each.rung for each in climb.rungs] == ["float32", "minmax"]
    float32, minmax = (each.verdict for each in climb.rungs)
    assert float32.right == float32.images == 60  # the labels are its own answers
    assert minmax.measure == TOP1
    assert minmax.bound <= 12 < 100 * bound_of(3, 0, 60, climb.error, TOP1)
    assert read_sidecar(output).sha256 == climb.rungs[1].sha256
    assert read_model(output.read_bytes(), "out").main.operators
    assert climb.sentence.endswith("is shown of minmax, on 60 images.")


def test_noise_that_methods_leave_is_taken_away_by_float_layers(scene, tmp_path):
    output = tmp_path / "out.tflite"
    climb = climbed(scene, output, images=scene / "judged", min_snr_db=46.0)
    names = [each.rung for each in climb.rungs]
    assert names == ["float32", *RUNGS][: len(names)]
    assert climb.chosen == names[-1] != "minmax"
    chosen = climb.rungs[-1]
    assert chosen.kept_float
    assert chosen.verdict.snr_bound_db >= 46 > climb.rungs[1].verdict.snr_bound_db
    assert all(not each.verdict.holds for each in climb.rungs[1:-1])
    assert read_sidecar(output).recipe == chosen.recipe
    assert chosen.methods == climb.rungs[names.index("high")].methods  # those the int8 layers keep


def test_what_cannot_be_shown_leaves_no_file_and_says_how_many_images_would(scene, tmp_path):
    output = tmp_path / "out.tflite"
    said = []
    climb = climbed(scene, output, max_drop=0.5, options=Options(int16=True), say=said.append)
    assert climb.chosen is None
    assert not list(tmp_path.iterdir())
    assert [each.rung for each in climb.rungs[1:]] == [r for r in RUNGS if r != "trained"]
    assert climb.images == 12  # half of the calibration images made no file
    assert "cannot be shown with 12 images" in climb.sentence
    best = climb.best.verdict
    assert best.measure == AGREEMENT
    wanted = climb.wanted_images
    assert f"about {wanted:,} images would show it" in climb.sentence
    assert best.lost == 0
    assert wanted == math.ceil(math.log(climb.error) / math.log(1 - 0.005))
    assert any("12 images cannot show" in sentence for sentence in said)


def test_rungs_share_the_chance_of_an_error():
    for options in (Options(), Options(int16=True), Options(int16=True, trainer=lambda _: b"")):
        rungs = wanted_rungs(options)
        assert len(rungs) * (ALPHA / len(rungs)) <= ALPHA + 1e-12
    assert [rung.name for rung in wanted_rungs(Options(trainer=lambda _: b""))][-1] == "trained"
    assert "int16" not in [rung.name for rung in wanted_rungs(Options())]


def test_training_gets_images_that_judge_nothing_and_its_file_is_judged(scene, tmp_path):
    seen = {}

    def train(training):
        from converters.calibration import calibrate
        from converters.convert import derive

        seen["trained"] = [values.tobytes() for values, _ in training.labelled()]
        seen["classes"] = [label for _, label in training.labelled()]
        ranges = calibrate(FLOAT_FILE, [values * 1.1 for values in training.calibration()])
        made = derive(FLOAT_FILE, training.recipe, ranges=ranges, preprocessing=EXPECTS)
        seen["content"] = made
        return made

    images = image_set(scene / "judged")
    parts = parts_of(sample_set(scene / "calibration"), images, lambda _: None, training=True)
    assert not {*parts.training.paths} & {*parts.judged.paths}
    climber = Climber(
        network_of_file(scene / "net.tflite", EXPECTS),
        parts,
        read_labels(scene / "labels.txt", images),
        Budget(max_drop=0.1),
        Options(trainer=train),
        tmp_path,
        lambda _: None,
    )
    *_, trained = climber.climb()
    assert trained.rung == "trained"
    assert trained.verdict.images == len(set(seen["trained"])) == 30
    assert max(seen["classes"]) < tiny_models.CLASSES
    assert climber.files["trained"].path.read_bytes() == seen["content"]


def test_training_needs_labels_and_a_keras_model(scene, tmp_path):
    output, options = tmp_path / "out.tflite", Options(trainer=lambda _: b"")
    with pytest.raises(UsageError, match="needs labelled images"):
        climbed(scene, output, images=scene / "judged", options=options)
    labelled = {"images": scene / "judged", "labels": scene / "labels.txt"}
    with pytest.raises(UsageError, match="training needs the Keras model"):
        climbed(scene, output, options=options, **labelled)


@pytest.fixture(scope="module", autouse=True)
def few(scene):
    (scene / "few").mkdir()
    for path in sorted((scene / "calibration").iterdir())[:8]:
        (scene / "few" / path.name).write_bytes(path.read_bytes())


def test_images_that_files_are_made_from_judge_nothing(scene, tmp_path):
    both = tmp_path / "both"
    both.mkdir()
    for number, path in enumerate([*(scene / "few").iterdir(), *(scene / "judged").iterdir()]):
        (both / f"{number}.png").write_bytes(path.read_bytes())
        (both / f"{number}-again.png").write_bytes(path.read_bytes())
    said = []
    parts = parts_of(sample_set(scene / "few"), sample_set(both), said.append)
    assert len(parts.judged.paths) == 60
    assert said == ["76 of 136 images are calibration images or equal to another, and are left out"]
    with pytest.raises(UsageError, match="cannot judge them"):
        parts_of(sample_set(scene / "few"), sample_set(scene / "few"), said.append)


def test_arrays_are_split_without_one_in_common(tmp_path):
    path = tmp_path / "arrays.npz"
    np.savez(path, np.arange(10, dtype=np.float32).reshape(10, 1))
    parts = parts_of(ArraySet(path=path), None, lambda _: None)
    found = [
        [float(values[0, 0]) for [values] in part.read([(1, 1)])]
        for part in (parts.calibration, parts.judged, parts.judged.every(2, 1))
    ]
    assert found == [[0, 2, 4, 6, 8], [1, 3, 5, 7, 9], [3, 7]]
    assert (
        len({part.sha256 for part in (ArraySet(path=path), parts.calibration, parts.judged)}) == 3
    )
    with pytest.raises(UsageError, match="is the file of --calibration"):
        parts_of(ArraySet(path=path), ArraySet(path=path), lambda _: None)


def test_pictures_that_cannot_be_read_are_counted_out_aloud(scene, tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    for path in sorted((scene / "judged").iterdir())[:20]:
        (images / path.name).write_bytes(path.read_bytes())
    (images / "broken.png").write_bytes(b"no picture")
    said = []
    climb = climbed(scene, tmp_path / "out.tflite", images=images, max_drop=30.0, say=said.append)
    assert climb.images == 20
    assert f"warning: 1 picture of {images} cannot be read, and judge nothing" in said


def test_devices_are_looked_for_before_anything_is_made(scene, tmp_path):
    said = []
    with pytest.raises(UsageError, match="host"):
        climbed(scene, tmp_path / "out.tflite", devices=("hots",), say=said.append)
    assert said == []


def test_a_measurement_that_fails_costs_the_climb_only_its_numbers(scene, tmp_path):
    output = tmp_path / "out.tflite"
    nowhere = RunConfig(repetitions=1, num_runs=1, affinity="0x80000000000000000000000000000000")
    climb = climbed(scene, output, images=scene / "judged", devices=("host",), config=nowhere)
    assert climb.chosen == "minmax"
    assert output.exists()
    assert "0x8" in climb.unmeasured
    assert all(not each.latencies or each.latencies[0].median_us is None for each in climb.rungs)


def judge(labels, count=80):
    random = np.random.default_rng(3)
    values = [random.uniform(0, 6, tiny_models.IMAGE).astype(np.float32) for _ in range(count)]
    names = [str(number) for number in range(count)]
    known = None if labels is None else dict(zip(names, labels, strict=True))
    return Judge(lambda: zip(names, values, strict=True), known, FLOAT_FILE, 0.01)


def test_losses_are_counted_against_the_labels_that_the_float_model_has_right():
    broken = tiny_models.unpack(FLOAT_FILE)
    graph = broken.subgraphs[0]
    bias = graph.operators[-1].inputs[2]
    values = np.zeros(tiny_models.CLASSES, np.float32)
    values[7] = 1000  # it answers 7 whatever it sees
    broken.buffers[graph.tensors[bias].buffer].data = np.frombuffer(values.tobytes(), np.uint8)
    content = tiny_models.pack(broken)
    answers = judge(None)._wanted.argmax(axis=1)
    labels = np.where(np.arange(80) < 50, answers, 7)  # the float model has 50 or more right
    sevens, right = int((labels == 7).sum()), int((labels == answers).sum())
    verdict = judge(labels.tolist()).verdict(content, Budget(max_drop=40))
    assert verdict.right == sevens
    assert verdict.lost - verdict.gained == right - sevens
    assert verdict.gained == int(((labels == 7) & (answers != 7)).sum()) > 0
    assert not verdict.holds
    assert images_to_show(replace(verdict, drop=51.0), Budget(max_drop=50), 0.01) is None


def test_labels_of_another_model_and_no_images_are_refused():
    with pytest.raises(UsageError, match="labels are of another model"):
        judge([tiny_models.CLASSES] * 80)
    with pytest.raises(UsageError, match="No image is left"):
        judge(None, count=0)


@pytest.mark.parametrize("max_drop", [0, -1, 100, math.nan])
def test_budgets_that_nothing_can_show_are_refused(max_drop):
    with pytest.raises(UsageError, match="--max-drop takes points above 0"):
        Budget(max_drop=max_drop)


def test_all_files_of_a_climb_are_measured_together(scene, tmp_path):
    once = RunConfig(repetitions=1, num_runs=1, warmup_runs=0, min_secs=0, cooling="none")
    climb = climbed(
        scene, tmp_path / "out.tflite", images=scene / "judged", devices=("host",), config=once
    )
    assert climb.unmeasured is None
    for each in climb.rungs:
        [latency] = each.latencies
        assert latency.median_us > 0
        assert latency.low_us is None  # of one start
        assert not latency.simulated


def command(scene, output, *more):
    model, calibration = scene / "net.tflite", scene / "calibration"
    words = ["convert", model, "--recipe", "auto", "--calibration", calibration, "-o", output]
    return main([str(word) for word in (*words, *PREPARED, *more)])


def test_the_command_prints_every_rung_and_where_the_file_is(scene, tmp_path, capsys):
    output = tmp_path / "out.tflite"
    judged = ("--images", scene / "judged", "--max-drop", "12", "--no-latency")
    assert command(scene, output, *judged) == 0
    text = capsys.readouterr().out
    assert "60 of 60" in text
    assert "static_wi8_ai8" in text
    assert f"{output}: A loss of at most 12 points of agreement" in " ".join(text.split())
    assert command(scene, output, *judged, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["chosen"] == "minmax"
    assert document["rungs"][1]["verdict"]["holds"] is True
    assert document["unmeasured"] == "No device was named to measure on."


def test_a_rung_without_a_file_is_told_and_nothing_shown_exits_1(scene, tmp_path, capsys):
    output = tmp_path / "out.tflite"
    output.write_text("what was there")
    few = ("--calibration", scene / "few", "--max-drop", "0.5", "--no-latency")
    assert command(scene, output, *few) == 1
    found = capsys.readouterr()
    assert "cannot be shown with 4 images" in found.err.splitlines()[-1]
    text = " ".join(found.out.split())
    assert "fast: no file: The file is that of minmax." in text  # 4 images hold none out
    assert "mixed_90 4 of 4" in text
    assert output.read_text() == "what was there"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--recipe", "auto"], "--recipe auto needs --max-drop"),
        (AUTO[:4], "--recipe auto needs --calibration"),
        (["--recipe", "float32", "--max-drop", "1"], "--max-drop belongs to --recipe auto"),
        (["--recipe", "float32", "--allow-int16"], "--allow-int16 belongs to --recipe auto"),
        (["--recipe", "float32", "--allow-training"], "--allow-training belongs to --recipe auto"),
        (["--recipe", "auto", "--keep-float", "x"], "--keep-float belongs to a recipe that is"),
        (["--recipe", "auto", "--quantizer", "tflite"], "this kit's own quantizer alone"),
        (
            [*AUTO, "--labels", "l"],
            "There is no file|does not exist|give their folder with --images",
        ),
        (
            [*AUTO, "--no-latency", "--device", "host"],
            "contradict",
        ),
    ],
)
def test_options_that_would_be_ignored_or_are_missing_are_refused(
    words, sentence, scene, tmp_path, capsys
):
    output = tmp_path / "out.tflite"
    assert main(["convert", str(scene / "net.tflite"), "-o", str(output), *words]) == 2
    assert re.search(sentence, capsys.readouterr().err.splitlines()[-1])


def test_a_named_recipe_prints_json_too(scene, tmp_path, capsys):
    output = tmp_path / "float.tflite"
    words = ["convert", scene / "net.tflite", "--recipe", "float32", "-o", output, "--json"]
    assert main([str(word) for word in (*words, *PREPARED)]) == 0
    assert json.loads(capsys.readouterr().out)["recipe"] == "float32"


def test_every_rung_is_in_the_docs():
    page = (ROOT / "docs" / "ladder.md").read_text()
    assert [name for name in RUNGS if f"`{name}`" not in page] == []


@pytest.mark.parametrize("record", [Budget, Verdict, RungLatency, Reached, Climb])
def test_every_key_of_a_climb_is_documented(record):
    page = (ROOT / "docs" / "formats.md").read_text()
    section = page.partition("## Climbs")[2].partition("\n## ")[0]
    missing = [
        f.name for f in dataclasses.fields(record) if not re.search(rf"\b{f.name}\b", section)
    ]
    assert missing == []
