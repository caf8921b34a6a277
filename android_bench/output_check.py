"""Whether a file's outputs are right where it is measured, before any of its latencies count.

How far right outputs may lie apart was measured with a MobileNetV2 of real weights, XNNPACK against
LiteRT's built-in kernels (LiteRT 2.3.0, x86-64):

    file            inputs           SNR            the same first class on
    float32         20 photographs   116 dB         20 of 20
    dynamic int8    20 photographs   25.7 dB        20 of 20
    static int8     20 photographs   15.3 dB        18 of 20; logits up to 23 steps apart
    static int8     16 of noise      16.2-16.4 dB   7 to 10 of 16

XNNPACK rounds each layer's requantization otherwise than the built-in kernels do, and 50 layers
add that up: int8 outputs of two kernel sets cannot agree to a few steps. Those of one kernel set do
to the bit, for any number of threads and on any x86-64 or Arm processor that was tried. So there
are two rules for them.

The float32 file in float16 arithmetic (XNNPACK's fp16; a GPU's, on software) against float32, with
16 photographs and 16 of noise: 44.0-44.9 dB and the same first class on 15, 46.7-46.9 dB and on 16.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

LEAST_INPUTS = 16  # fewer cannot tell an agreement of 15/16 from one of 3/4


@dataclass(frozen=True, kw_only=True)
class OutputRule:
    """How near outputs must come to the reference.

    Attributes:
        title: The rule in words.
        min_snr_db: Least SNR over all inputs, dB; the signal is the reference's deviation from its
            mean, since the zero point of an integer output is not known here.
        max_steps: Largest difference of an integer output, in steps; None where it may be any.
        min_agreement: Least share of inputs with the same largest output; ties count as the same.
    """

    title: str
    min_snr_db: float
    max_steps: int | None
    min_agreement: float


# Right float kernels differ by rounding (116 dB); 40 dB is an error of 1 %.
FLOAT = OutputRule(
    title="float outputs: SNR at least 40 dB, the same first class on 15 of 16",
    min_snr_db=40.0,
    max_steps=None,
    min_agreement=15 / 16,
)
# One photograph in 16 changed its class at 44 dB; a deeper network rounds oftener.
HALF = OutputRule(
    title="outputs of float16 arithmetic: SNR at least 30 dB, the same first class on 14 of 16",
    min_snr_db=30.0,
    max_steps=None,
    min_agreement=14 / 16,
)
# One kernel set: equal to the bit; a step is left for processors that were not tried.
INTEGER = OutputRule(
    title="integer outputs of the same kernels: at most 1 step, the same first class on 15 of 16",
    min_snr_db=-math.inf,
    max_steps=1,
    min_agreement=15 / 16,
)
# Float outputs of quantized insides: a rounding that falls otherwise is carried on, as between
# kernel sets (25.7 dB).
QUANTIZED_INSIDE = OutputRule(
    title="float outputs of a quantized network: SNR at least 20 dB, the same first class on 15"
    " of 16",
    min_snr_db=20.0,
    max_steps=None,
    min_agreement=15 / 16,
)
# Two kernel sets: 15.3 dB at the worst that was seen, and a network that quantizes worse has less;
# zeros have 0 dB, foreign outputs -3 dB. First classes may differ, as they do on noise.
OTHER_KERNELS = OutputRule(
    title="outputs of other kernels, which round otherwise: SNR at least 6 dB",
    min_snr_db=6.0,
    max_steps=None,
    min_agreement=0.0,
)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a comparison of outputs found.

    Attributes:
        passed: Whether the rule held.
        detail: What was seen, in words; a silent failure first.
    """

    passed: bool
    detail: str


def rule_for(recipe: str, *, integer: bool, same_kernels: bool, half: bool = False) -> OutputRule:
    """Chooses the rule.

    Args:
        recipe: The recipe's name, or "unknown".
        integer: Whether the outputs are whole numbers.
        same_kernels: Whether the reference was computed by the same kernel set.
        half: Whether float operators may have been computed in float16.
    """
    if recipe.startswith("float"):
        return HALF if half else FLOAT
    if not same_kernels:
        return OTHER_KERNELS
    return INTEGER if integer else QUANTIZED_INSIDE


def digest_outputs(outputs: Sequence[Array]) -> str:
    """The sha256 of outputs: their types, shapes and values."""
    total = hashlib.sha256()
    for output in outputs:
        total.update(f"{output.dtype.str}{output.shape}".encode())
        total.update(np.ascontiguousarray(output).tobytes())
    return total.hexdigest()


def check_outputs(got: Sequence[Array], want: Sequence[Array], rule: OutputRule) -> Seen:
    """Compares a file's outputs with the reference's.

    Args:
        got: One array a model output, (inputs, ...).
        want: The reference's, of equal shapes and types.
        rule: How near they must come.
    """
    shapes = [f"{array.dtype} {list(array.shape)}" for array in got]
    expected = [f"{array.dtype} {list(array.shape)}" for array in want]
    if shapes != expected:
        wrong = f"outputs are {', '.join(shapes)}; the reference has {', '.join(expected)}"
        return Seen(passed=False, detail=wrong)
    silent = [text for pair in zip(got, want, strict=True) if (text := _silent(*pair))]
    if silent:
        return Seen(passed=False, detail="; ".join(silent))
    if digest_outputs(got) == digest_outputs(want):
        return Seen(passed=True, detail=f"equal to the bit on {_count(len(got[0]))}")
    found = [_compare(*pair, rule) for pair in zip(got, want, strict=True)]
    return Seen(
        passed=all(seen.passed for seen in found), detail="; ".join(seen.detail for seen in found)
    )


def _silent(got: Array, want: Array) -> str | None:
    """What a runtime does not call an error, in words; None if there is nothing of it."""
    if not np.isfinite(want).all():
        return "the reference outputs hold NaN or infinity, so nothing can be compared with them"
    if not np.isfinite(got).all():
        return f"{np.count_nonzero(~np.isfinite(got))} of {got.size} outputs are NaN or infinite"
    if got.size and (got == got.flat[0]).all() and not (want == want.flat[0]).all():
        return f"every output is {got.flat[0]}"
    if len(got) > 1 and (got == got[0]).all() and not (want == want[0]).all():
        return "every input gives the same output"
    return None


def _compare(got: Array, want: Array, rule: OutputRule) -> Seen:
    exact, reference = got.astype(np.float64), want.astype(np.float64)
    error = exact - reference
    snr_db = _snr_db(reference - reference.mean(), error)
    agreement = _agreement(exact, reference)
    detail = [f"SNR about the mean {snr_db:.1f} dB"]
    passed = snr_db >= rule.min_snr_db and agreement >= rule.min_agreement * len(got)
    if np.issubdtype(got.dtype, np.integer):
        steps = int(np.abs(error).max())
        detail.append(f"at most {steps} steps apart")
        passed = passed and (rule.max_steps is None or steps <= rule.max_steps)
    detail.append(f"the same first class on {agreement} of {_count(len(got))}")
    return Seen(passed=passed, detail=", ".join(detail))


def _snr_db(signal: Array, error: Array) -> float:
    noise, power = float(np.square(error).sum()), float(np.square(signal).sum())
    if noise == 0:
        return math.inf
    return 10 * math.log10(power / noise) if power else -math.inf


def _agreement(got: Array, want: Array) -> int:
    """On how many inputs the largest output is the same, or ties with it in the reference."""
    flat, reference = got.reshape(len(got), -1), want.reshape(len(want), -1)
    chosen = np.take_along_axis(reference, flat.argmax(axis=1)[:, None], axis=1)[:, 0]
    return int((chosen == reference.max(axis=1)).sum())


def _count(inputs: int) -> str:
    return f"{inputs} input" if inputs == 1 else f"{inputs} inputs"
