"""Keeps libraries from writing where a person reads."""

from __future__ import annotations

import io
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Holds back what is written to file descriptor 2; an error inside brings it out again.

    Redirecting `sys.stderr` is not enough: TensorFlow and LiteRT write from C++.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(kept, held.read())
            raise
        finally:
            sys.stderr.flush()  # what Python still holds of it was written inside
            os.dup2(kept, 2)
            os.close(kept)


@contextmanager
def quiet() -> Iterator[None]:
    """Holds back what native libraries and Python write, on either stream, for good."""
    with quiet_stderr(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        yield
