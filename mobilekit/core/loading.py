"""Objects named by where they are, so that a table can be listed without importing them."""

from __future__ import annotations

import importlib
from typing import Any


def load(name: str) -> Any:
    """Imports "package.module:attribute" and returns the attribute."""
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)
