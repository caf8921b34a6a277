"""Files are whole or not there, also when the disk fills or the writer is killed."""

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobilekit.core.digest import canonical_json, digest, sha256_file, sha256_sources
from mobilekit.core.errors import StorageError
from mobilekit.core.storage import append_line, parse_json, read_json, write_bytes, write_json

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text() | st.floats(-1e9, 1e9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def limited(code: str, limit_bytes: int) -> subprocess.CompletedProcess[str]:
    """Runs code in a process whose files cannot grow beyond a limit: a full disk."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, preexec_fn=limit, check=False
    )


@given(JSON)
def test_json_reads_back_as_it_was_written(tmp_path_factory, value):
    path = tmp_path_factory.mktemp("json") / "value.json"
    write_json(path, value)
    assert read_json(path) == value


@given(JSON)
def test_a_digest_does_not_depend_on_the_order_of_keys(value):
    shuffled = json.loads(canonical_json(value), object_pairs_hook=lambda p: dict(reversed(p)))
    assert digest(shuffled) == digest(value)


def test_nothing_but_the_file_is_left_behind(tmp_path):
    write_bytes(tmp_path / "deep" / "er" / "file", b"content")
    assert [p.name for p in (tmp_path / "deep" / "er").iterdir()] == ["file"]


def test_new_files_are_readable_as_the_umask_says(tmp_path):
    old = os.umask(0o022)
    try:
        write_bytes(tmp_path / "file", b"")
    finally:
        os.umask(old)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o644


def test_a_full_disk_leaves_the_old_file_and_says_so(tmp_path):
    path = tmp_path / "file"
    write_bytes(path, b"old")
    code = (
        "from pathlib import Path; from mobilekit.core.storage import write_bytes;"
        f"write_bytes(Path({str(path)!r}), b'x' * 100_000)"
    )
    done = limited(code, 10_000)
    assert "StorageError: " in done.stderr
    assert "cannot be written (File too large)" in done.stderr
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_leaves_the_lines_that_were_there(tmp_path):
    path = tmp_path / "lines"
    append_line(path, "first")
    code = (
        "from pathlib import Path; from mobilekit.core.storage import append_line;"
        f"append_line(Path({str(path)!r}), 'x' * 100_000)"
    )
    assert "cannot be written (File too large)" in limited(code, 10_000).stderr
    assert path.read_text() == "first\n"


def test_a_torn_last_line_is_closed_before_the_next(tmp_path):
    path = tmp_path / "lines"
    path.write_text("whole\ntor")
    append_line(path, "next")
    assert path.read_text() == "whole\ntor\nnext\n"


def test_a_folder_under_a_regular_file_is_refused_in_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"cannot be written \((Not a directory|File exists)\)"):
        write_bytes(tmp_path / "file" / "below", b"")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("NaN", "NaN is not a JSON number"),
        ("[Infinity]", "Infinity is not a JSON number"),
        ("{", "Expecting property name"),
        ("[" * 100_000, "nested too deeply"),
        ("", "Expecting value"),
    ],
)
def test_what_is_no_json_is_refused(text, why):
    with pytest.raises(ValueError, match=why):
        parse_json(text)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(StorageError, match=r"gone cannot be read|gone: cannot be read"):
        sha256_file(tmp_path / "gone")


def test_text_that_is_not_utf8_is_refused(tmp_path):
    (tmp_path / "latin").write_bytes(b"caf\xe9")
    with pytest.raises(StorageError, match="is not UTF-8 text"):
        read_json(tmp_path / "latin")


def test_sources_have_another_digest_when_one_changes(tmp_path):
    package = tmp_path / "package"
    package.mkdir()
    (package / "a.py").write_text("a = 1")
    before = sha256_sources(package)
    (package / "a.py").write_text("a = 2")
    after = sha256_sources(package)
    (package / "a.py").rename(package / "b.py")
    assert len({before, after, sha256_sources(package)}) == 3
    assert Path(package / "b.py").exists()
