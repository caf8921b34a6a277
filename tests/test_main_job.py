"""The main job: a plan from builder to report, once and again, on a small network."""

import json
import re
import shutil
import subprocess

import pytest

from mobilekit.core.records import to_json
from tests.small_plan import (
    PLAN,
    REPETITIONS,
    command,
    environment,
    mobilekit,
    write_plan,
)

pytestmark = pytest.mark.needs_tensorflow


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("job")
    plan = write_plan(folder)
    return folder, plan, mobilekit(folder, "run", plan)


def sealed(folder) -> list[dict]:
    return [json.loads(path.read_text()) for path in sorted(folder.glob("results/*.json"))]


def test_a_plan_ends_in_measured_compared_files_and_a_report(done):
    folder, _, first = done
    assert first.returncode == 0, first.stderr
    assert {m["model"]["recipe"] for m in sealed(folder)} == {
        "float32",
        "dynamic_wi8_afp32",
        "static_wi8_ai8",
    }
    assert "static_wi8_ai8 against float32 on" in " ".join(first.stdout.split())
    assert "16 labelled images" in " ".join(first.stdout.split())
    reports = {path.name for path in (folder / "results/report").iterdir()}
    assert reports == {"report.html", "report.md", "report.csv", "report.json"}


def test_results_hold_raw_values_and_where_they_are_from(done):
    for measurement in sealed(done[0]):
        assert len(measurement["runs"]) == REPETITIONS
        assert all(len(run["latencies_us"]) == 3 for run in measurement["runs"])
        assert measurement["output_check"]["passed"] is True
        assert measurement["device"]["simulated"] is False
        assert measurement["command"].startswith("mobilekit run ")
        assert "median" not in json.dumps(measurement["runs"])


def test_a_block_starts_every_file_once_in_random_order(done):
    runs = [(r["block"], r["order"], m["cell"]) for m in sealed(done[0]) for r in m["runs"]]
    orders = {}
    for block, _, cell in sorted(runs):
        orders.setdefault(block, []).append(cell)
    assert len(orders) == REPETITIONS
    assert all(len(cells) == len(set(cells)) == 3 for cells in orders.values())
    assert len({tuple(cells) for cells in orders.values()}) > 1


def test_every_file_was_judged_on_the_same_images(done):
    found = [json.loads(p.read_text()) for p in (done[0] / "results/accuracy").iterdir()]
    assert len(found) == 3
    assert len({accuracy["images_sha256"] for accuracy in found}) == 1
    assert all(len(accuracy["answers"]) == 16 for accuracy in found)


def test_a_second_run_makes_nothing_again_and_says_so(done):
    folder, plan, first = done
    before = {p: p.stat().st_mtime_ns for p in folder.rglob("*.tflite")}
    results = sealed(folder)
    second = mobilekit(folder, "run", plan)
    assert second.returncode == 0
    assert second.stdout == first.stdout
    assert second.stderr.count("reused") == 9  # three files, three answers, three measurements
    assert "converting" not in second.stderr
    assert {p: p.stat().st_mtime_ns for p in folder.rglob("*.tflite")} == before
    assert sealed(folder) == results


def test_a_changed_recipe_list_reuses_the_float_file(done, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(done[0], folder)
    other = folder / "other.toml"
    other.write_text(PLAN.replace("dynamic_wi8_afp32", "float16"))
    third = mobilekit(folder, "run", other, "--out", "results")
    assert third.returncode == 0, third.stderr
    assert "float32: reused" in third.stderr
    assert "float16: converting" in third.stderr
    assert "building" not in third.stderr
    # What the plan does not name is not in its report.
    assert "dynamic_wi8_afp32" not in third.stdout


def test_the_report_command_writes_the_same_from_the_folder(done, tmp_path):
    folder = done[0]
    again = mobilekit(folder, "report", "results", "-o", tmp_path / "report")
    assert again.returncode == 0, again.stderr
    assert (tmp_path / "report" / "report.html").exists()
    assert "static_wi8_ai8 against float32" in " ".join(again.stdout.split())


def test_compare_says_the_same_as_the_report(done):
    folder, _, first = done
    cells = {m["model"]["recipe"]: f"results/{m['cell']}.json" for m in sealed(folder)}
    found = mobilekit(folder, "compare", cells["float32"], cells["static_wi8_ai8"])
    assert found.returncode == 0, found.stderr
    sentence = found.stdout.splitlines()[0]
    assert re.search(r"\d\.\d+x (faster|slower) \[\d\.\d+, \d\.\d+\]", sentence)
    assert sentence in " ".join(first.stdout.split())
    document = json.loads(
        mobilekit(folder, "compare", cells["float32"], cells["static_wi8_ai8"], "--json").stdout
    )
    assert document["sentence"] == sentence
    assert document["low"] <= document["latency_ratio"] <= document["high"]


def test_compare_refuses_what_differs_in_two_things(done, tmp_path):
    folder, _, _ = done
    baseline, candidate = (m for m in sealed(folder) if m["model"]["recipe"] != "float32")
    candidate["config"]["num_threads"] = 2
    for run in candidate["runs"]:
        run["requested"]["num_threads"] = 2
    for name, document in (("a", baseline), ("b", candidate)):
        (tmp_path / f"{name}.json").write_text(json.dumps(to_json(document)))
    refused = mobilekit(folder, "compare", tmp_path / "a.json", tmp_path / "b.json")
    assert refused.returncode == 6
    assert "recipe" in refused.stderr
    assert "threads" in refused.stderr


def test_corrected_labels_are_what_the_report_shows(done, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(done[0], folder)
    before = json.loads(mobilekit(folder, "run", "plan.toml", "--json").stdout)
    answers = json.loads(next(folder.glob("results/accuracy/*.json")).read_text())["answers"]
    right = "".join(f"{a['image']} {a['top5'][0]}\n" for a in answers)
    (folder / "photos" / "labels.txt").write_text(right)
    after = json.loads(mobilekit(folder, "run", "plan.toml", "--json").stdout)
    hits = [max(row["top1_hits"] for row in found["rows"]) for found in (before, after)]
    assert hits[1] == 16 > hits[0]
    # Also where nobody says which evaluations are meant, the later one counts.
    again = mobilekit(folder, "report", "results", "-o", "out", "--json")
    assert max(row["top1_hits"] for row in json.loads(again.stdout)["rows"]) == 16


def test_measuring_again_opens_a_new_session(done, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(done[0], folder)
    seeds = {m["config"]["order_seed"] for m in sealed(folder)}
    again = mobilekit(folder, "run", "plan.toml", "--again")
    assert again.returncode == 0, again.stderr
    assert not seeds & {m["config"]["order_seed"] for m in sealed(folder)}


def test_two_runs_into_one_folder_take_turns(done, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(done[0], folder)
    words = command("run", "plan.toml", "--again")
    options = {"cwd": folder, "env": environment(folder), "text": True, "stderr": subprocess.PIPE}
    both = [subprocess.Popen(words, stdout=subprocess.PIPE, **options) for _ in range(2)]
    said = [process.communicate(timeout=120)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum("waiting for another run into" in text for text in said) == 1


def test_a_dry_run_does_nothing(tmp_path):
    plan = write_plan(tmp_path)
    found = mobilekit(tmp_path, "run", plan, "--dry-run")
    assert found.returncode == 0, found.stderr
    assert "convert it to float32, dynamic_wi8_afp32, static_wi8_ai8" in found.stdout
    assert not (tmp_path / "results").exists()


def test_one_broken_picture_among_good_ones_is_named_and_counted(done, tmp_path):
    plan = write_plan(tmp_path, PLAN.replace("repetitions = 6", "repetitions = 1"))
    (tmp_path / "photos" / "03.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    found = mobilekit(tmp_path, "run", plan)
    assert found.returncode == 0, found.stderr
    assert "warning" in found.stderr
    assert "03.png" in found.stderr
    accuracies = [json.loads(p.read_text()) for p in (tmp_path / "results/accuracy").iterdir()]
    assert all(len(a["answers"]) == 15 for a in accuracies)
    assert all(len(a["broken"]) == 1 and "03.png" in a["broken"][0] for a in accuracies)
    assert "1 image(s) could not be read, first 03.png" in " ".join(found.stdout.split())
