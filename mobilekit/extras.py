"""The packages of the extra [convert], imported when something needs them."""

from __future__ import annotations

import importlib
import os

from mobilekit.core.errors import UsageError
from mobilekit.core.quiet import quiet_stderr

CONVERT = ("tensorflow", "keras", "ai_edge_quantizer")


def need(*modules: str) -> None:
    """Imports packages of the extra [convert]; TensorFlow talks while it loads, and is not heard.

    Raises:
        UsageError: If one is not installed; a bench host has none of them.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    for module in modules:
        try:
            with quiet_stderr():
                importlib.import_module(module)
        except ModuleNotFoundError as error:
            if error.name != module:
                raise
            raise UsageError(
                f"This needs {module}, which is not installed here. It comes with"
                " `pip install 'mobilekit[convert]'`."
            ) from None
