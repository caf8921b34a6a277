"""What a file is that was passed for a .tflite and is none."""

from __future__ import annotations

import codecs

IDENTIFIER = b"TFL3"  # bytes 4 to 8 of every .tflite
BEGINNING_BYTES = 512

_KNOWN = (
    (b"PK\x03\x04", "it is a zip archive, as a .keras file is; convert it first"),
    (b"\x89HDF", "it is an HDF5 file, as an .h5 model is; convert it first"),
    (
        b"version https://git-lfs",
        "it is a Git LFS pointer; fetch the file itself with `git lfs pull`",
    ),
)


def foreign_problem(content: memoryview) -> str | None:
    """What is wrong with a file that is no .tflite at all; None for one that begins like one."""
    if not len(content):
        return "it is empty"
    start = bytes(content[:BEGINNING_BYTES])
    for prefix, problem in _KNOWN:
        if start.startswith(prefix):
            return problem
    if start[4:8] == IDENTIFIER:
        return None
    text = _text_of(start)
    if text:
        return f"it is a text file that begins {text[:24]!r}"
    if len(content) < 8:
        return f"it is truncated: it has {len(content)} bytes"
    return f"its bytes 4 to 8 are not {IDENTIFIER.decode()}, as in every .tflite"


def _text_of(start: bytes) -> str:
    """The beginning of a text file; "" where it is not one."""
    try:  # incremental, because a letter may be cut at the end
        text = codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return ""
    readable = all(letter.isprintable() or letter.isspace() for letter in text)
    return text if readable else ""
