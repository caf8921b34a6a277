"""`mobilekit benchmark` on several devices: two simulated phones, this computer, and what fails."""

import io
import json
from contextlib import ExitStack
from pathlib import Path

import pytest

from mobilekit.benchmarking import benchmark_files
from mobilekit.cli import main
from mobilekit.cli.benchmark_command import add_arguments
from mobilekit.cli.progress import DeviceBar, StartsBar
from mobilekit.core.measurement import RunConfig
from tests.adb_scene import adb_server, attach, enter, modern_adb
from tests.native_scene import build_runner
from tests.simulated_device.phone import Phone
from tests.simulated_device.profile import Profile
from tests.tiny_models import tiny_float, tiny_int8

QUICK = ["--num-runs", "2", "--warmup-runs", "0", "--min-secs", "0", "--repetitions", "1"]
# Their idle temperature would be waited for, half a minute.
QUICK += ["--cool-to", "none"]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with adb_server(modern_adb(), tmp_path_factory.mktemp("server")) as adb:
        yield adb


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch, server):
    """An empty current folder with a model, and the tests' own adb first on PATH."""
    enter(tmp_path, monkeypatch, server)
    Path("net.tflite").write_bytes(tiny_float())
    Path("int8.tflite").write_bytes(tiny_int8())
    return tmp_path / "here"


@pytest.fixture(scope="module")
def phones(server):
    """Two phones, left and right."""
    build_runner()  # what measures there
    with ExitStack() as stack:
        found = []
        for model in ("Left", "Right"):
            phone = stack.enter_context(Phone(Profile(model=model, serial=f"S-{model}")))
            attach(server, phone)
            words = ["disconnect", phone.address]
            stack.callback(server.run, words, device="test", timeout_s=20)
            found.append(phone)
        yield found


def named(*devices):
    return [word for device in devices for word in ("--device", device)]


def test_two_phones_and_this_computer_are_measured_with_one_command(phones, capsys):
    words = ["benchmark", "net.tflite", "int8.tflite", *QUICK]
    words += named("left", phones[1].address, "host")
    assert main(words) == 0
    printed = capsys.readouterr().out
    assert all(label in printed for label in ("left", "right", "host"))
    assert "left is simulated" in " ".join(printed.split()).replace("left (Left)", "left")
    assert phones[1].address not in printed
    texts = [path.read_text() for path in Path("results").rglob("*.json*")]
    assert len(list(Path("results").glob("*.json"))) == 6
    assert not any(phones[1].address in text or "S-Right" in text for text in texts)
    assert main([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [m["device"]["label"] for m in found] == [*["left"] * 2, *["right"] * 2, *["host"] * 2]
    # One session a device: its files are compared with one another and never with another's.
    assert len({m["config"]["order_seed"] for m in found}) == 3
    assert "--device left --device right --device host" in found[0]["command"]


def test_two_names_of_one_phone_are_refused(phones, capsys):
    words = ["benchmark", "net.tflite", *QUICK, *named("left", f"adb:{phones[0].address}")]
    assert main(words) == 2
    assert "One device was named twice (left)" in capsys.readouterr().err
    assert not Path("results").exists()


def test_what_one_phone_lacks_is_told_after_the_others_were_printed(phones, capsys):
    runner = phones[0].jail.root / "bin" / "python3"
    kept = runner.read_text()
    runner.write_text("#!/bin/sh\necho 'no such thing' >&2; exit 3\n")
    try:
        words = ["--runner", "litert_python", *named("left", "host")]
        assert main(["benchmark", "net.tflite", *QUICK, *words]) == 5
    finally:
        runner.write_text(kept)
    captured = capsys.readouterr()
    assert "host" in captured.out
    assert "left" not in captured.out.replace("left alone", "")
    assert "left: the runner exited 3: no such thing" in captured.err
    assert "Everything else was measured" in captured.err


def test_an_unknown_device_is_refused_before_anything_is_measured(phones, capsys):
    assert main(["benchmark", "net.tflite", *QUICK, *named("host", "midle")]) == 2
    assert "midle" in capsys.readouterr().err
    assert not Path("results").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--cool-to", "warm"], "cooling must be idle, none or a temperature: 'warm'"),
        (["--cooldown", "-1"], "cooldown_s must be 0..86400, not -1"),
        (["--cool-limit", "-1"], "--cool-limit is 0..86400 seconds, not -1"),
    ],
)
def test_a_wait_that_cannot_be_is_refused(capsys, words, sentence):
    assert main(["benchmark", "net.tflite", *words]) == 2
    assert sentence in capsys.readouterr().err


def test_a_pause_and_a_temperature_are_part_of_a_result(capsys):
    words = ["benchmark", "net.tflite", *QUICK, "--cooldown", "0.1", "--cool-limit", "7", "--json"]
    assert main(words) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["config"]["cooling"], found["config"]["cooldown_s"]) == ("none", 0.1)
    assert "--cool-to none --cooldown 0.1 --cool-limit 7" in found["command"]
    assert main([*words[:-2], "9", "--json"]) == 0  # the limit names no result
    (again,) = json.loads(capsys.readouterr().out)
    assert again["cell"] == found["cell"]


def test_several_devices_are_told_with_their_names_by_default(phones):
    told = []
    benchmark_files(
        [Path("net.tflite")],
        Path("results"),
        device=["left", "host"],
        configs=[RunConfig(num_runs=2, warmup_runs=0, min_secs=0, repetitions=1, cooling="none")],
        progress=lambda done, total, text: told.append(text),
    )
    assert {text.partition(": ")[0] for text in told} == {"left", "host"}


# --- progress -------------------------------------------------------------------------------------


def test_without_a_terminal_lines_carry_the_devices_name(capsys):
    bars = StartsBar()
    bars.EVERY_S = 0.0
    with bars:
        bars.of("left")(1, 4, "block 1")
        bars.of("right (2)")(4, 4, "done")
        bars(0, 4, "block 1")
    first, second, third = capsys.readouterr().err.splitlines()
    assert first.startswith("left: measuring: 1 of 4 starts, about ")
    assert second == "right (2): done"
    assert third == "measuring: 0 of 4 starts (block 1)"


def test_on_a_terminal_every_device_has_a_bar_with_its_remaining_time(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    with StartsBar() as bars:
        for name in ("left", "right"):
            bar = bars.of(name)
            bar(1, 4, "block 1")
            bar(2, 4, "block 1")
        assert bars.drawn is not None
        shown = [(task.description, task.completed, task.total) for task in bars.drawn.tasks]
        bar(4, 4, "a\x1b[31m result")
    assert shown == [("left: block 1", 2, 4), ("right: block 1", 2, 4)]
    assert "right: a" in screen.getvalue()
    assert "\x1b[31m result" not in screen.getvalue()
    assert isinstance(bars.of("x"), DeviceBar)


def test_the_help_names_every_default(capsys):
    import argparse

    parser = argparse.ArgumentParser()
    add_arguments(parser)
    assert "idle, the default" in " ".join(parser.format_help().split())
