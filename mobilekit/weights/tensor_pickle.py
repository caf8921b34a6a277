"""Pickles of tensors, run by a machine that knows tensors and nothing else.

A pickle is a program. Python's own unpickler, even with a strict `find_class`, leaves doors open:
BUILD sets attributes on whatever is allowed, the cache of the extension registry is asked before
`find_class`, and five bytes with a large memo index make it allocate gigabytes. So the program is
read with `pickletools` and run here. An instruction that tensors do not need is refused; a global
is a name that is looked up in GLOBALS and never imported; nothing is ever called but the functions
below, which make records. What a pickle can make the machine hold is linear in its length.
"""

from __future__ import annotations

import math
import pickletools
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import IO

# How the elements of a typed storage lie in the file (numpy's names); all are little-endian.
# BFloat16 is the upper half of a float32, which numpy has no name for.
STORAGE_DTYPES: Mapping[str, str] = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "BFloat16Storage": "<u2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "|i1",
    "ByteStorage": "|u1",
    "BoolStorage": "|u1",
}

ORDERED_DICT = "collections OrderedDict"
REBUILD_PARAMETER = "torch._utils _rebuild_parameter"
# The rebuilders of tensors, and with how many arguments PyTorch calls them: storage, offset, shape
# and strides come first; what follows (gradients, hooks, metadata) is of no use here.
REBUILD_TENSOR: Mapping[str, tuple[int, ...]] = {
    "torch._utils _rebuild_tensor": (4,),  # before PyTorch 0.4
    "torch._utils _rebuild_tensor_v2": (6, 7),
}
GLOBALS = frozenset(
    {
        ORDERED_DICT,
        REBUILD_PARAMETER,
        *REBUILD_TENSOR,
        *(f"torch {name}" for name in STORAGE_DTYPES),
    }
)

# Beyond this even an empty tensor's shape is nonsense, and arithmetic on it overflows.
MAX_ELEMENTS = 2**40
MAX_DIMENSIONS = 32

# Of all dictionaries that are made of lists; the largest networks have some thousand tensors.
MAX_PAIRS = 1_000_000


class RefusedPickleError(Exception):
    """The pickle is damaged, or asks for what no tensor needs; the text is a clause about it."""


class RefusedGlobalError(RefusedPickleError):
    """The pickle names a function or class that no tensor needs: it is foreign, or an attack."""


@dataclass(frozen=True, kw_only=True)
class Storage:
    """A run of elements that lies elsewhere in the file.

    Attributes:
        key: Its name in the file.
        kind: A key of STORAGE_DTYPES.
        count: Its length in elements.
    """

    key: str
    kind: str
    count: int

    @property
    def item_bytes(self) -> int:
        """The size of one element."""
        return int(STORAGE_DTYPES[self.kind][2:])


@dataclass(frozen=True, kw_only=True)
class StoredTensor:
    """A tensor as a view of its storage; offset and strides are in elements and stay within it."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


@dataclass(frozen=True)
class Global:
    """A name of GLOBALS, "<module> <name>". It stands for itself: nothing is imported."""

    name: str


def run(file: IO[bytes]) -> object:
    """Runs the pickle that starts at the position of `file`, and leaves `file` behind it.

    Args:
        file: Its `read` must not allocate more than the file holds, whatever it is asked for.

    Returns:
        A `StoredTensor`, `Storage` or `Global`, a plain value, or tuples, lists and dicts of them.

    Raises:
        RefusedPickleError: If it is truncated, no pickle, or asks for anything else.
    """
    machine = _Machine()
    try:
        with warnings.catch_warnings():
            # genops warns of a backslash in a global's name, which no global of a tensor has.
            warnings.simplefilter("error", DeprecationWarning)
            for opcode, argument, _ in pickletools.genops(file):
                machine.step(opcode.name, argument)
    except (ValueError, DeprecationWarning) as error:  # what genops says of bytes that are none
        raise RefusedPickleError(f"its pickle is damaged ({printable(error)})") from error
    return machine.pop()


class _Machine:
    """The stack, the marks and the memo of one running pickle."""

    def __init__(self) -> None:
        self._stack: list[object] = []
        self._below: list[list[object]] = []  # what lies below each mark
        self._memo: dict[int, object] = {}
        self._pairs_left = MAX_PAIRS

    def step(self, name: str, argument: object) -> None:
        if name in _LITERALS:
            self._stack.append(argument)
        elif name in _CONSTANTS:
            self._stack.append(_CONSTANTS[name])
        elif name in _MEMO_PUTS:
            self._memo[_integer(argument)] = self._top()
        elif name in _MEMO_GETS:
            self._stack.append(self._recall(_integer(argument)))
        elif name in _ACTIONS:
            _ACTIONS[name](self)
        elif name == "GLOBAL":
            self._stack.append(_find(str(argument)))
        elif name == "INST":  # GLOBAL and a call in one, which PyTorch never wrote
            raise _refusal(str(argument))
        elif name not in _IGNORED:
            raise RefusedPickleError(f"its pickle uses {name}, which no tensor needs")

    def pop(self) -> object:
        top = self._top()
        self._stack.pop()
        return top

    def _top(self) -> object:
        if not self._stack:
            raise RefusedPickleError("its pickle is damaged (it takes from an empty stack)")
        return self._stack[-1]

    def _recall(self, index: int) -> object:
        if index not in self._memo:
            raise RefusedPickleError(f"its pickle is damaged (nothing is stored under {index})")
        return self._memo[index]

    def mark(self) -> None:
        self._below.append(self._stack)
        self._stack = []

    def _pop_to_mark(self) -> list[object]:
        if not self._below:
            raise RefusedPickleError("its pickle is damaged (a mark is missing)")
        items, self._stack = self._stack, self._below.pop()
        return items

    def memoize(self) -> None:
        self._memo[len(self._memo)] = self._top()

    def stack_global(self) -> None:
        name, module = self.pop(), self.pop()
        if not isinstance(name, str) or not isinstance(module, str):
            raise RefusedPickleError("its pickle is damaged (a global's name is no text)")
        self._stack.append(_find(f"{module} {name}"))

    def empty_list(self) -> None:
        self._stack.append([])

    def empty_dict(self) -> None:
        self._stack.append({})

    def tuple_to_mark(self) -> None:
        items = self._pop_to_mark()  # first: it also exchanges the stack
        self._stack.append(tuple(items))

    def tuple_of(self, count: int) -> None:
        self._stack.append(tuple(reversed([self.pop() for _ in range(count)])))

    def append(self) -> None:
        self._extend([self.pop()])

    def appends(self) -> None:
        self._extend(self._pop_to_mark())

    def _extend(self, items: list[object]) -> None:
        target = self._top()
        if not isinstance(target, list):
            raise RefusedPickleError("its pickle is damaged (it appends to what is no list)")
        target.extend(items)

    def set_item(self) -> None:
        value, key = self.pop(), self.pop()
        self._update([key, value])

    def set_items(self) -> None:
        self._update(self._pop_to_mark())

    def _update(self, items: list[object]) -> None:
        target = self._top()
        if not isinstance(target, dict) or len(items) % 2:
            raise RefusedPickleError("its pickle is damaged (it fills what is no dictionary)")
        for key, value in zip(items[::2], items[1::2], strict=True):
            # Hashing a tuple of tuples of the same tuple takes time exponential in their depth.
            if not isinstance(key, str | int) or (isinstance(key, int) and abs(key) >= 2**64):
                raise RefusedPickleError(
                    "its pickle has a dictionary key that is no text or number"
                )
            target[key] = value

    def reduce(self) -> None:
        arguments, function = self.pop(), self.pop()
        if not isinstance(function, Global) or not isinstance(arguments, tuple):
            raise RefusedPickleError("its pickle is damaged (it calls what cannot be called)")
        if function.name == ORDERED_DICT:
            self.empty_dict()
            self._update(self._pairs(arguments))
        else:
            self._stack.append(_call(function.name, arguments))

    def _pairs(self, arguments: tuple[object, ...]) -> list[object]:
        """Keys and values of `OrderedDict([[key, value], …])`, which is how Python 2 wrote it."""
        pairs = arguments[0] if arguments else []
        if not isinstance(pairs, list) or len(arguments) > 1:
            raise RefusedPickleError("its pickle makes a dictionary of what is no list")
        # One list may be named again and again: each time it is a new dictionary, of any length.
        self._pairs_left -= len(pairs)
        if self._pairs_left < 0:
            raise RefusedPickleError(f"its pickle has over {MAX_PAIRS:,} dictionary entries")
        if not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in pairs):
            raise RefusedPickleError("its pickle makes a dictionary of what are no pairs")
        return [item for pair in pairs for item in pair]

    def build(self) -> None:
        """Drops the state of a state_dict: PyTorch's bookkeeping, which no weight needs."""
        self.pop()
        if not isinstance(self._top(), dict):
            raise RefusedPickleError("its pickle gives attributes to what is no dictionary")

    def persistent_id(self) -> None:
        self._stack.append(_storage(self.pop()))


def _find(name: str) -> Global:
    if name not in GLOBALS:
        raise _refusal(name)
    return Global(name)


def _refusal(name: str) -> RefusedPickleError:
    dotted = name.replace(" ", ".", 1)
    if not all(part.isidentifier() for part in dotted.split(".")):
        return RefusedPickleError("its pickle is damaged (a global has an impossible name)")
    return RefusedGlobalError(
        f"its pickle asks for {printable(dotted)}, which no tensor needs; nothing of it was run"
    )


def _call(function: str, arguments: tuple[object, ...]) -> object:
    if len(arguments) in REBUILD_TENSOR.get(function, ()):
        return _stored_tensor(*arguments[:4])
    if function == REBUILD_PARAMETER and len(arguments) == 3:
        if isinstance(arguments[0], StoredTensor):
            return arguments[0]
        raise RefusedPickleError("its pickle has a parameter that is no tensor")
    raise RefusedPickleError(
        f"its pickle calls {function.replace(' ', '.')} with {len(arguments)} arguments,"
        " which PyTorch does not"
    )


def _storage(persistent_id: object) -> Storage:
    """("storage", type, key, device, count), and in older files a sixth: None, or a view."""
    if not isinstance(persistent_id, tuple) or len(persistent_id) not in (5, 6):
        raise RefusedPickleError("its pickle refers to something that is no storage")
    tag, kind, key, _, count, *view = persistent_id
    if tag != "storage" or not isinstance(kind, Global) or not isinstance(key, str):
        raise RefusedPickleError("its pickle refers to something that is no storage")
    if view not in ([], [None]):
        raise RefusedPickleError(
            "it has a storage that is a view of another, which is not supported"
        )
    kind_name = kind.name.removeprefix("torch ")
    if kind_name not in STORAGE_DTYPES or type(count) is not int or not 0 <= count <= MAX_ELEMENTS:
        raise RefusedPickleError("its pickle has a storage without a type or a length")
    return Storage(key=key, kind=kind_name, count=count)


def _stored_tensor(storage: object, offset: object, shape: object, strides: object) -> StoredTensor:
    if not isinstance(storage, Storage) or type(offset) is not int or offset < 0:
        raise RefusedPickleError("its pickle has a tensor without a storage or an offset")
    sizes, steps = _naturals(shape), _naturals(strides)
    elements = math.prod(max(1, size) for size in sizes)
    if len(sizes) != len(steps) or len(sizes) > MAX_DIMENSIONS or elements > MAX_ELEMENTS:
        raise RefusedPickleError("its pickle has a tensor of an impossible shape")
    if 0 not in sizes:
        last = offset + sum((size - 1) * step for size, step in zip(sizes, steps, strict=True))
        # More elements than the storage has: a view that repeats some, and grows when it is copied.
        if last >= storage.count or elements > storage.count:
            raise RefusedPickleError(
                f"its pickle has a tensor of shape {sizes} that does not fit its storage of"
                f" {storage.count} elements"
            )
    return StoredTensor(storage=storage, offset=offset, shape=sizes, strides=steps)


def _naturals(value: object) -> tuple[int, ...]:
    if not isinstance(value, tuple) or not all(type(item) is int for item in value):
        raise RefusedPickleError("its pickle has a tensor whose shape is no tuple of numbers")
    if min(value, default=0) < 0 or max(value, default=0) > MAX_ELEMENTS:
        raise RefusedPickleError(
            "its pickle has a tensor with a negative or enormous size or stride"
        )
    return value


def _integer(value: object) -> int:
    if not isinstance(value, int):
        raise RefusedPickleError("its pickle is damaged (a memo index is no number)")
    return value


def printable(value: object) -> str:
    """`value` as a short ASCII line: a hostile file may not write what it likes into a message."""
    text = ascii(str(value))[1:-1]
    return text if len(text) <= 100 else f"{text[:100]}…"


# Instructions whose argument is the value.
_LITERALS = frozenset(
    {"BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT"}
    | {"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"}
    | {"SHORT_BINSTRING", "BINSTRING", "SHORT_BINBYTES", "BINBYTES", "BINBYTES8"}
)
_CONSTANTS: Mapping[str, object] = {
    "NONE": None,
    "NEWTRUE": True,
    "NEWFALSE": False,
    "EMPTY_TUPLE": (),
}
_MEMO_PUTS = frozenset(("BINPUT", "LONG_BINPUT"))
_MEMO_GETS = frozenset(("BINGET", "LONG_BINGET"))
_IGNORED = frozenset(("PROTO", "FRAME", "STOP"))
_ACTIONS: Mapping[str, Callable[[_Machine], None]] = {
    "MARK": _Machine.mark,
    "MEMOIZE": _Machine.memoize,
    "STACK_GLOBAL": _Machine.stack_global,
    "EMPTY_LIST": _Machine.empty_list,
    "EMPTY_DICT": _Machine.empty_dict,
    "TUPLE": _Machine.tuple_to_mark,
    "TUPLE1": lambda machine: machine.tuple_of(1),
    "TUPLE2": lambda machine: machine.tuple_of(2),
    "TUPLE3": lambda machine: machine.tuple_of(3),
    "APPEND": _Machine.append,
    "APPENDS": _Machine.appends,
    "SETITEM": _Machine.set_item,
    "SETITEMS": _Machine.set_items,
    "REDUCE": _Machine.reduce,
    "BUILD": _Machine.build,
    "BINPERSID": _Machine.persistent_id,
}
