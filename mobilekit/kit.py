"""Which mobilekit this is."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path

from mobilekit import __version__
from mobilekit.core.measurement import Kit

ROOT = Path(__file__).parent.parent


@cache
def kit() -> Kit:
    """The version, and the commit where this runs from a checkout ("+" behind a changed one)."""
    return Kit(version=__version__, commit=_commit())


def _commit() -> str | None:
    if not (ROOT / ".git").exists():
        return None
    commit = _git("rev-parse", "HEAD")
    changed = _git("status", "--porcelain", "--untracked-files=no")
    return commit and commit + ("+" if changed else "")


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(ROOT), *arguments],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
            # Another repository's variables, as a hook has them, must not answer for this one.
            env={k: v for k, v in os.environ.items() if not k.startswith("GIT_")},
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
