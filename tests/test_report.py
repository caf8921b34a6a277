import csv
import dataclasses
import html.parser
import itertools
import json
import re
from dataclasses import replace

import numpy as np
import pytest

from mobilekit.compare import Comparison
from mobilekit.core.accuracy import Accuracy, ImageAnswer
from mobilekit.core.digest import digest
from mobilekit.core.errors import StorageError, UnknownNameError, UsageError
from mobilekit.core.measurement import (
    Kit,
    MeasuredModel,
    Requested,
    Validity,
    Verdict,
)
from mobilekit.core.model import ModelSpec, TFLiteModel
from mobilekit.core.records import to_json
from mobilekit.core.storage import write_json
from mobilekit.formatting import (
    MISSING,
    at_most_percent,
    latency,
    megabytes,
    milliseconds,
    printable,
)
from mobilekit.report import (
    HEADLINE,
    Refused,
    Results,
    answers_table,
    comparisons,
    read_measurement,
    read_results,
    rows,
    terminal_table,
    write_report,
)
from mobilekit.report.caveats import about_caches
from mobilekit.report.columns import raw_values
from mobilekit.report.display import common, label
from tests.sample_results import DEVICE, MEASUREMENT, RUN, run_of

# Name, latency in us with one thread, size, right answers and agreements of 20, SNR.
RECIPES = (
    ("float32", 14_300.0, 14_000_000, 18, 20, 118.2),
    ("dynamic_wi8_afp32", 13_100.0, 3_700_000, 18, 20, 24.1),
    ("static_wi8_ai8", 14_100.0, 3_800_000, 17, 19, 18.7),
)
FILES = ("report.html", "report.md", "report.csv", "report.json")
HOSTILE = '<script>alert("x")</script> $\\frac{ | ` [a](http://x) _'


def sha256_of(recipe):
    return digest(["file", recipe])


def run(recipe, num_threads, block, order, latencies_us):
    return run_of(
        latencies_us,
        model_sha256=sha256_of(recipe),
        requested=Requested(delegate="xnnpack", num_threads=num_threads),
        init_us=21_000.0 + block,
        first_us=16_000.0 + block,
        warmup_us=(15_000.0,) * 10,
        memory=replace(RUN.memory, vm_hwm_bytes=61_200_000 + block),
        block=block,
        order=order,
        started=f"2026-01-01T{block:02d}:{order:02d}:00+00:00",
    )


def measurement(recipe, us, size, num_threads=1, place=0, seed=0, invocations=20):
    rng = np.random.default_rng([seed, place, num_threads])
    median = us / num_threads**0.8
    return replace(
        MEASUREMENT,
        cell=digest([recipe, num_threads, seed])[:16],
        model=MeasuredModel(
            name="mobilenet_v2_1.0_224",
            sha256=sha256_of(recipe),
            size_bytes=size,
            spec=ModelSpec(architecture="mobilenet_v2", weights="torchvision"),
            recipe=recipe,
            recipe_digest=digest(recipe),
            preprocessing=None,
        ),
        device=replace(
            DEVICE,
            model="A CPU at 2.4 GHz",
            os="Debian 12, Linux 6.1",
            build_fingerprint="debian-12/6.1",
            cpu_features=("avx2",),
        ),
        config=replace(MEASUREMENT.config, num_threads=num_threads, num_runs=invocations),
        runs=tuple(
            run(
                recipe,
                num_threads,
                block,
                place,
                median * rng.lognormal(0, 0.02) * rng.lognormal(0.01, 0.02, invocations),
            )
            for block in range(12)
        ),
        created="2026-01-01T12:30:00+00:00",
        command="mobilekit run examples/quickstart.toml",
        kit=Kit(version="0.1.0", commit="0123456789abcdef"),
    )


def accuracy(recipe, hits, agreements, snr_db, images=20, labelled=True, image_set="1a" * 32):
    answers = tuple(
        ImageAnswer(
            image=f"{number:02d}.jpg",
            label=(7 if number < hits else 99) if labelled else None,
            top5=(7, 1, 2, 3, 4),
            reference_top1=7 if number < agreements else 8,
        )
        for number in range(images)
    )
    return Accuracy(
        created="2026-11-24T00:00:00+00:00",
        model_sha256=sha256_of(recipe),
        reference="ab" * 32,
        images_sha256=image_set,
        answers=answers,
        broken=(),
        snr_db=snr_db,
    )


def sidecar(recipe, size):
    return TFLiteModel(
        name="mobilenet_v2_1.0_224",
        sha256=sha256_of(recipe),
        size_bytes=size,
        recipe=recipe,
        recipe_digest=digest(recipe),
        made_with={"tensorflow": "2.21.0", "keras": "3.15.0"},
        calibration_sha256="ca" * 32,
    )


def save(folder, found):
    write_json(folder / f"{found.cell}.json", found)


def make_results(folder, thread_counts=(1, 2)):
    place = itertools.count()
    for name, us, size, hits, agreements, snr in RECIPES:
        for num_threads in thread_counts:
            save(folder, measurement(name, us, size, num_threads, next(place)))
        write_json(folder / "accuracy" / f"{name}.json", accuracy(name, hits, agreements, snr))
        write_json(folder / "models" / "mobilenet_v2" / f"{name}.tflite.json", sidecar(name, size))
    return folder


@pytest.fixture
def results(tmp_path):
    return make_results(tmp_path / "results")


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """The report of a whole folder of results, as it is written: the report and its page."""
    folder = make_results(tmp_path_factory.mktemp("full") / "results")
    return written(folder, folder / "report")


@pytest.fixture
def one(tmp_path):
    """A folder with one measurement, and that measurement."""
    found = measurement("float32", 14_300.0, 14_000_000)
    save(tmp_path / "one", found)
    return tmp_path / "one", found


class Page(html.parser.HTMLParser):
    """What a browser would make of the page: elements, their text, and whether they nest."""

    VOID = frozenset(("meta", "link", "br", "img"))

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.open, self.text, self.ids = [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.ids += [value for name, value in attrs if name == "id"]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("style", "script"):
            self.text.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def words(self):
        return " ".join("".join(self.text).split())


def written(results, out, **options):
    report = write_report(results, out, **options)
    return report, Page(report.html.read_text())


def test_the_page_is_well_formed_with_unique_ids_and_two_named_plots(full):
    _, page = full
    assert len(page.ids) == len(set(page.ids))
    plots = page.all("svg")
    assert len(plots) == 2
    for plot in plots:
        assert plot["role"] == "img"
        assert set(plot["aria-labelledby"].split()) <= set(page.ids)
    assert {attributes.get("scope") for attributes in page.all("th")} == {"col", "row"}
    assert len(page.all("caption")) == 1
    assert page.elements[0] == ("html", {"lang": "en"})


def test_the_page_loads_nothing_and_refers_to_nothing_outside(full):
    report, page = full
    references = [
        value
        for _, attributes in page.elements
        for name, value in attributes.items()
        if name in ("src", "href", "action", "data", "poster", "srcset")
    ]
    assert all(value.startswith(("#", "data:,")) for value in references)
    text = report.html.read_text()
    assert "http:" not in text
    assert "https:" not in text
    assert "@import" not in text
    assert "script" not in {name for name, _ in page.elements}
    assert report.html.stat().st_size < 5_000_000


def test_references_inside_the_plots_have_their_targets(full):
    report, page = full
    wanted = set(re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', report.html.read_text()))
    assert {name for pair in wanted for name in pair if name} <= set(page.ids)
    assert wanted


def test_the_page_says_verdicts_numbers_limits_and_where_they_are_from(full):
    report, page = full
    sentences = [found.sentence() for found in report.comparisons]
    assert len(sentences) == 4
    for sentence in sentences:
        assert sentence in page.words
    for said in (
        "18 of 20",
        "[70, 97 %]",
        "19 of 20",
        "18.7",
        "61.2",
        "3.80",
        "valid",
        sha256_of("float32")[:8],
        "less than 30 points cannot be shown",
        "up to 14 % of others",
        "no 8-bit dot products",
        "mobilekit run examples/quickstart.toml",
        "0123456789abcdef",
        "tensorflow 2.21.0",
        "order seed",
    ):
        assert said.lower() in page.words.lower()


def test_equal_results_give_equal_bytes(results, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    write_report(results, first)
    write_report(results, second)
    for name in FILES:
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_an_earlier_report_is_replaced_and_nothing_else_is_left(results, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "report.html").write_text("old")
    (out / "mine.txt").write_text("kept")
    write_report(results, out)
    assert {path.name for path in out.iterdir()} == {*FILES, "mine.txt"}
    assert "old" not in (out / "report.html").read_text()[:3]


def hostile(found):
    return dataclasses.replace(
        found,
        model=dataclasses.replace(found.model, name=HOSTILE, recipe="float32"),
        device=dataclasses.replace(found.device, label=HOSTILE, model=HOSTILE, os=HOSTILE),
        command=HOSTILE + "\x1b[2J\ud800\u202e",
        validity=Verdict(status=Validity.SUSPECT, reasons=(HOSTILE,)),
    )


def test_hostile_names_are_text_in_every_file(one, tmp_path):
    folder, found = one
    write_hostile = json.dumps(to_json(hostile(found)))
    (folder / f"{found.cell}.json").write_text(write_hostile)
    other = hostile(measurement("static_wi8_ai8", 9_000.0, 4_000_000, 1, 1))
    (folder / "other.json").write_text(json.dumps(to_json(other)))
    report, page = written(folder, tmp_path / "out")
    assert page.all("script") == []
    assert HOSTILE in page.words
    assert "<script" not in report.markdown.read_text().replace("\\<script", "")
    for path in (report.html, report.markdown, report.csv, report.json):
        assert "\x1b" not in path.read_text()
    with report.csv.open(newline="") as file:
        assert next(csv.DictReader(file))["model"] == HOSTILE
    assert json.loads(report.json.read_text())["rows"][0]["model"] == HOSTILE


def test_the_csv_has_one_row_a_measurement_and_names_its_headline(results, tmp_path):
    report = write_report(results, tmp_path / "out")
    with report.csv.open(newline="") as file:
        table = list(csv.DictReader(file))
    assert len(table) == 6
    assert all(re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", name) for name in table[0])
    for row in table:
        assert row["headline_statistic"] == HEADLINE == "median over runs of the run medians"
        found = read_measurement(results / f"{row['cell']}.json")
        assert float(row["latency_us"]) == found.median_us
        assert float(row["latency_low_us"]) < found.median_us < float(row["latency_high_us"])
        assert int(row["invocations"]) == 240
    assert {"init_us", "first_us", "peak_memory_bytes", "size_bytes", "snr_db"} <= set(table[0])


def test_cold_and_warm_starts_have_no_common_init(tmp_path):
    one = measurement("float32", 14_300.0, 14_000_000)
    kinds = ("cold", *["warm"] * 11)
    runs = tuple(
        replace(run, cache=kind, init_us=90_000.0 if kind == "cold" else 4_000.0 + run.block)
        for run, kind in zip(one.runs, kinds, strict=True)
    )
    (row,) = rows(Results(measurements=(replace(one, runs=runs),), accuracies={}, models={}))
    assert (row.init_us, row.init_cold_us, row.init_warm_us) == (4_006.0, 90_000.0, 4_006.0)
    (sentence,) = about_caches([row])
    assert sentence.endswith(": init cold 90.0 ms (1 start), warm 4.01 ms (11 starts).")
    values = raw_values(row)
    assert (values["init_cold_us"], values["init_warm_us"]) == (90_000.0, 4_006.0)
    cold = tuple(replace(run, cache="cold") for run in runs)
    (row,) = rows(Results(measurements=(replace(one, runs=cold),), accuracies={}, models={}))
    assert (row.init_us, row.init_warm_us) == (4_006.5, None)
    assert about_caches([row])[0].endswith("ms (12 starts), warm never.")
    (row,) = rows(Results(measurements=(one,), accuracies={}, models={}))
    assert (row.init_us, row.init_cold_us, about_caches([row])) == (21_005.5, None, ())


def test_the_json_report_holds_raw_numbers_and_is_sorted(full):
    report, _ = full
    text = report.json.read_text()
    document = json.loads(text)
    assert json.dumps(document, sort_keys=True, indent=1) + "\n" == text
    assert document["schema"] == 1
    assert len(document["rows"]) == 6
    assert document["rows"][0]["top1_images"] == 20
    ratios = [found["latency_ratio"] for found in document["comparisons"]]
    assert ratios == [found.latency_ratio for found in report.comparisons]


def test_the_markdown_table_has_the_same_columns_in_every_row(full):
    text = full[0].markdown.read_text()
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len(lines) == 2 + 6
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) == 1
    assert "static_wi8_ai8 against float32" in text


def test_a_result_without_accuracy_or_provenance_has_dashes_and_says_so(one, tmp_path):
    report, page = written(one[0], tmp_path / "out")
    assert len(page.all("svg")) == 1
    assert "No file was evaluated on images" in page.words
    assert "Nothing could be compared" in page.words
    assert report.comparisons == ()


def test_agreement_takes_the_place_of_top1_where_no_image_has_a_label(one, tmp_path):
    folder, _ = one
    write_json(folder / "accuracy" / "a.json", accuracy("float32", 0, 19, 20.0, labelled=False))
    _, page = written(folder, tmp_path / "out")
    assert "Agreement with the float model, % of 20 images" in page.words
    assert "The images have no labels" in page.words


def test_a_file_equal_to_its_reference_has_no_infinite_snr(one, tmp_path):
    folder, _ = one
    write_json(folder / "accuracy" / "a.json", accuracy("float32", 18, 20, None))
    _, page = written(folder, tmp_path / "out")
    assert "equal" in page.words


def test_a_simulated_device_is_marked_in_every_row(results, tmp_path):
    for path in results.glob("*.json"):
        found = read_measurement(path)
        simulated = dataclasses.replace(found.device, simulated=True)
        write_json(path, dataclasses.replace(found, device=simulated))
    report, page = written(results, tmp_path / "out")
    table = page.words[page.words.index("MB are millions") :]
    assert table.count("desk (simulated)") >= 6
    assert "is simulated: its latencies are not those of a device" in page.words
    assert all("(simulated)" in found.sentence() for found in report.comparisons)


def test_every_reason_to_doubt_a_number_stands_in_its_row(one, tmp_path):
    folder, found = one
    failed = dataclasses.replace(found.runs[0], error="killed", latencies_us=())
    doubtful = dataclasses.replace(
        found,
        runs=(failed, *found.runs[1:]),
        validity=Verdict(status=Validity.SUSPECT, reasons=("other processes used 12 %",)),
        output_check=dataclasses.replace(found.output_check, passed=False, detail="0 of 16 agree"),
    )
    save(folder, doubtful)
    report, page = written(folder, tmp_path / "out")
    for reason in ("other processes used 12 %", "0 of 16 agree", "1 of 12 starts failed"):
        assert reason in page.words
        assert reason in report.markdown.read_text()
        assert any(reason in note for note in terminal_table(report.rows).notes)


def test_a_measurement_whose_every_start_failed_has_no_latency(one, tmp_path):
    folder, found = one
    failed = [dataclasses.replace(r, error="killed", latencies_us=()) for r in found.runs]
    save(folder, dataclasses.replace(found, runs=tuple(failed)))
    report, page = written(folder, tmp_path / "out")
    assert report.rows[0].latency_us is None
    assert page.all("svg") == []


@pytest.mark.parametrize(
    ("features", "said"),
    [
        (("avx2", "avx512_vnni"), "has avx512_vnni: 8-bit dot products"),
        (("asimd", "asimddp", "i8mm"), "has asimddp, i8mm: 8-bit dot products"),
        (("avx2",), "int8 pays in size and memory"),
        ((), "does not say which instruction sets"),
    ],
)
def test_the_report_says_what_the_cpu_means_for_int8(one, tmp_path, features, said):
    folder, found = one
    device = dataclasses.replace(found.device, cpu_features=features)
    save(folder, dataclasses.replace(found, device=device))
    assert said in written(folder, tmp_path / "out")[1].words


def test_accuracies_on_another_set_of_images_are_left_out_and_it_is_said(results, tmp_path):
    other = accuracy("float32", 40, 50, 30.0, images=50, image_set="2b" * 32)
    write_json(results / "accuracy" / "z.json", other)
    report, page = written(results, tmp_path / "out")
    assert {row.accuracy.images_sha256 for row in report.rows} == {"1a" * 32}
    assert "answers to different images do not compare" in page.words


def broken(text, old, new):
    assert old in text
    return text.replace(old, new, 1)


BAD_FILES = {
    "truncated": (lambda text: text[: len(text) // 2], r"is not JSON"),
    "empty": (lambda text: "", r"is not JSON"),
    "nan": (lambda text: broken(text, '"init_us": 21000.0', '"init_us": NaN'), "NaN is not a JSON"),
    "infinite": (
        lambda text: broken(text, '"init_us": 21000.0', '"init_us": 1e999'),
        r"runs\[0\].init_us: inf is not a finite number",
    ),
    "negative": (
        lambda text: broken(text, '"first_us": 16000.0', '"first_us": -16000.0'),
        r"runs\[0\]: times must be above zero",
    ),
    "beyond every float": (
        lambda text: broken(text, '"init_us": 21000.0', '"init_us": 1' + "0" * 400),
        "is no measurement that can be read",
    ),
    "newer": (
        lambda text: broken(text, '"schema": 1,\n "validity"', '"schema": 2,\n "validity"'),
        "has schema 2, this mobilekit reads up to 1; install a newer one",
    ),
    "a list": (lambda text: "[]", "is no measurement: it has no schema number"),
    "something else": (lambda text: '{"schema": 1}', "this key is missing"),
    "deep": (lambda text: "[" * 100_000, "is not JSON"),
    "another file's runs": (
        lambda text: broken(
            text, f'"model_sha256": "{sha256_of("float32")}"', '"model_sha256": ""'
        ),
        r"runs\[0\] ran file",
    ),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_measurement_is_one_sentence_that_names_file_and_place(one, tmp_path, kind):
    folder, found = one
    path = folder / f"{found.cell}.json"
    spoil, message = BAD_FILES[kind]
    path.write_text(spoil(path.read_text()))
    with pytest.raises(StorageError, match=message) as caught:
        write_report(folder, tmp_path / "out")
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_file_that_is_not_text_is_refused(one, tmp_path):
    folder, found = one
    (folder / f"{found.cell}.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(StorageError, match="is not UTF-8 text"):
        write_report(folder, tmp_path / "out")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"answers": []}, "answers is empty"),
        (
            {"answers": [{"image": "a", "label": 1, "top5": [], "reference_top1": 1}]},
            r"answers\[0\].top5 is empty",
        ),
        ({"snr_db": "loud"}, "snr_db: a number is needed, not 'loud'"),
        ({"schema": 9}, "has schema 9"),
    ],
)
def test_a_bad_accuracy_is_refused_with_its_place(results, tmp_path, document, message):
    path = results / "accuracy" / "float32.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **document}))
    with pytest.raises(StorageError, match=message):
        write_report(results, tmp_path / "out")


def test_unknown_keys_of_a_later_version_are_ignored(one, tmp_path):
    folder, found = one
    path = folder / f"{found.cell}.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "added_later": 1}))
    assert len(read_results(folder).measurements) == 1


def test_the_same_measurement_twice_is_refused(one, tmp_path):
    folder, found = one
    write_json(folder / "copy.json", found)
    with pytest.raises(StorageError, match=r"is the same measurement as .*remove one"):
        write_report(folder, tmp_path / "out")


def test_a_folder_without_measurements_says_what_to_run(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=r"holds no measurement .*mobilekit run PLAN.toml"):
        write_report(tmp_path / "empty", tmp_path / "out")
    with pytest.raises(UsageError, match="is not a folder"):
        write_report(tmp_path / "missing", tmp_path / "out")


def test_an_output_that_is_a_file_is_refused_and_kept(one, tmp_path):
    out = tmp_path / "out"
    out.write_text("mine")
    with pytest.raises(StorageError, match="is a file; a report needs a folder"):
        write_report(one[0], out)
    with pytest.raises(StorageError, match="cannot be written"):
        write_report(one[0], out / "below")
    assert out.read_text() == "mine"


def test_the_report_is_not_written_among_the_results(one):
    with pytest.raises(UsageError, match="holds the results"):
        write_report(one[0], one[0])


def test_every_other_measurement_is_compared_with_the_baseline_of_its_kind(results):
    found = comparisons(read_results(results).measurements, {"recipe": "float32"})
    assert len(found) == 4
    for comparison in found:
        assert isinstance(comparison, Comparison)
        assert comparison.baseline.model.recipe == "float32"
        threads = {s.config.num_threads for s in (comparison.baseline, comparison.candidate)}
        assert len(threads) == 1


def test_a_baseline_can_be_chosen_by_threads(results):
    found = comparisons(read_results(results).measurements, {"num_threads": "1"})
    assert len(found) == 3
    assert {comparison.varied.field for comparison in found} == {"num_threads"}


def test_what_has_no_baseline_or_cannot_be_compared_is_said(results, tmp_path):
    found = read_results(results).measurements
    alone = [m for m in found if m.model.recipe != "float32"]
    assert all(
        isinstance(refused, Refused) and "has no baseline" in refused.reason
        for refused in comparisons(alone, {"recipe": "float32"})
    )
    elsewhere = dataclasses.replace(
        measurement("static_wi8_ai8", 9_000.0, 4_000_000, 1, 5, seed=1),
        config=dataclasses.replace(found[0].config, order_seed=8, num_threads=1),
    )
    save(results, elsewhere)
    report, page = written(results, tmp_path / "out")
    assert sum(isinstance(c, Refused) for c in report.comparisons) == 1
    assert "different sessions" in page.words
    assert "different sessions" in report.markdown.read_text()
    assert "different sessions" in report.json.read_text()


def test_an_unknown_baseline_field_is_refused_with_the_nearest(results, tmp_path):
    with pytest.raises(UnknownNameError, match="Did you mean 'recipe'"):
        write_report(results, tmp_path / "out", baseline={"recipes": "float32"})
    with pytest.raises(UsageError, match="is empty"):
        comparisons([], {})


@pytest.mark.parametrize("table_of", [terminal_table, answers_table])
def test_the_terminal_tables_fit_80_columns(results, table_of):
    table = table_of(rows(read_results(results)))
    widths = [
        max(len(cell) for cell in column) for column in zip(table.headers, *table.rows, strict=True)
    ]
    assert sum(widths) + 2 * len(widths) <= 80


def test_the_terminal_says_once_what_is_the_same(results):
    table = terminal_table(rows(read_results(results)))
    assert table.title == "mobilenet_v2_1.0_224, desk, xnnpack"
    assert {"recipe", "thr", "ms"} <= set(table.headers)
    assert len(table.rows) == 6


def test_the_answers_of_a_file_stand_once_whatever_it_was_measured_with(results):
    table = answers_table(rows(read_results(results)))
    assert {"recipe", "MB", "top-1", "agree", "dB"} <= set(table.headers)
    assert len(table.rows) == 3


def test_rows_of_one_file_stand_together_slowest_first(results):
    table = rows(read_results(results))
    assert [row.measurement.config.num_threads for row in table] == [1, 1, 1, 2, 2, 2]
    for group in (table[:3], table[3:]):
        latencies = [row.latency_us for row in group]
        assert latencies == sorted(latencies, reverse=True)


@pytest.mark.parametrize(
    ("us", "low", "high", "shown"),
    [
        (14_312.4, 14_201.0, 14_437.0, ("14.31", "[14.20, 14.44]")),
        (14_312.4, 10_000.0, 20_000.0, ("14", "[10, 20]")),
        (143_124.0, 120_000.0, 160_000.0, ("143", "[120, 160]")),
        (812.4, 811.9, 812.6, ("0.8124", "[0.8119, 0.8126]")),
        (14_312.4, None, None, ("14.3", "")),
        (14_000.0, 14_000.0, 14_000.0, ("14.0", "[14.0, 14.0]")),
    ],
)
def test_latencies_are_rounded_to_what_the_noise_allows(us, low, high, shown):
    assert latency(us, low, high) == shown


def test_numbers_have_one_form():
    assert milliseconds(1_234.0) == "1.23"
    assert milliseconds(123_456.0) == "123"
    assert megabytes(14_000_000) == "14.0"
    assert megabytes(None) == "\N{EN DASH}"
    assert at_most_percent(0.1391) == "14 %"
    assert at_most_percent(0.0035) == "0.4 %"
    assert at_most_percent(0.06) == "6 %"
    assert printable("a\nb\x1b\ud800") == "a\ufffdb\ufffd\ufffd"


def _as_from_elsewhere(results, **changes):
    """Every other measurement with other settings; none of them says its recipe."""
    for number, path in enumerate(sorted(results.glob("*.json"))):
        found = read_measurement(path)
        model = dataclasses.replace(found.model, recipe="unknown")
        config = dataclasses.replace(found.config, **(changes if number % 2 else {}))
        write_json(path, dataclasses.replace(found, model=model, config=config))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"affinity": "big"}, "affinity big"),
        ({"mode": "paced", "paced_fps": 30.0}, "paced 30"),
        ({"mode": "sustained", "sustained_s": 90.0}, "sustained 90 s"),
        ({"load_sha256": "3d" * 32}, "beside 3d3d3d3d"),
        ({"shapes": {"image": "1,8,8,3"}}, "shape image=1,8,8,3"),
        ({"input_range": (0, 5)}, "input-range 0,5"),
        ({"signature": "encode"}, "signature encode"),
        ({"cooling": "35", "cooldown_s": 5.0}, "cool-to 35, cooldown 5 s"),
    ],
)
def test_rows_tell_settings_that_are_not_the_usual_ones(results, changes, words):
    _as_from_elsewhere(results, **changes)
    table = terminal_table(rows(read_results(results)))
    place = table.headers.index("setting")
    assert {row[place] for row in table.rows} == {words, MISSING}


def test_a_recipe_that_is_not_known_is_no_name(results):
    _as_from_elsewhere(results)
    found = rows(read_results(results))
    table = terminal_table(found)
    assert "unknown" not in table.title
    assert not any(note.startswith("unknown") for note in table.notes)
    assert label(found[0], list(common(found[:1]))) == found[0].measurement.model.name


def test_headings_name_only_what_is_known(full):
    report, _ = full
    heads = re.findall(r"<(?:title|h1)>(.*?)</", report.html.read_text())
    heads.append(report.markdown.read_text().splitlines()[0])
    assert len(heads) == 3
    assert not any(word in head for head in heads for word in (MISSING, "litert_python"))
