"""Records read what fits their annotations, and name the place of what does not."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobilekit.core.records import RecordError, from_json, to_json


class Colour(enum.StrEnum):
    RED = "red"
    GREEN = "green"


@dataclass(frozen=True, kw_only=True)
class Part:
    name: str
    weight_g: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Thing:
    schema: int
    parts: tuple[Part, ...] = ()
    size: tuple[int, int] = (1, 1)
    colour: Colour | None = None
    threads: int | tuple[int, ...] = 1
    notes: Mapping[str, str] = field(default_factory=dict)
    exact: bool = False

    def __post_init__(self) -> None:
        if self.schema < 1:
            raise ValueError("the schema starts at 1")


things = st.builds(
    Thing,
    schema=st.integers(1, 9),
    parts=st.lists(st.builds(Part, name=st.text(), weight_g=st.floats(-1e6, 1e6)), max_size=3).map(
        tuple
    ),
    size=st.tuples(st.integers(), st.integers()),
    colour=st.none() | st.sampled_from(Colour),
    threads=st.integers() | st.lists(st.integers(), max_size=3).map(tuple),
    notes=st.dictionaries(st.text(), st.text(), max_size=3),
    exact=st.booleans(),
)


@given(things)
def test_every_record_reads_back(thing):
    assert from_json(Thing, to_json(thing)) == thing


@pytest.mark.parametrize(
    ("document", "where", "problem"),
    [
        ([], "", "a table is needed, not []"),
        ({}, "schema", "this key is missing"),
        ({"schema": 1, "colur": "red"}, "colur", "Did you mean 'colour'?"),
        ({"schema": 1, "zzz": 1}, "zzz", "Known: schema, parts"),
        ({"schema": True}, "schema", "a whole number is needed, not True"),
        ({"schema": 1.5}, "schema", "a whole number is needed, not 1.5"),
        ({"schema": "1"}, "schema", "a whole number is needed, not '1'"),
        ({"schema": 0}, "", "the schema starts at 1"),
        ({"schema": 1, "parts": {}}, "parts", "a list is needed"),
        ({"schema": 1, "parts": [{"name": "a"}, {}]}, "parts[1].name", "this key is missing"),
        ({"schema": 1, "parts": [{"name": 3}]}, "parts[0].name", "a text is needed, not 3"),
        (
            {"schema": 1, "parts": [{"name": "a", "weight_g": float("nan")}]},
            "parts[0].weight_g",
            "not a finite number",
        ),
        (
            {"schema": 1, "parts": [{"name": "a", "weight_g": 10**400}]},
            "parts[0].weight_g",
            "the number is too large",
        ),
        ({"schema": 1, "size": [1]}, "size", "2 values are needed, not 1"),
        ({"schema": 1, "colour": "gren"}, "colour", "Did you mean 'green'?"),
        ({"schema": 1, "threads": "two"}, "threads", "a whole number is needed, not 'two'"),
        ({"schema": 1, "threads": [1, "b"]}, "threads[1]", "a whole number is needed, not 'b'"),
        ({"schema": 1, "notes": {"a": 1}}, "notes.a", "a text is needed"),
        ({"schema": 1, "notes": "x" * 100}, "notes", "..."),
        ({"schema": 1, "exact": 1}, "exact", "true or false is needed, not 1"),
    ],
)
def test_what_does_not_fit_is_named(document, where, problem):
    with pytest.raises(RecordError) as caught:
        from_json(Thing, document)
    assert caught.value.where == where
    assert problem in caught.value.problem


def test_a_whole_number_is_a_number():
    assert from_json(Part, {"name": "a", "weight_g": 2}).weight_g == 2.0


def test_a_reader_of_results_skips_the_keys_of_later_versions():
    later = {"schema": 1, "new": 1, "parts": [{"name": "a", "newer": 2}]}
    assert from_json(Thing, later, ignore_unknown=True).parts == (Part(name="a"),)
    with pytest.raises(RecordError):
        from_json(Thing, later)
