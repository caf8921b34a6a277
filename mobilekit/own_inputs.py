"""A user's own inputs of a benchmark: files that fit the model, or why they do not."""

from __future__ import annotations

import tokenize
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from android_bench.jobs import Reference
from android_bench.runners import RUNNERS
from mobilekit.core.errors import UsageError, nearest
from mobilekit.core.measurement import RunConfig
from mobilekit.formatting import plural, printable

if TYPE_CHECKING:
    from converters.graph import Graph, Signature, Tensor

# What .npy files and both of our runners have in common.
TYPES = frozenset(
    {"bool", "float16", "float32", "float64"}
    | {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}
)
BLOCK_BYTES = 16 << 20  # of a stack, looked at in one go
# What numpy raises for a file that is none of its own, or a damaged one.
NO_NPY = (ValueError, OSError, EOFError, OverflowError, SyntaxError, tokenize.TokenError)


@dataclass(frozen=True, kw_only=True)
class _Input:
    """One input of a model: its name for people, and the shape it has when the model runs."""

    name: str
    tensor: Tensor
    shape: tuple[int, ...]

    @property
    def dtype(self) -> np.dtype[Any] | None:
        """None where NumPy or a runner has no such type."""
        return np.dtype(self.tensor.dtype) if self.tensor.dtype in TYPES else None

    @property
    def wants(self) -> str:
        """E.g. "int8 [count, 1, 8, 8, 3]"."""
        return f"{self.tensor.dtype} [{', '.join(map(str, ('count', *self.shape)))}]"

    def takes(self, row: tuple[int, ...]) -> bool:
        """Whether one of a stack has its shape; a batch dimension of 1 may be left out."""
        return row == self.shape or (self.shape[:1] == (1,) and row == self.shape[1:])


def must_take_inputs(runner: str) -> None:
    """Refuses a runner that cannot be given inputs; raises UsageError."""
    if RUNNERS[runner].gives_outputs:
        return
    able = [row.name for row in RUNNERS.values() if row.gives_outputs]
    raise UsageError(
        f"Runner {runner} draws its inputs itself and shows no outputs: leave --input out, or"
        f" measure with {' or '.join(f'--runner {name}' for name in able)}."
    )


def own_inputs(graph: Graph, config: RunConfig, words: Sequence[str]) -> Reference | None:
    """What a file is measured and checked on, one stack a model input, in the model's order.

    Args:
        graph: The file.
        config: Its signature, the shapes of open inputs and the range of seeded ones are looked at.
        words: "FILE.npy" or "NAME=FILE.npy"; none means seeded inputs.

    Returns:
        The files without any expected answers, which the built-in kernels give; None for seeded
        inputs.

    Raises:
        UsageError: If there is no such signature or input, a file is missing, is no .npy or does
            not fit, or the range does not.
    """
    inputs = _inputs_of(graph, config)
    if config.input_range is not None:
        _check_range(graph, inputs, config.input_range, words)
    if not words:
        return None
    files = _assigned(graph, inputs, words)
    counts = {file: _checked(graph, each, file) for each, file in zip(inputs, files, strict=True)}
    if len(set(counts.values())) > 1:
        found = ", ".join(f"{file} {count}" for file, count in counts.items())
        raise UsageError(f"All inputs need stacks of one length, and these differ: {found}.")
    return Reference(inputs=files)


def _inputs_of(graph: Graph, config: RunConfig) -> list[_Input]:
    signature = _signature(graph, config.signature)
    subgraph = graph.subgraphs[signature.subgraph if signature else 0]
    arguments = {place: name for name, place in signature.inputs.items()} if signature else {}
    inputs = []
    for place in subgraph.inputs:
        tensor = subgraph.tensors[place]
        name = arguments.get(place, tensor.name)
        given = config.shapes.get(name)
        shape = tuple(map(int, given.split(","))) if given else tuple(map(abs, tensor.shape))
        inputs.append(_Input(name=name, tensor=tensor, shape=shape))
    return inputs


def _signature(graph: Graph, key: str | None) -> Signature | None:
    """The one of that name, or the first; None where the file has none."""
    if key is None:
        return graph.signatures[0] if graph.signatures else None
    keys = [signature.key for signature in graph.signatures]
    if key in keys:
        return graph.signatures[keys.index(key)]
    has = f"it has {printable(', '.join(keys))}" if keys else "it has none, so leave it out"
    raise UsageError(f"{graph.name} has no signature {key!r}; {has}.{nearest(key, keys)}")


def _check_range(
    graph: Graph, inputs: Sequence[_Input], limits: tuple[int, int], words: Sequence[str]
) -> None:
    if words:
        raise UsageError("--input-range is for seeded inputs, and --input gives others; name one.")
    whole = [each for each in inputs if each.dtype is not None and each.dtype.kind in "iu"]
    if not whole:
        raise UsageError(
            f"--input-range would change nothing: no input of {graph.name} takes whole numbers."
        )
    for each in whole:
        holds = np.iinfo(each.tensor.dtype)
        if not holds.min <= limits[0] <= limits[1] <= holds.max:
            raise UsageError(
                f"Input {printable(each.name)!r} of {graph.name} is {each.tensor.dtype}, which does"
                f" not hold all of {limits[0]}..{limits[1]}; --input-range must lie within"
                f" {holds.min},{holds.max}."
            )


def _assigned(graph: Graph, inputs: Sequence[_Input], words: Sequence[str]) -> tuple[Path, ...]:
    """One file an input: the named ones where they belong, the others in order."""
    names = [each.name for each in inputs]
    if len(words) != len(inputs):
        raise UsageError(
            f"{graph.name} has {plural(len(inputs), 'input')} ({printable(', '.join(names))}), and"
            f" --input was given for {len(words)}; give it once for each."
        )
    files: dict[int, Path] = {}
    unnamed = []
    for word in words:
        name = _name_in(graph, names, word)
        if name is None:
            unnamed.append(Path(word))
            continue
        free = [place for place, known in enumerate(names) if known == name and place not in files]
        if not free:
            raise UsageError(f"--input names {printable(name)!r} twice.")
        files[free[0]] = Path(word[len(name) + 1 :])
    rest = (place for place in range(len(inputs)) if place not in files)
    files |= dict(zip(rest, unnamed, strict=True))
    return tuple(files[place] for place in range(len(inputs)))


def _name_in(graph: Graph, names: Sequence[str], word: str) -> str | None:
    """The input that a word names; None where it is a path, which may have a "=" as well."""
    found = [name for name in names if name and word.startswith(f"{name}=")]
    if found:
        return max(found, key=len)
    name, equals, _ = word.partition("=")
    if not equals or Path(word).is_file():
        return None
    raise UsageError(
        f"{graph.name} has no input {printable(name)!r}; it has {printable(', '.join(names))}."
        f"{nearest(name, names)}"
    )


def _checked(graph: Graph, each: _Input, file: Path) -> int:
    """How many inputs a file holds, all of which fit; raises UsageError."""
    stack = _open(file)
    found = f"{file} holds {stack.dtype} {list(stack.shape)}"
    wanted = f"input {printable(each.name)!r} of {graph.name} takes"
    if each.dtype is None:
        raise UsageError(f"The {wanted} {each.tensor.dtype}, which no .npy file can hold.")
    if stack.dtype.kind == "f" and each.dtype.kind in "iu":
        raise UsageError(f"{found}, and {wanted} {each.wants}: {_how_to_quantize(each)}.")
    if stack.dtype != each.dtype or not stack.ndim or not each.takes(stack.shape[1:]):
        raise UsageError(f"{found}, and {wanted} {each.wants}.")
    if not len(stack):
        raise UsageError(f"{found}, which is no input at all.")
    rows = max(1, BLOCK_BYTES * len(stack) // max(1, stack.nbytes))
    for start in range(0, len(stack), rows) if stack.dtype.kind == "f" else ():
        bad = np.isnan(stack[start : start + rows])
        if bad.any():
            raise UsageError(
                f"{file} holds NaN in input {start + int(np.argwhere(bad)[0][0])} of"
                f" {len(stack)}, whose answers could not be checked."
            )
    return len(stack)


def _how_to_quantize(each: _Input) -> str:
    known = each.tensor.quantization
    if known is None or len(known.scales) != 1:
        return "convert the values first"
    return (
        f"quantize the values first, as round(value / {float(known.scales[0]):g}) +"
        f" {int(known.zero_points[0])}"
    )


def _open(file: Path) -> npt.NDArray[Any]:
    """The stack in a file, mapped and not read; raises UsageError."""
    if not file.is_file():
        raise UsageError(f"There is no file {file}; --input takes a .npy file.")
    try:
        stack = np.lib.format.open_memmap(file, mode="r")
    except NO_NPY as error:
        raise UsageError(
            f"{file} is no .npy file that can be read ({error}); write it with numpy.save."
        ) from error
    if not stack.flags.c_contiguous:
        raise UsageError(
            f"{file} is in Fortran's order; write it with numpy.save(file,"
            " numpy.ascontiguousarray(stack))."
        )
    if stack.offset + stack.nbytes != file.stat().st_size:
        raise UsageError(f"{file} holds more than one array; write one stack a file.")
    return stack
