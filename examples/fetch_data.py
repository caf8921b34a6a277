"""Brings the demo's data: `python examples/fetch_data.py build/data`, which is `make data`.

data.toml, beside this file, lists wheels and which of their members go where. `pip` brings the
wheels, so its own settings (mirror, proxy, certificates, cache) count; then everything is unpacked
aside and renamed into place, and a stamp says that it is whole. The folders it fills (FOLDERS)
belong to it: whatever else lies in them is gone when data.toml changes. Standard library only.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import json
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import tomllib
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

TABLE = Path(__file__).with_name("data.toml")
FOLDERS = ("weights", "calibration", "evaluation", "licences")
STAMP = "stamp.json"

# The largest member, weights, has 18.9 MB; a wheel that claims more than this is not ours.
MAX_MEMBER_BYTES = 64 << 20

# foolbox names its photographs imagenet_<running number>_<class>.jpg.
LABELLED = re.compile(r"imagenet_\d+_(\d+)\.jpg")


class FetchError(Exception):
    """The data cannot be brought; the sentence says why."""


@dataclass(frozen=True, kw_only=True)
class Member:
    """One file of a wheel.

    Attributes:
        source: Its path in the wheel.
        target: Its path below the data folder, "<one of FOLDERS>/<name>".
        licence: What its use is bound to.
        lines: Whether it is a JSON list of strings, to be written one a line.
    """

    source: str
    target: str
    licence: str
    lines: bool = False


@dataclass(frozen=True, kw_only=True)
class Package:
    """A pinned wheel, with the members that are taken from it."""

    name: str
    version: str
    wheel: str
    sha256: str
    members: tuple[Member, ...]


@dataclass(frozen=True, kw_only=True)
class Table:
    """data.toml: what to bring, and the tags that pip is asked for ("--abi", "cp311", …)."""

    pip_tags: tuple[str, ...]
    packages: tuple[Package, ...]


def read_table(path: Path) -> Table:
    """Reads data.toml.

    Raises:
        FetchError: If a row lacks a key, a path leads out of its folder, or two members meet.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        tags = tuple(text for key, value in document["pip"].items() for text in (f"--{key}", value))
        packages = tuple(_package(row) for row in document["packages"])
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FetchError(f"{path} is not TOML: {error}.") from error
    except KeyError as error:
        raise FetchError(f"{path} has a row without the key {error}.") from error
    targets = [member.target for package in packages for member in package.members]
    twice = sorted({target for target in targets if targets.count(target) > 1})
    if twice:
        raise FetchError(f"{path} fills {', '.join(twice)} twice.")
    return Table(pip_tags=tags, packages=packages)


def _package(row: dict[str, Any]) -> Package:
    members = tuple(
        Member(
            source=_safe(member["from"], depth=None),
            target=_safe(member["to"], depth=2),
            licence=member.get("licence", row["licence"]),
            lines=member.get("lines", False),
        )
        for member in row["members"]
    )
    text = {key: row[key] for key in ("name", "version", "wheel", "sha256")}
    return Package(members=members, **text)


def _safe(path: str, *, depth: int | None) -> str:
    """Returns `path` if it stays below its root; `depth` 2 means a name in one of FOLDERS."""
    parts = PurePosixPath(path).parts
    stays = path == "/".join(parts) and ".." not in parts and not set(path) & set("\\:\0")
    if not stays or path.startswith("/"):
        raise FetchError(f"data.toml has the path {path!r}, which may lead out of its folder.")
    if depth is not None and (len(parts) != depth or parts[0] not in FOLDERS):
        raise FetchError(
            f"data.toml has the target {path!r}, which is not a name in {', '.join(FOLDERS)}."
        )
    return path


def download(package: Package, pip_tags: Sequence[str], folder: Path) -> Path:
    """Lets pip bring the wheel of `package` into `folder`.

    Raises:
        FetchError: If pip fails, or brings other bytes than data.toml names.
    """
    what = f"{package.name} {package.version}"
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input"]
    options = ["download", "--no-deps", "--only-binary=:all:", *pip_tags, "--dest", str(folder)]
    done = subprocess.run(
        [*pip, *options, f"{package.name}=={package.version}"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        last = done.stderr.strip().rpartition("\n")[2] or f"pip exited {done.returncode}"
        raise FetchError(
            f"{what} could not be downloaded ({last.rstrip('.')}):"
            " is there a network connection, and does `python -m pip download` work?"
        )
    wheel = folder / package.wheel
    if not wheel.is_file():
        brought = ", ".join(path.name for path in folder.glob("*.whl")) or "nothing"
        raise FetchError(f"{what} should have brought {package.wheel}, but pip brought {brought}.")
    found = _sha256(wheel)
    if found != package.sha256:
        raise FetchError(
            f"{package.wheel} has the sha256 {found}, but data.toml names {package.sha256}:"
            " these are not the bytes that were checked, so nothing of them is unpacked."
        )
    return wheel


def unpack(wheel: Path, package: Package, folder: Path) -> None:
    """Writes the named members of `wheel` below `folder`.

    Raises:
        FetchError: If one is missing, ambiguous, no regular file, or above MAX_MEMBER_BYTES.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            for member in package.members:
                content = _read_member(archive, package, member)
                path = folder / member.target
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(_as_lines(content, member) if member.lines else content)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, RuntimeError) as error:
        raise FetchError(f"{package.wheel} is not a readable wheel: {error}.") from error


def _read_member(archive: zipfile.ZipFile, package: Package, member: Member) -> bytes:
    entries = [entry for entry in archive.infolist() if entry.filename == member.source]
    if len(entries) != 1:
        count = "twice or more" if entries else "not"
        raise FetchError(
            f"{package.wheel} holds {member.source} {count}, but it must be there once."
        )
    mode = entries[0].external_attr >> 16
    if entries[0].is_dir() or (stat.S_IFMT(mode) and not stat.S_ISREG(mode)):
        raise FetchError(f"{package.wheel}: {member.source} is a link or a folder, not a file.")
    # A header may lie about the size, so what counts is what comes out.
    with archive.open(entries[0]) as file:
        content = file.read(MAX_MEMBER_BYTES + 1)
    if len(content) > MAX_MEMBER_BYTES:
        raise FetchError(f"{package.wheel}: {member.source} has over {MAX_MEMBER_BYTES:,} bytes.")
    return content


def _as_lines(content: bytes, member: Member) -> bytes:
    try:
        names = json.loads(content)
    except ValueError as error:
        raise FetchError(f"{member.source} is not JSON: {error}.") from error
    if not isinstance(names, list) or not all(
        isinstance(name, str) and len(name.splitlines()) == 1 for name in names
    ):
        raise FetchError(f"{member.source} is not a JSON list of one-line strings.")
    return "".join(f"{name}\n" for name in names).encode()


def labels(names: Sequence[str]) -> str:
    """The text of labels.txt, "<file name> <class index>" a line, from foolbox's file names.

    Raises:
        FetchError: If a picture's name has no class in it.
    """
    lines = ["# file name, then the index of its ImageNet class in the network's output\n"]
    for name in sorted(names):
        match = LABELLED.fullmatch(name)
        if match is None:
            raise FetchError(f"The name of {name} does not say its class (imagenet_NN_CLASS.jpg).")
        lines.append(f"{name} {int(match[1])}\n")
    return "".join(lines)


def notice(table: Table) -> str:
    """The text of NOTICE.txt: every file, where it is from and what its use is bound to."""
    parts = [
        "Where the files of the folders beside this one are from, and what their use is bound to;"
        " the packages' own licences lie beside this file.\n"
    ]
    for package in table.packages:
        parts.append(f"\n{package.name} {package.version} ({package.wheel})\n")
        parts += [
            f"  {member.target}: {member.licence}\n"
            for member in package.members
            if not member.target.startswith("licences/")
        ]
    return "".join(parts)


def fetch(target: Path, table_path: Path = TABLE) -> int:
    """Fills `target` as the table says, unless its stamp says that it is filled.

    Returns:
        The number of files that are in `target` now.

    Raises:
        FetchError: If something is missing or wrong; `target` then holds nothing half-unpacked.
        OSError: If `target` cannot be written, or the disk is full.
    """
    target.mkdir(parents=True, exist_ok=True)
    with _only_one(target):
        present = stamped(target, table_path)
        if present is not None:
            print(f"The demo's data is there already: {present} files in {target}.")
            return present
        table = read_table(table_path)
        for leftover in target.glob(".fetching-*"):  # of a run that was killed
            shutil.rmtree(leftover)
        with tempfile.TemporaryDirectory(dir=target, prefix=".fetching-") as aside:
            count = _fill(table, target, Path(aside), _digest(table_path))
    print(f"The demo's data is in {target}: {count} files; {target}/licences/NOTICE.txt says more.")
    return count


def _fill(table: Table, target: Path, aside: Path, digest: str) -> int:
    fresh, wheels, old = aside / "fresh", aside / "wheels", aside / "old"
    for folder in (old, *(fresh / name for name in FOLDERS)):
        folder.mkdir(parents=True)
    for package in table.packages:
        count = len(package.members)
        print(f"Bringing {count} files of {package.name} {package.version}", flush=True)
        unpack(download(package, table.pip_tags, wheels / package.name), package, fresh)
    pictures = [path.name for path in (fresh / "evaluation").glob("*.jpg")]
    (fresh / "evaluation" / "labels.txt").write_text(labels(pictures), encoding="utf-8")
    (fresh / "licences" / "NOTICE.txt").write_text(notice(table), encoding="utf-8")
    sizes = {
        path.relative_to(fresh).as_posix(): path.stat().st_size
        for path in sorted(fresh.rglob("*"))
        if path.is_file()
    }
    (aside / STAMP).write_text(json.dumps({"digest": digest, "bytes": sizes}, indent=1) + "\n")
    # From here on only renames happen, and without a stamp the next run does them again.
    (target / STAMP).unlink(missing_ok=True)
    for name in FOLDERS:
        if (target / name).exists():
            (target / name).rename(old / name)
        (fresh / name).rename(target / name)
    (aside / STAMP).rename(target / STAMP)
    return len(sizes)


def stamped(target: Path, table_path: Path = TABLE) -> int | None:
    """How many files the stamp in `target` vouches for; None if it is old, or one has changed."""
    try:
        stamp = json.loads((target / STAMP).read_text(encoding="utf-8"))
        sizes = {name: (target / name).stat().st_size for name in stamp["bytes"]}
    except (OSError, ValueError, KeyError, TypeError):
        return None  # not there, or not ours: then everything is brought again
    whole = stamp == {"digest": _digest(table_path), "bytes": sizes}
    return len(sizes) if whole else None


def _digest(table_path: Path) -> str:
    """Names the table and this program: a change of either brings the data again."""
    return hashlib.sha256(table_path.read_bytes() + Path(__file__).read_bytes()).hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def _only_one(target: Path) -> Iterator[None]:
    """Waits until no other run fills `target`; a run that is killed frees its lock."""
    with (target / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main(argv: Sequence[str], table_path: Path = TABLE) -> int:
    """Runs the program; returns its exit code: 0, or 2 (Ctrl-C: 130) after one sentence."""
    parser = argparse.ArgumentParser(
        description="Brings the demo's data, as examples/data.toml lists it.",
        epilog="Example: python examples/fetch_data.py build/data",
    )
    parser.add_argument("folder", type=Path, help="the folder to fill, e.g. build/data")
    target: Path = parser.parse_args(argv).folder
    try:
        fetch(target, table_path)
    except FetchError as error:
        print(f"fetch_data: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        where = error.filename or target
        reason = error.strerror or error
        print(f"fetch_data: {where} cannot be read or written ({reason}).", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("fetch_data: stopped; nothing is half unpacked.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
