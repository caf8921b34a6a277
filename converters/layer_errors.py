"""What each operator of a quantized file adds to the error, beside the float file it is of.

Every operator is run twice: alone, on what the float network feeds it, which shows the error that
it makes itself; and in its place, on what the operators before it really give, which shows how much
has come together there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from converters.answers import FileAnswers, Sample
from converters.counterparts import Counterparts
from converters.methods.surgery import Model
from mobilekit.core.errors import ConversionError

Values = Mapping[int, np.ndarray]  # activations by tensor


@dataclass(frozen=True, kw_only=True)
class OperatorError:
    """What one operator adds.

    Attributes:
        operator: Its place in the file.
        alone: Error power over signal power of its outputs where its inputs are the float
            network's; None where a tensor has no counterpart there.
        so_far: The same where its inputs are what the file computes; None likewise.
    """

    operator: int
    alone: float | None
    so_far: float | None


def measure_errors(
    real: bytes, quantized: bytes, samples: Sequence[Sample], *, is_scaled: bool
) -> tuple[OperatorError, ...]:
    """Every operator with activations, in the order of execution.

    Args:
        real: The float file.
        quantized: What was made of the same network, by anybody.
        samples: Float inputs, at least one.
        is_scaled: Whether its channels may be scaled otherwise than the float network's, as
            equalization does; the best scale of each channel is then taken out of every comparison.

    Raises:
        ConversionError: If a file does not run, or no tensor of the two is the same.
    """
    return _Comparison(Model(real), Model(quantized), is_scaled=is_scaled).of(samples)


class _Sums:
    """Sums over samples for one tensor, by channel of the last axis."""

    def __init__(self) -> None:
        self.real: np.ndarray | float = 0.0  # of squares
        self.both: np.ndarray | float = 0.0  # of products
        self.file: np.ndarray | float = 0.0

    def add(self, real: np.ndarray, file: np.ndarray) -> None:
        one, other = (each.astype(np.float64).reshape(-1, _channels(each)) for each in (real, file))
        self.real += np.square(one).sum(axis=0)
        self.both += (one * other).sum(axis=0)
        self.file += np.square(other).sum(axis=0)

    def factors(self) -> np.ndarray:
        """By which the file's channels are larger; 1 for those that are silent, or turned round."""
        real, both = np.asarray(self.real), np.asarray(self.both)
        known = (real > 0) & (both > 0)
        return np.asarray(np.divide(both, real, out=np.ones_like(real), where=known))

    def error(self, factors: np.ndarray | float) -> float:
        """Power of the difference, in the float network's scale."""
        scaled = np.asarray(self.file) / factors**2 - 2 * np.asarray(self.both) / factors
        return float((scaled + self.real).sum())

    def signal(self) -> float:
        return float(np.sum(self.real))


def _channels(values: np.ndarray) -> int:
    return values.shape[-1] if values.ndim else 1


class _Comparison:
    """The two files, all of whose activations are outputs."""

    def __init__(self, real: Model, file: Model, *, is_scaled: bool) -> None:
        self._file, self._is_scaled = file, is_scaled
        self._pairs = Counterparts(real, file).pairs
        if not self._pairs:
            raise ConversionError(
                "No tensor inside the quantized file bears a name of the float model's: it was made"
                " from another model, or by a converter that names tensors anew."
            )
        self._real_taps = _Taps(real, sorted(set(self._pairs.values())))
        self._file_taps = _Taps(file, sorted(self._pairs))

    def of(self, samples: Sequence[Sample]) -> tuple[OperatorError, ...]:
        """Measures on samples."""
        so_far = {tensor: _Sums() for tensor in self._pairs}
        for sample in samples:
            real, file = self._real_taps.run(sample), self._file_taps.run(sample)
            for tensor, theirs in self._pairs.items():
                so_far[tensor].add(real[theirs], file[tensor])
        factors: dict[int, np.ndarray | float] = {
            tensor: sums.factors() if self._may_be_scaled(tensor) else 1.0
            for tensor, sums in so_far.items()
        }
        parts = dict(self._parts())
        alone = {tensor: _Sums() for part in parts.values() for tensor in part.outputs}
        for sample in samples:
            real = self._real_taps.run(sample)
            for part in parts.values():
                fed = [(real[self._pairs[t]] * factors[t]).astype(np.float32) for t in part.inputs]
                for tensor, values in zip(part.outputs, part.runner.of(fed), strict=True):
                    alone[tensor].add(real[self._pairs[tensor]], values)
        return tuple(
            OperatorError(
                operator=position,
                alone=_share(alone, parts[position].outputs, factors)
                if position in parts
                else None,
                so_far=_share(so_far, known, factors) if known else None,
            )
            for position, known in self._outputs()
        )

    def _may_be_scaled(self, tensor: int) -> bool:
        graph = self._file.graph
        return self._is_scaled and tensor not in {*map(int, graph.inputs), *map(int, graph.outputs)}

    def _outputs(self) -> Iterator[tuple[int, list[int]]]:
        """Operators that compute activations, with those outputs that have a counterpart."""
        for position, operator in enumerate(self._file.graph.operators):
            if position not in self._file_taps.constant:
                yield position, [int(t) for t in operator.outputs if int(t) in self._pairs]

    def _parts(self) -> Iterator[tuple[int, _Part]]:
        """Operators all of whose inputs and outputs have counterparts, as files of their own."""
        taps = self._file_taps
        for position, outputs in self._outputs():
            operator = self._file.graph.operators[position]
            inputs = taps.activations_of(operator)
            if outputs and inputs and all(tensor in self._pairs for tensor in inputs):
                operators = [*taps.constants_of(operator), operator]
                content = self._file.part(operators, inputs, outputs)
                yield (
                    position,
                    _Part(
                        inputs=tuple(inputs),
                        outputs=tuple(outputs),
                        runner=FileAnswers(content, num_threads=1),
                    ),
                )


@dataclass(frozen=True, kw_only=True)
class _Part:
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    runner: FileAnswers


class _Taps:
    """A file that gives chosen activations."""

    def __init__(self, model: Model, tensors: Sequence[int]) -> None:
        self._model = model
        self._inputs = [int(tensor) for tensor in model.graph.inputs]
        self._known = {t for t in range(len(model.graph.tensors)) if model.is_constant(t)}
        self.constant: set[int] = set()  # operators that unpack weights
        for position, operator in enumerate(model.graph.operators):
            if all(int(tensor) in {-1, *self._known} for tensor in operator.inputs):
                self.constant.add(position)
                self._known |= {int(tensor) for tensor in operator.outputs}
        self._tapped = [tensor for tensor in tensors if tensor not in self._inputs]
        content = model.part(model.graph.operators, self._inputs, self._tapped)
        self._runner = FileAnswers(content, num_threads=1)

    def run(self, sample: Sample) -> Values:
        """The activations for one sample, in real numbers; inputs are themselves."""
        found = dict(zip(self._inputs, map(np.asarray, sample), strict=True))
        found.update(zip(self._tapped, self._runner.of(sample), strict=True))
        return found

    def activations_of(self, operator: schema.OperatorT) -> list[int]:
        """What an operator reads, constants aside."""
        return [int(t) for t in dict.fromkeys(operator.inputs) if int(t) not in {-1, *self._known}]

    def constants_of(self, operator: schema.OperatorT) -> list[schema.OperatorT]:
        """The operators that unpack its weights, in order."""
        operators = self._model.graph.operators
        wanted = {int(tensor) for tensor in operator.inputs}
        found = []
        for position in sorted(self.constant, reverse=True):
            if wanted & {int(tensor) for tensor in operators[position].outputs}:
                found.append(operators[position])
                wanted |= {int(tensor) for tensor in operators[position].inputs}
        return found[::-1]


def _share(
    sums: Mapping[int, _Sums], tensors: Sequence[int], factors: Mapping[int, np.ndarray | float]
) -> float | None:
    """Error over signal of some tensors; None where there is no signal."""
    signal = sum(sums[tensor].signal() for tensor in tensors)
    error = sum(sums[tensor].error(factors[tensor]) for tensor in tensors)
    return max(0.0, error) / signal if signal else None
