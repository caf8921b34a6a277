"""Compiles the library that is preloaded into the phone's commands, once for a process."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

SOURCE = Path(__file__).with_name("redirect.c")


@functools.cache
def redirection() -> Path:
    """The library's path; needs a C compiler, as the C++ runner does."""
    folder = Path(tempfile.mkdtemp(prefix="simulated-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    library = folder / "redirect.so"
    command = [os.environ.get("CXX", "g++"), "-x", "c", "-shared", "-fPIC", "-O1", "-Wall"]
    done = subprocess.run(
        [*command, str(SOURCE), "-o", str(library), "-ldl"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"the simulated phone needs a C compiler:\n{done.stderr}"
    return library
