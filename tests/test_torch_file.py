"""PyTorch's files are read without PyTorch; nothing that a hostile one holds is ever run."""

from __future__ import annotations

import functools
import io
import os
import pickle
import struct
import sys
import types
import warnings
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mobilekit.core.errors import WeightsFileError
from mobilekit.weights.tensor_pickle import MAX_PAIRS
from mobilekit.weights.torch_file import MAGIC, PROTOCOL, read_torch_file

DATA = Path(__file__).parents[1] / "build" / "data"

# The test's own writer: pickles put together from instructions, as PyTorch's come out.
STOP, MARK, TUPLE, REDUCE, PERSISTENT, BUILD = b".", b"(", b"t", b"R", b"Q", b"b"
NONE, FALSE, EMPTY_DICT, EMPTY_LIST, SETITEMS, APPENDS = b"N", b"\x89", b"}", b"]", b"u", b"e"
KINDS = {
    "float64": "Double",
    "float32": "Float",
    "float16": "Half",
    "int64": "Long",
    "int32": "Int",
    "int16": "Short",
    "int8": "Char",
    "uint8": "Byte",
    "bool": "Bool",
}


def text(value: str) -> bytes:
    encoded = value.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(encoded)) + encoded


def number(value: int) -> bytes:
    return b"\x8a\x0b" + value.to_bytes(11, "little", signed=True)


def tuple_(*items: bytes) -> bytes:
    return MARK + b"".join(items) + TUPLE


def name(module: str, attribute: str) -> bytes:
    return f"c{module}\n{attribute}\n".encode()


def call(function: bytes, *arguments: bytes) -> bytes:
    return function + tuple_(*arguments) + REDUCE


ORDERED_DICT = call(name("collections", "OrderedDict"))


def storage(key: str, kind: str, count: int, *view: bytes) -> bytes:
    kind_name = name("torch", f"{kind}Storage")
    return tuple_(text("storage"), kind_name, text(key), text("cpu"), number(count), *view) + (
        PERSISTENT
    )


def tensor(
    stored: bytes, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *more: bytes
) -> bytes:
    return call(
        name("torch._utils", "_rebuild_tensor_v2"),
        stored,
        number(offset),
        tuple_(*map(number, shape)),
        tuple_(*map(number, strides)),
        FALSE,
        ORDERED_DICT,
        *more,
    )


def dictionary(items: Mapping[str, bytes]) -> bytes:
    return EMPTY_DICT + MARK + b"".join(text(key) + item for key, item in items.items()) + SETITEMS


def program(*parts: bytes) -> bytes:
    return b"\x80\x02" + b"".join(parts) + STOP


def stream(top: bytes, storages: Mapping[str, bytes], counts: Mapping[str, int]) -> bytes:
    machine = {"protocol_version": number(PROTOCOL), "little_endian": b"\x88"}
    parts = [
        program(number(MAGIC)),
        program(number(PROTOCOL)),
        program(dictionary(machine)),
        program(top),
        program(EMPTY_LIST, MARK, *map(text, storages), APPENDS),
    ]
    parts += [struct.pack("<q", counts[key]) + content for key, content in storages.items()]
    return b"".join(parts)


def archive(
    top: bytes, storages: Mapping[str, bytes], compression: int = zipfile.ZIP_STORED
) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as file:
        file.writestr("net/data.pkl", program(top))
        file.writestr("net/byteorder", "little")
        for key, content in storages.items():
            file.writestr(f"net/data/{key}", content)
        file.writestr("net/version", "3\n")
    return buffer.getvalue()


def both(top: bytes, storages: Mapping[str, bytes], counts: Mapping[str, int]) -> list[bytes]:
    return [stream(top, storages, counts), archive(top, storages)]


def c_strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(int(np.prod(shape[axis + 1 :], dtype=int)) for axis in range(len(shape)))


def written(arrays: Mapping[str, np.ndarray]) -> list[bytes]:
    """The two files that PyTorch would write of a state_dict of `arrays`."""
    top, storages, counts = {}, {}, {}
    for index, (key, array) in enumerate(arrays.items()):
        stored = storage(str(index), KINDS[array.dtype.name], array.size)
        top[key] = tensor(stored, 0, array.shape, c_strides(array.shape))
        storages[str(index)] = array.tobytes()
        counts[str(index)] = array.size
    return both(dictionary(top), storages, counts)


ARRAYS = {
    "features.0.weight": np.arange(24, dtype=np.float32).reshape(2, 3, 2, 2),
    "features.1.num_batches_tracked": np.array(7, dtype=np.int64),
    "classifier.bias": np.array([0.5, -1.0], dtype=np.float32),
}
ONE = {"w": np.arange(6, dtype=np.float32)}
SIX = storage("0", "Float", 6)
SIX_OF_OLD = storage("0", "Float", 6, NONE)  # old files have a sixth entry
SHORTER = storage("0", "Float", 5)
SIX_BYTES = {"0": ONE["w"].tobytes()}
FORMATS = pytest.mark.parametrize("form", [0, 1], ids=["stream", "zip"])


@pytest.fixture
def read(tmp_path: Path) -> Callable[[bytes], dict[str, np.ndarray]]:
    def _read(content: bytes) -> dict[str, np.ndarray]:
        (tmp_path / "w.pth").write_bytes(content)
        return read_torch_file(tmp_path / "w.pth")

    return _read


Reader = Callable[[bytes], dict[str, np.ndarray]]


def assert_same(found: Mapping[str, np.ndarray], expected: Mapping[str, np.ndarray]) -> None:
    assert list(found) == list(expected)
    for key, array in expected.items():
        assert found[key].dtype == array.dtype
        assert found[key].shape == array.shape
        assert found[key].tobytes() == array.tobytes()
        assert not found[key].flags.writeable


@FORMATS
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    arrays=st.dictionaries(
        st.text(min_size=1),
        st.sampled_from(sorted(KINDS)).flatmap(
            lambda kind: hnp.arrays(kind, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0))
        ),
        min_size=1,
    )
)
def test_what_was_written_is_read(read: Reader, form: int, arrays: dict[str, np.ndarray]) -> None:
    assert_same(read(written(arrays)[form]), arrays)


class StoredAs:
    """Stands for a typed storage of PyTorch: a pickler writes it as a persistent id."""

    def __init__(self, key: str, count: int) -> None:
        self.key, self.count = key, count


class Reduced:
    """Stands for a tensor: a pickler writes the call that rebuilds it."""

    def __init__(self, function: object, arguments: tuple[object, ...]) -> None:
        self.function, self.arguments = function, arguments

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return self.function, self.arguments


def torch_names(monkeypatch: pytest.MonkeyPatch) -> types.SimpleNamespace:
    """Functions and classes that pickle under PyTorch's names, which is all a pickler looks at."""
    names = types.SimpleNamespace()
    for module, attribute in (
        ("torch", "FloatStorage"),
        ("torch._utils", "_rebuild_tensor_v2"),
        ("torch._utils", "_rebuild_parameter"),
    ):
        stand_in = type(attribute, (), {"__module__": module})
        if module not in sys.modules:
            monkeypatch.setitem(sys.modules, module, types.ModuleType(module))
        monkeypatch.setattr(sys.modules[module], attribute, stand_in, raising=False)
        setattr(names, attribute, stand_in)
    return names


@FORMATS
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_every_protocol_of_python_s_own_pickler_is_read(
    read: Reader, form: int, protocol: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        torch = torch_names(patch)

        class Pickler(pickle.Pickler):
            def persistent_id(self, value: object) -> object:
                if isinstance(value, StoredAs):
                    return ("storage", torch.FloatStorage, value.key, "cuda:0", value.count)
                return None

        hooks: OrderedDict[str, object] = OrderedDict()
        view = (StoredAs("0", 6), 0, (2, 3), (3, 1), False, hooks)
        weight = Reduced(torch._rebuild_tensor_v2, view)
        state = OrderedDict(w=weight, p=Reduced(torch._rebuild_parameter, (weight, True, hooks)))
        state._metadata = OrderedDict({"": {"version": 1}})  # type: ignore[attr-defined]
        buffer = io.BytesIO()
        Pickler(buffer, protocol).dump({"epoch": 3, "state_dict": state, "lr": 0.1})
    top = buffer.getvalue()[2:-1]
    expected = ONE["w"].reshape(2, 3)
    assert_same(read(both(top, SIX_BYTES, {"0": 6})[form]), {"w": expected, "p": expected})


def test_bfloat16_becomes_float32_exactly(read: Reader) -> None:
    values = np.array([1.0, -2.5, 3.0e38, 0.0], np.float32)
    halves = (values.view(np.uint32) >> 16).astype("<u2")
    top = dictionary({"w": tensor(storage("0", "BFloat16", 4), 0, (4,), (1,))})
    expected = (halves.astype(np.uint32) << 16).view(np.float32)
    for content in both(top, {"0": halves.tobytes()}, {"0": 4}):
        assert_same(read(content), {"w": expected})


def test_a_transposed_slice_of_a_shared_storage_is_read(read: Reader) -> None:
    top = dictionary({"t": tensor(SIX, 1, (2, 2), (1, 3)), "w": tensor(SIX, 0, (6,), (1,))})
    expected = {"t": np.array([[1, 4], [2, 5]], np.float32), **ONE}
    for content in both(top, SIX_BYTES, {"0": 6}):
        assert_same(read(content), expected)


def test_files_of_python_2_and_of_pytorch_before_0_4_are_read(read: Reader) -> None:
    rebuild = name("torch._utils", "_rebuild_tensor")
    old = call(rebuild, SIX_OF_OLD, number(0), tuple_(number(6)), tuple_(number(1)))
    byte_text = b"U\x01w"  # a str of Python 2
    pairs = EMPTY_LIST + MARK + tuple_(byte_text, old) + APPENDS
    top = call(name("collections", "OrderedDict"), pairs)
    assert_same(read(stream(top, SIX_BYTES, {"0": 6})), ONE)


def marker_calls(marker: Path) -> dict[str, tuple[object, tuple[object, ...], str]]:
    """What an attack would call, and the global that must be named; each would make `marker`."""
    code = f"open({str(marker)!r}, 'w')"
    return {
        "os.system": (os.system, (f"touch {marker}",), "posix.system"),
        "eval": (eval, (code,), "builtins.eval"),
        "exec": (exec, (code,), "builtins.exec"),
        "partial": (functools.partial, (os.system, f"touch {marker}"), "functools.partial"),
        "open": (io.open, (str(marker), "w"), "io.open"),
    }


@pytest.mark.parametrize("place", ["bare", "magic", "object", "keys", "zip"])
@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("attack", sorted(marker_calls(Path("m"))))
def test_a_malicious_pickle_is_named_and_not_run(
    read: Reader, tmp_path: Path, attack: str, protocol: int, place: str
) -> None:
    marker = tmp_path / "marker"
    function, arguments, named = marker_calls(marker)[attack]
    evil = pickle.dumps(Reduced(function, arguments), protocol)
    honest = program(dictionary({"little_endian": b"\x88"}))
    head = program(number(MAGIC)) + program(number(PROTOCOL)) + honest
    top = program(dictionary({"w": tensor(SIX, 0, (6,), (1,))}))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("net/data.pkl", evil)
    content = {
        "bare": evil,
        "magic": evil + program(number(MAGIC)),
        "object": head + evil,
        "keys": head + top + evil,
        "zip": buffer.getvalue(),
    }[place]
    with pytest.raises(
        WeightsFileError, match=named.replace("builtins.", r"(builtins|__builtin__)\.")
    ):
        read(content)
    assert not marker.exists()


HOSTILE = {
    "STACK_GLOBAL": (text("posix") + text("system") + b"\x93", "posix.system"),
    "INST": (MARK + text("true") + b"iposix\nsystem\n", "posix.system"),
    "copyreg": (name("copyreg", "_reconstructor"), "copyreg._reconstructor"),
    "numpy": (name("numpy.core.multiarray", "_reconstruct"), "numpy.core.multiarray._reconstruct"),
    "torch.load": (name("torch.serialization", "load"), "torch.serialization.load"),
    "dotted": (
        text("collections") + text("OrderedDict.__init__") + b"\x93",
        "OrderedDict.__init__",
    ),
    "EXT1": (b"\x82\x01", "EXT1"),
    "NEWOBJ": (name("collections", "OrderedDict") + tuple_() + b"\x81", "NEWOBJ"),
    "OBJ": (MARK + name("collections", "OrderedDict") + b"o", "OBJ"),
    "NEXT_BUFFER": (b"\x97", "NEXT_BUFFER"),
    "set": (b"\x8f", "EMPTY_SET"),
    "state of a global": (
        name("torch._utils", "_rebuild_tensor_v2") + EMPTY_DICT + BUILD,
        "attributes",
    ),
    "state of a tensor": (tensor(SIX, 0, (6,), (1,)) + EMPTY_DICT + BUILD, "attributes"),
    "call of a type": (call(name("torch", "FloatStorage"), number(1 << 40)), "calls torch.FloatSt"),
    "call of a number": (number(1) + tuple_() + REDUCE, "what cannot be called"),
    "argument that is no tensor": (
        call(name("torch._utils", "_rebuild_parameter"), NONE, FALSE, NONE),
        "a parameter that is no tensor",
    ),
    "dictionary of a number": (call(name("collections", "OrderedDict"), number(1)), "no list"),
    "dictionary of no pairs": (
        call(name("collections", "OrderedDict"), EMPTY_LIST + number(1) + b"a"),
        "no pairs",
    ),
    "tuple as key": (EMPTY_DICT + tuple_() + NONE + b"s", "no text or number"),
    "enormous key": (
        EMPTY_DICT + b"\x8a\xff" + bytes([1] * 255) + NONE + b"s",
        "no text or number",
    ),
    "append to a tuple": (tuple_() + NONE + b"a", "no list"),
    "item of a list": (EMPTY_LIST + NONE + NONE + b"s", "no dictionary"),
    "odd items": (EMPTY_DICT + MARK + NONE + SETITEMS, "no dictionary"),
    "no mark": (TUPLE, "a mark is missing"),
    "empty stack": (MARK + b"\x85", "empty stack"),
    "unknown memo": (b"h\x07", "nothing is stored under 7"),
    "backslash": (b"ctorch\\(\nload\n", "damaged"),
    "no name": (NONE + NONE + b"\x93", "name is no text"),
    "long text": (b"X\xff\xff\xff\x7fshort", "damaged"),
    "longer text": (b"\x8d" + b"\xff" * 7 + b"\x7f", "damaged"),
    "long bytes": (b"\x8e" + b"\xff" * 7 + b"\x3f", "damaged"),
    "long number": (b"\x8b\xff\xff\xff\x7f", "damaged"),
    "byte array": (b"\x96" + struct.pack("<Q", 1 << 40), "damaged|BYTEARRAY8"),
    "persistent number": (number(1) + PERSISTENT, "no storage"),
    "persistent module": (tuple_(*[text("module")] * 5) + PERSISTENT, "no storage"),
    "view of a storage": (storage("0", "Float", 6, tuple_()), "a view of another"),
    "storage of a dictionary": (
        tuple_(text("storage"), name("collections", "OrderedDict"), text("0"), NONE, number(6))
        + PERSISTENT,
        "without a type or a length",
    ),
    "negative storage": (storage("0", "Float", -1), "without a type or a length"),
    "enormous storage": (storage("0", "Float", 1 << 62), "without a type or a length"),
    "negative offset": (tensor(SIX, -1, (1,), (1,)), "without a storage or an offset"),
    "offset behind the end": (tensor(SIX, 6, (1,), (1,)), "does not fit"),
    "size behind the end": (tensor(SIX, 0, (7,), (1,)), "does not fit"),
    "stride behind the end": (tensor(SIX, 0, (2, 3), (4, 1)), "does not fit"),
    "negative size": (tensor(SIX, 0, (-2,), (1,)), "negative"),
    "negative stride": (tensor(SIX, 5, (2,), (-1,)), "negative"),
    "repeated elements": (tensor(SIX, 0, (1 << 20, 1 << 20), (0, 0)), "does not fit"),
    "overlapping rows": (tensor(SIX, 0, (3, 4), (1, 1)), "does not fit"),
    "enormous and empty": (tensor(SIX, 0, (0, 1 << 39, 1 << 39), (1, 1, 1)), "impossible shape"),
    "another rank": (tensor(SIX, 0, (6,), (1, 1)), "impossible shape"),
    "rank 33": (tensor(SIX, 0, (1,) * 33, (1,) * 33), "impossible shape"),
}


@FORMATS
@pytest.mark.parametrize("case", HOSTILE)
def test_an_instruction_that_no_tensor_needs_is_refused(read: Reader, form: int, case: str) -> None:
    part, sentence = HOSTILE[case]
    top = dictionary({"w": tensor(SIX, 0, (6,), (1,)), "x": part})
    with pytest.raises(WeightsFileError, match=sentence) as caught:
        read(both(top, SIX_BYTES, {"0": 6})[form])
    assert caught.value.exit_code == 3
    assert len(str(caught.value)) < 500


def test_memory_and_time_stay_linear_in_the_file(read: Reader) -> None:
    memo = number(1) + b"r\xff\xff\xff\x7f"  # Python's own unpickler would allocate 32 GiB here
    # A pair of the pair before, a hundred times over: hashing or comparing it would never end.
    pairs = tuple_() + b"".join(b"q%ch%c\x86" % (i, i) for i in range(100))
    top = dictionary({"w": tensor(SIX, 0, (6,), (1,)), "x": memo, "y": pairs})
    with pytest.raises(WeightsFileError, match="'x' is no tensor"):
        read(archive(top, SIX_BYTES))
    with pytest.raises(WeightsFileError, match="no text or number"):
        read(archive(EMPTY_DICT + pairs + NONE + b"s", {}))


def test_a_list_that_is_made_a_dictionary_again_and_again_is_refused(read: Reader) -> None:
    length, times = 20_000, MAX_PAIRS // 20_000 + 1
    pairs = EMPTY_LIST + MARK + (number(1) + NONE + b"\x86") * length + APPENDS + b"q\x00"
    again = name("collections", "OrderedDict") + b"h\x00\x85" + REDUCE
    with pytest.raises(WeightsFileError, match="over 1,000,000 dictionary entries"):
        read(archive(pairs + again * times, {}))


def test_tensors_that_claim_many_times_the_file_are_refused(read: Reader) -> None:
    count = 10_000
    views = {f"w{i}": tensor(storage("0", "Float", count), 0, (count,), (1,)) for i in range(20)}
    for content in both(dictionary(views), {"0": bytes(4 * count)}, {"0": count}):
        with pytest.raises(WeightsFileError, match=r"claim 800,000 bytes"):
            read(content)


TOPS = {
    "a list": (EMPTY_LIST, "it holds a list, not a state_dict"),
    "a tensor": (tensor(SIX, 0, (6,), (1,)), "it holds a StoredTensor, not a state_dict"),
    "nothing": (EMPTY_DICT, "it holds no tensors"),
    "a number": (dictionary({"epoch": number(3)}), "'epoch' is no tensor but of type int"),
    "a model": (dictionary({"model": EMPTY_DICT}), "'model' is no tensor but of type dict"),
    "a numbered tensor": (
        EMPTY_DICT + number(1) + tensor(SIX, 0, (6,), (1,)) + b"s",
        "'1' is no tensor",
    ),
    "two lengths of one storage": (
        dictionary({"w": tensor(SIX, 0, (6,), (1,)), "v": tensor(SHORTER, 0, (5,), (1,))}),
        "disagree about their common storage",
    ),
}


@FORMATS
@pytest.mark.parametrize("case", TOPS)
def test_anything_but_a_state_dict_is_refused(read: Reader, form: int, case: str) -> None:
    top, sentence = TOPS[case]
    with pytest.raises(WeightsFileError, match=sentence):
        read(both(top, SIX_BYTES, {"0": 6})[form])


GOOD_TOP = dictionary({"w": tensor(SIX, 0, (6,), (1,))})
STREAMS = {
    "another protocol": (
        stream(GOOD_TOP, SIX_BYTES, {"0": 6}).replace(number(PROTOCOL), number(1002), 1),
        "its protocol is not 1001",
    ),
    "big-endian": (
        stream(GOOD_TOP, SIX_BYTES, {"0": 6}).replace(b"\x88", b"\x89", 1),
        "little-endian",
    ),
    "another length": (stream(GOOD_TOP, SIX_BYTES, {"0": 5}), "another length"),
    "negative length": (stream(GOOD_TOP, SIX_BYTES, {"0": -1}), "another length"),
    "an unknown storage": (
        stream(GOOD_TOP, {**SIX_BYTES, "1": b""}, {"0": 6, "1": 0}),
        "no tensor uses",
    ),
    "a storage too few": (stream(GOOD_TOP, {}, {}), "it lacks 1 of its storages"),
    "more behind it": (stream(GOOD_TOP, SIX_BYTES, {"0": 6}) + b"x", "goes on behind"),
    "keys that are none": (
        stream(GOOD_TOP, {}, {}).removesuffix(program(EMPTY_LIST, MARK, APPENDS)) + program(NONE),
        "is no list",
    ),
}


@pytest.mark.parametrize("case", STREAMS)
def test_a_stream_that_contradicts_itself_is_refused(read: Reader, case: str) -> None:
    content, sentence = STREAMS[case]
    with pytest.raises(WeightsFileError, match=sentence):
        read(content)


def zipped(entries: Mapping[str, bytes | str], compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", compression) as file:
        for entry, content in entries.items():
            file.writestr(entry, content)
    return buffer.getvalue()


PICKLED = program(GOOD_TOP)
ZIPS = {
    "compressed": (archive(GOOD_TOP, SIX_BYTES, zipfile.ZIP_DEFLATED), "is compressed"),
    "no pickle": (zipped({"net/version": "3"}), "not one that PyTorch wrote"),
    "two pickles": (zipped({"a/data.pkl": PICKLED, "b/data.pkl": PICKLED}), "not one that PyTorch"),
    "no storage": (zipped({"a/data.pkl": PICKLED}), "data/0 is missing"),
    "short storage": (zipped({"a/data.pkl": PICKLED, "a/data/0": b"1234"}), "impossible size"),
    "big-endian": (
        zipped({"a/data.pkl": PICKLED, "a/data/0": SIX_BYTES["0"], "a/byteorder": "big"}),
        "little-endian",
    ),
    "flipped bit": (
        archive(GOOD_TOP, SIX_BYTES).replace(SIX_BYTES["0"], b"\x01" + SIX_BYTES["0"][1:]),
        "CRC",
    ),
    "encrypted": (
        # Bit 0 of the flags, in the local header and in the directory.
        archive(GOOD_TOP, SIX_BYTES)
        .replace(b"PK\x03\x04\x14\0\0\0", b"PK\x03\x04\x14\0\1\0")
        .replace(b"PK\x01\x02\x14\x03\x14\0\0\0", b"PK\x01\x02\x14\x03\x14\0\1\0"),
        "is encrypted",
    ),
}


@pytest.mark.parametrize("case", ZIPS)
def test_an_archive_that_pytorch_did_not_write_is_refused(read: Reader, case: str) -> None:
    content, sentence = ZIPS[case]
    with pytest.raises(WeightsFileError, match=sentence):
        read(content)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_entries_of_one_name_are_refused(read: Reader) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("a/data.pkl", PICKLED)
        file.writestr("a/data.pkl", PICKLED)
    with pytest.raises(WeightsFileError, match="not one that PyTorch wrote"):
        read(buffer.getvalue())


@FORMATS
@pytest.mark.parametrize("twentieth", range(20))
def test_a_truncated_file_is_refused_in_one_sentence(
    read: Reader, form: int, twentieth: int
) -> None:
    content = written(ARRAYS)[form]
    with pytest.raises(WeightsFileError) as caught:
        read(content[: len(content) * twentieth // 20])
    assert str(caught.value).count("\n") == 0


@FORMATS
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(position=st.integers(0, 1 << 20), value=st.integers(0, 255))
def test_a_changed_byte_is_refused_or_stays_within_the_file(
    read: Reader, form: int, position: int, value: int
) -> None:
    content = bytearray(written(ARRAYS)[form])
    content[position % len(content)] = value
    try:
        arrays = read(bytes(content))
    except WeightsFileError:
        return
    assert sum(array.nbytes for array in arrays.values()) <= 8 * len(content)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(content=st.binary(max_size=300))
def test_any_bytes_are_refused(read: Reader, content: bytes) -> None:
    with pytest.raises(WeightsFileError):
        read(content)


@pytest.mark.parametrize(
    "content",
    [
        b"# notes\nNothing here is a network.\n",
        b"class Net:\n    pass\n",
        b"import os\nos.system('ls')\n",
        b'{"weights": []}',
        b"\x89PNG\r\n\x1a\n",
        program(number(7)),
    ],
)
def test_a_file_of_another_kind_is_called_that(read: Reader, content: bytes) -> None:
    with pytest.raises(WeightsFileError, match="neither a zip archive nor a stream as PyTorch"):
        read(content)


def test_an_empty_file_a_folder_a_pipe_and_no_file_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    os.mkfifo(tmp_path / "pipe")
    for path, sentence in {
        tmp_path / "empty": "it is empty",
        tmp_path: "it is not a regular file",
        tmp_path / "pipe": "it is not a regular file",
        tmp_path / "none": "it cannot be read (No such file or directory)",
    }.items():
        with pytest.raises(WeightsFileError) as caught:
            read_torch_file(path)
        assert str(caught.value) == f"{path} holds no weights that can be used: {sentence}."


@pytest.mark.needs_data
def test_torchvision_s_mobilenet_v2_is_read_whole() -> None:
    arrays = read_torch_file(DATA / "weights" / "mobilenet_v2-b0353104.pth")
    assert len(arrays) == 314
    trained = [array for array in arrays.values() if array.dtype == np.float32]
    statistics = [key for key in arrays if key.rpartition(".")[2].startswith("running")]
    # Sandler et al. 2018: 3.4 M parameters; torchvision's documentation: 3,504,872.
    assert sum(array.size for array in trained) - sum(arrays[k].size for k in statistics) == (
        3_504_872
    )
    assert arrays["classifier.1.weight"].shape == (1000, 1280)
    assert all(np.isfinite(array).all() for array in trained)
