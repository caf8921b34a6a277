"""What a rule saw and chose when it made an int8 file, for its provenance."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class NoisyTensor:
    """A tensor that adds noise.

    Attributes:
        name: Of the tensor, or of the layer where the noise is its weights'.
        kind: "weights" or "activations".
        share: Noise power beside the signal of the layer that reads it.
    """

    name: str
    kind: str
    share: float


@dataclass(frozen=True, kw_only=True)
class Noise:
    """Where the noise of a plain min-max file comes from.

    Attributes:
        weights_db: SNR at the output with rounded weights alone; None where nothing differs.
        activations_db: SNR with rounded activations alone; None likewise.
        tensors: Those that add most, the worst first.
    """

    weights_db: float | None
    activations_db: float | None
    tensors: tuple[NoisyTensor, ...]

    @property
    def is_of_activations(self) -> bool:
        """Whether activations add more than weights."""
        if self.activations_db is None or self.weights_db is None:
            return self.weights_db is None and self.activations_db is not None
        return self.activations_db < self.weights_db


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One combination of methods, judged on photographs that it had not seen.

    Attributes:
        methods: Its name, e.g. "equalize+bias_correction".
        folds_db: SNR at the output on the held-out photographs of each fold, dB.
        gain_db: Mean over folds of what it gained over the best before it; None for the first.
        error_db: Standard error of that mean; None for the first.
        chosen: Whether the gain exceeded its standard error.
    """

    methods: str
    folds_db: tuple[float, ...]
    gain_db: float | None
    error_db: float | None
    chosen: bool


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Which methods made a file, and why.

    Attributes:
        methods: What was applied, e.g. "equalize+bias_correction".
        reason: Why, in a sentence.
        photographs: How many the rule looked at.
        noise: Where the noise is; None where it was not measured.
        trials: What was tried, in order; empty where nothing could be held out.
    """

    methods: str
    reason: str
    photographs: int
    noise: Noise | None = None
    trials: tuple[Trial, ...] = ()
