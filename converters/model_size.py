"""How many parameters a .tflite can hold."""

from __future__ import annotations

from mobilekit.core.errors import ConversionError

# A flatbuffer's offsets are 32 bits; 5 % are left for everything that is not a weight.
MAX_PARAMS = int(2**31 * 0.95) // 4


def check_params(name: str, params: int) -> None:
    """Refuses a model whose float file would pass 2 GB.

    Raises:
        ConversionError: If it would.
    """
    if params > MAX_PARAMS:
        raise ConversionError(
            f"{name} has {params:,} parameters; its file would pass 2 GB, which a .tflite cannot."
            " Build it smaller."
        )
