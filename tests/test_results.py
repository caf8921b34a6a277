"""Results on disk, and which of their lines belong together."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from android_bench.results import (
    RecordedRun,
    Session,
    append_run,
    drop_torn_line,
    load_measurement,
    read_runs,
    runs_path,
    seal,
    sealed_path,
)
from android_bench.sessions import (
    complete_blocks,
    failures_of,
    find_session,
    measured_together,
    new_session,
    next_block,
    runs_of,
    set_digest,
    shuffled,
)
from mobilekit.core.errors import StorageError
from tests import sample_results
from tests.sample_results import run_of

CELL = "0123456789abcdef"
SESSION = Session(order_seed=5, jobs="aa")
RUN = run_of((1.25, 2.0), unread={"memory.delegate_bytes": "größer"})
MEASUREMENT = replace(sample_results.MEASUREMENT, cell=CELL, runs=(RUN,))


def line(block=0, *, session=SESSION, error=None, started=RUN.started):
    return RecordedRun(session=session, run=replace(RUN, block=block, error=error, started=started))


# --- files ----------------------------------------------------------------------------------------


def test_what_is_appended_is_read_back(tmp_path):
    lines = tuple(line(block) for block in range(3))
    for recorded in lines:
        append_run(tmp_path, CELL, recorded)
    assert read_runs(tmp_path, CELL).runs == lines
    assert not read_runs(tmp_path, CELL).torn


def test_a_line_is_the_runners_document_and_the_session(tmp_path):
    append_run(tmp_path, CELL, line())
    document = json.loads((tmp_path / "runs" / f"{CELL}.jsonl").read_text())
    assert document["latencies_us"] == [1.25, 2.0]
    assert (document["order_seed"], document["jobs"]) == (5, "aa")


def test_a_cell_without_a_file_has_no_runs(tmp_path):
    assert read_runs(tmp_path, CELL).runs == ()


@pytest.mark.parametrize("kept", [1, 200, -1, -2])
def test_a_half_written_last_line_is_dropped_and_said(tmp_path, kept):
    append_run(tmp_path, CELL, line(0))
    path = runs_path(tmp_path, CELL)
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:kept])
    recorded = read_runs(tmp_path, CELL)
    assert recorded.runs == (line(0),)
    assert recorded.torn
    drop_torn_line(tmp_path, CELL)
    append_run(tmp_path, CELL, line(1))
    assert read_runs(tmp_path, CELL).runs == (line(0), line(1))


def test_a_file_of_nothing_but_a_half_written_line_has_no_runs(tmp_path):
    append_run(tmp_path, CELL, line(0))
    path = runs_path(tmp_path, CELL)
    path.write_bytes(path.read_bytes()[:50])
    assert read_runs(tmp_path, CELL).runs == ()
    drop_torn_line(tmp_path, CELL)
    assert path.read_bytes() == b""


@pytest.mark.parametrize(
    "damage", [b"not JSON", b"{}", b"[1]", b"\xff\xfe", b"", b'{"schema": NaN}', b"[" * 5000]
)
def test_a_damaged_line_in_the_middle_is_refused_by_number(tmp_path, damage):
    append_run(tmp_path, CELL, line(0))
    path = runs_path(tmp_path, CELL)
    path.write_bytes(path.read_bytes() + damage + b"\n")
    append_run(tmp_path, CELL, line(1))
    with pytest.raises(StorageError, match=rf"{CELL}\.jsonl: line 2 is damaged"):
        read_runs(tmp_path, CELL)


def test_a_sealed_measurement_is_read_back(tmp_path):
    seal(tmp_path, MEASUREMENT)
    assert load_measurement(sealed_path(tmp_path, CELL)) == MEASUREMENT
    assert [path.name for path in tmp_path.iterdir()] == [f"{CELL}.json"]


def test_keys_of_a_later_version_are_ignored(tmp_path):
    seal(tmp_path, MEASUREMENT)
    path = sealed_path(tmp_path, CELL)
    document = json.loads(path.read_text())
    document["later"] = document["runs"][0]["later"] = {"a": 1}
    path.write_text(json.dumps(document))
    assert load_measurement(path) == MEASUREMENT


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "cannot be read"),
        ("", "is not JSON"),
        ("[]", "has no schema number"),
        ("{}", "has no schema number"),
        ('{"schema": true}', "has no schema number"),
        ('{"schema": 2}', "has schema 2, this mobilekit reads up to 1; install a newer one"),
        ('{"schema": 1}', "cell: this key is missing"),
        ('{"schema": 1, "cell": 3}', "cell: a text is needed"),
    ],
)
def test_what_is_no_measurement_is_refused_in_one_sentence(tmp_path, text, problem):
    path = tmp_path / "some.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(StorageError, match=problem) as caught:
        load_measurement(path)
    assert "\n" not in str(caught.value)


def test_results_below_a_file_are_refused(tmp_path):
    (tmp_path / "results").write_text("a file")
    with pytest.raises(StorageError, match="cannot be written"):
        append_run(tmp_path / "results", CELL, line())


# --- sessions -------------------------------------------------------------------------------------


def test_a_set_has_one_name_in_any_order_and_another_with_one_more():
    assert set_digest(["a", "b"]) == set_digest(["b", "a"])
    assert len({set_digest(cells) for cells in (["a"], ["b"], ["a", "b"], ["ab"])}) == 4


def test_two_sessions_never_share_an_order_seed():
    sessions = {new_session(0, ["a", "b"]).order_seed for _ in range(100)}
    assert len(sessions) == 100
    assert max(sessions) < 2**53  # what JavaScript keeps exactly


def test_the_order_of_a_block_can_be_drawn_again_and_differs_between_blocks():
    cells = ["a", "b", "c", "d"]
    orders = [shuffled(cells, SESSION, block) for block in range(20)]
    assert orders == [shuffled(reversed(cells), SESSION, block) for block in range(20)]
    assert all(sorted(order) == cells for order in orders)
    assert len({tuple(order) for order in orders}) > 5


def test_every_place_in_a_block_is_equally_likely():
    firsts = [shuffled("ab", SESSION, block)[0] for block in range(2000)]
    assert 900 < firsts.count("a") < 1100  # 4.5 standard deviations


def test_a_block_counts_only_if_every_cell_has_a_good_start_in_it():
    lines = {
        "a": [line(0), line(1), line(2), line(4)],
        "b": [line(0), line(1, error="crashed"), line(4)],
    }
    assert complete_blocks(lines, SESSION) == (0, 4)
    assert [run.block for run in runs_of(lines["a"], SESSION, (0, 4))] == [0, 4]
    assert failures_of(lines["b"], SESSION) == ("crashed",)
    assert next_block([*lines["a"], *lines["b"]], SESSION) == 5


def test_lines_of_another_session_do_not_count():
    other = Session(order_seed=6, jobs="aa")
    lines = {"a": [line(0), line(1, session=other)], "b": [line(0, session=other), line(1)]}
    assert complete_blocks(lines, SESSION) == ()
    assert complete_blocks(lines, other) == ()
    assert failures_of([line(0, session=other, error="x")], SESSION) == ()
    assert next_block([line(7, session=other)], SESSION) == 0


def test_only_a_session_of_exactly_these_cells_is_continued_and_the_last_one():
    jobs = set_digest(["a", "b"])
    old, new = Session(order_seed=1, jobs=jobs), Session(order_seed=2, jobs=jobs)
    lines = {
        "a": [line(session=old, started="2026-11-01"), line(session=new, started="2026-11-02")],
        "b": [line(session=old, started="2026-11-01"), line(session=SESSION, started="2026-12-01")],
    }
    assert find_session(lines) == new
    assert find_session({"a": lines["a"]}) is None


def test_measurements_are_of_one_session_only_if_seed_blocks_and_outputs_agree():
    other_seed = replace(MEASUREMENT, config=replace(MEASUREMENT.config, order_seed=6))
    other_blocks = replace(MEASUREMENT, runs=(replace(RUN, block=1),))
    wrong = replace(MEASUREMENT, output_check=replace(MEASUREMENT.output_check, passed=False))
    unchecked = replace(MEASUREMENT, output_check=None)
    assert measured_together([MEASUREMENT, MEASUREMENT])
    for other in (other_seed, other_blocks, wrong, unchecked):
        assert not measured_together([MEASUREMENT, other])


@given(
    st.lists(
        st.tuples(st.sampled_from(["done", "failed", "killed"]), st.integers(0, 2)), max_size=12
    )
)
def test_whatever_happens_a_block_that_counts_is_of_one_pass(passes):
    """Each pass starts some of three cells; `started` records which pass it was."""
    cells = ["a", "b", "c"]
    lines = {cell: [] for cell in cells}
    for number, (ending, reached) in enumerate(passes):
        block = next_block((r for rows in lines.values() for r in rows), SESSION)
        order = shuffled(cells, SESSION, block)
        good = order if ending == "done" else order[:reached]
        for cell in good:
            lines[cell].append(line(block, started=str(number)))
        if ending == "failed":
            lines[order[reached]].append(line(block, error="crashed", started=str(number)))
    blocks = complete_blocks(lines, SESSION)
    assert len(blocks) == [ending for ending, _ in passes].count("done")
    for runs in zip(*(runs_of(lines[cell], SESSION, blocks) for cell in cells), strict=True):
        assert len({(run.block, run.started) for run in runs}) == 1
