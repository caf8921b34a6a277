"""docs/formats.md, the golden files and the records say the same."""

import dataclasses
import json
import re
from pathlib import Path

import pytest

from android_bench.results import RecordedRun, Session
from converters.delegates.report import (
    LintedModel,
    LintedOp,
    LintReport,
    LintSummary,
    LintTarget,
    Mend,
    OracleAnswer,
    Partition,
)
from mobilekit.core.accuracy import Accuracy
from mobilekit.core.errors import MobileKitError
from mobilekit.core.measurement import Measurement, Run
from mobilekit.core.model import TFLiteModel
from mobilekit.core.records import from_json, to_json
from mobilekit.core.storage import write_json
from mobilekit.keras_file import KerasFile
from mobilekit.plan import Plan, read_plan

ROOT = Path(__file__).parent.parent
GOLDEN = ROOT / "tests" / "golden"
FORMATS = (ROOT / "docs" / "formats.md").read_text()
RECORDS = {
    "accuracy": Accuracy,
    "keras": KerasFile,
    "lint": LintReport,
    "measurement": Measurement,
    "model": TFLiteModel,
}


def words(text: str) -> set[str]:
    return set(re.findall(r"[a-z][a-z0-9_]+", text))


@pytest.mark.parametrize("name", RECORDS)
def test_a_golden_file_reads_back_byte_for_byte(name, tmp_path):
    text = (GOLDEN / f"{name}.json").read_text()
    record = from_json(RECORDS[name], json.loads(text))
    write_json(tmp_path / "again.json", record)
    assert (tmp_path / "again.json").read_text() == text


def test_a_golden_line_of_a_run_reads_back_byte_for_byte(tmp_path):
    text = (GOLDEN / "run.json").read_text()
    document = json.loads(text)
    recorded = RecordedRun(
        session=from_json(Session, document, ignore_unknown=True),
        run=from_json(Run, document, ignore_unknown=True),
    )
    write_json(tmp_path / "again.json", {**to_json(recorded.run), **to_json(recorded.session)})
    assert (tmp_path / "again.json").read_text() == text


def test_what_was_written_before_keys_were_added_can_still_be_read():
    old = from_json(Measurement, json.loads((GOLDEN / "old" / "measurement.json").read_text()))
    assert old.runs[0].retried is False
    document = json.loads((GOLDEN / "old" / "run.json").read_text())
    assert from_json(Run, document, ignore_unknown=True).cool_down is None
    model = from_json(TFLiteModel, json.loads((GOLDEN / "old" / "model.json").read_text()))
    assert (model.recipe_rules, model.quantizer) == ((), "ours")


def test_the_golden_plan_is_the_one_of_the_docs():
    documented = FORMATS.partition("```toml\n")[2].partition("```")[0]
    (kept,) = re.findall(r"repetitions = (\d+)", documented)
    assert read_plan(GOLDEN / "plan.toml").measure[0].repetitions == int(kept)


def test_the_plan_of_the_docs_can_be_read(tmp_path):
    path = tmp_path / "plan.toml"
    path.write_text(FORMATS.partition("```toml\n")[2].partition("```")[0])
    assert read_plan(path).models[0].architecture == "mobilenet_v2"


def test_every_golden_file_has_a_test():
    tested = {f"{name}.json" for name in RECORDS} | {"run.json", "plan.toml"}
    assert {path.name for path in GOLDEN.iterdir() if path.is_file()} == tested


LINT = (LintReport, LintedModel, LintTarget, LintedOp, Partition, LintSummary, Mend, OracleAnswer)


@pytest.mark.parametrize("record", [Run, Measurement, Session, Plan, TFLiteModel, *LINT])
def test_every_key_is_documented(record):
    assert {field.name for field in dataclasses.fields(record)} <= words(FORMATS)


def test_every_exit_code_is_documented_as_it_is():
    table = dict(re.findall(r"^\| (\d+) \| (.+) \|$", FORMATS, re.M))
    codes = {e.exit_code for e in MobileKitError.__subclasses__()} | {0, 70, 130}
    assert {int(code) for code in table} == codes
