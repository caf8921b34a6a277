"""Where this computer keeps what outlives a run: the local secret, copies, locks.

Each folder can be moved by a variable, as tests do: MOBILEKIT_CONFIG_DIR, MOBILEKIT_CACHE_DIR,
MOBILEKIT_STATE_DIR.
"""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def config_dir() -> Path:
    """Holds the secret that serials are hashed with."""
    return _moved("MOBILEKIT_CONFIG_DIR") or platformdirs.user_config_path("mobilekit")


def cache_dir() -> Path:
    """Holds copies that can be made again."""
    return _moved("MOBILEKIT_CACHE_DIR") or platformdirs.user_cache_path("mobilekit")


def state_dir() -> Path:
    """Holds locks, and what selftests found."""
    return _moved("MOBILEKIT_STATE_DIR") or platformdirs.user_state_path("mobilekit")


def _moved(variable: str) -> Path | None:
    value = os.environ.get(variable)
    return Path(value) if value else None
