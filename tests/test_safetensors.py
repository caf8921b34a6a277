"""Safetensors files: read to the bit, refused where a number in them does not fit."""

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mobilekit.core.errors import WeightsFileError
from mobilekit.weights.safetensors_file import DTYPES, read_safetensors


def written(path, table, data=b""):
    """A file of this table and these bytes, whatever they are."""
    text = table if isinstance(table, bytes) else json.dumps(table).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


def save(path, tensors, kinds):
    """A file as the format's own library writes it."""
    table, data = {"__metadata__": {"format": "pt"}}, b""
    for name, values in tensors.items():
        begin = len(data)
        data += values.tobytes()
        offsets = [begin, len(data)]
        table[name] = {"dtype": kinds[name], "shape": [*values.shape], "data_offsets": offsets}
    return written(path, table, data)


shapes = st.lists(st.integers(0, 3), max_size=3).map(tuple)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=st.lists(st.tuples(st.sampled_from(sorted(DTYPES)), shapes), min_size=1, max_size=4))
def test_every_element_type_comes_back_as_it_was(rows, tmp_path_factory):
    random = np.random.default_rng(0)
    kinds = {f"t{number}": kind for number, (kind, _) in enumerate(rows)}
    tensors = {
        f"t{number}": random.integers(0, 2, shape).astype(DTYPES[kind])
        for number, (kind, shape) in enumerate(rows)
    }
    read = read_safetensors(save(tmp_path_factory.mktemp("st") / "net.st", tensors, kinds))
    assert list(read) == list(tensors)
    for name, values in tensors.items():
        expected = values.astype("<u4") << 16 if kinds[name] == "BF16" else values
        found = read[name].view("<u4") if kinds[name] == "BF16" else read[name]
        assert found.shape == values.shape
        assert (found == expected).all()


def test_halves_of_both_kinds_become_floats(tmp_path):
    # 1.5 is 0x3fc00000 in float32, of which bfloat16 keeps the upper half.
    tensors = {"bf": np.array([0x3FC0], "<u2"), "half": np.array([1.5], "<f2")}
    read = read_safetensors(save(tmp_path / "a", tensors, {"bf": "BF16", "half": "F16"}))
    assert [read[name].dtype for name in read] == [np.float32, np.float32]
    assert [float(read[name][0]) for name in read] == [1.5, 1.5]


ENTRY = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


@pytest.mark.parametrize(
    ("table", "size", "problem"),
    [
        (b"[]", 0, "no JSON object"),
        (b"{", 0, "no JSON"),
        (b"[" * 100_000, 0, "no JSON"),
        (b'{"a": 1, "a": 2}', 0, "no JSON"),
        ({}, 0, "no tensors"),
        ({"a": 3}, 0, "not of a type, a shape and offsets"),
        ({"a": ENTRY | {"dtype": "F8_E4M3"}}, 8, "'F8_E4M3'; known are F64"),
        ({"a": ENTRY | {"dtype": ["F32"]}}, 8, "elements of type"),
        ({"a": ENTRY | {"shape": [-2]}}, 8, "no natural number"),
        ({"a": ENTRY | {"shape": [True, 2]}}, 8, "no natural number"),
        ({"a": ENTRY | {"shape": [3]}}, 8, "does not fit its bytes"),
        ({"a": ENTRY | {"shape": [2**40, 2**40]}}, 8, "does not fit its bytes"),
        ({"a": ENTRY | {"shape": [1] * 33, "data_offsets": [0, 4]}}, 4, "does not fit its bytes"),
        ({"a": ENTRY | {"data_offsets": [8, 0]}}, 8, "does not fit its bytes"),
        ({"a": ENTRY, "b": ENTRY}, 8, "overlap"),
        ({"a": ENTRY | {"data_offsets": [8, 16]}}, 16, "leave a gap"),
        ({"a": ENTRY}, 7, "need 8 bytes, it has 7"),
        ({"a": ENTRY}, 9, "need 8 bytes, it has 9"),
    ],
)
def test_a_table_that_does_not_fit_its_bytes_is_refused(tmp_path, table, size, problem):
    with pytest.raises(WeightsFileError, match=problem) as caught:
        read_safetensors(written(tmp_path / "net.safetensors", table, b"\0" * size))
    assert caught.value.exit_code == 3


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_file_cut_off_or_changed_anywhere_is_refused_or_read(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("st") / "net.safetensors"
    values = {"a": np.arange(6, dtype="<f4").reshape(2, 3)}
    content = save(path, values, {"a": "F32"}).read_bytes()
    cut = data.draw(st.integers(0, len(content) - 1))
    path.write_bytes(content[:cut])
    with pytest.raises(WeightsFileError):
        read_safetensors(path)
    changed = bytearray(content)
    changed[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(changed))
    try:
        read = read_safetensors(path)
    except WeightsFileError:
        return
    assert sum(each.nbytes for each in read.values()) <= 24


def test_what_is_no_file_is_refused(tmp_path):
    with pytest.raises(WeightsFileError, match="not a regular file"):
        read_safetensors(tmp_path)
    with pytest.raises(WeightsFileError, match="cannot be read"):
        read_safetensors(tmp_path / "none")
