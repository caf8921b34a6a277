"""Faults at random: no wrong content is taken for a right one, and no call is endless."""

import os
import random
import time

import pytest

from android_bench.process import Shell
from mobilekit.core.errors import DeviceError
from tests.adb_scene import adb_server, attach, debian_adb, impatient, modern_adb, simulated
from tests.simulated_device.phone import Phone

FAULTS = int(os.environ.get("MOBILEKIT_FAULTS", "50"))


@pytest.fixture(
    scope="module", params=["adb36", pytest.param("adb29", marks=pytest.mark.needs_adb29)]
)
def adb(request, tmp_path_factory):
    program = modern_adb() if request.param == "adb36" else debian_adb()
    with adb_server(program, tmp_path_factory.mktemp("server")) as server:
        yield server


def random_fault(dice, faults):
    """Turns one fault on; returns its name."""
    name = dice.choice(
        [
            *("drop_shell_after", "drop_push_after", "drop_pull_after", "full_after", "free_kb"),
            *("damage_push", "damage_pull", "lose_push", "hang", "slow_s", "none"),
        ]
    )
    if name == "hang":
        faults.hang = frozenset([dice.choice(["shell", "sync"])])
    elif name == "slow_s":
        faults.slow_s = dice.choice([0.01, 0.1])
    elif name == "free_kb":
        faults.free_kb = dice.choice([0, 10, 10**6])
    elif name.endswith("_after"):
        setattr(faults, name, dice.choice([0, 1, 30, 100, dice.randrange(150_000)]))
    elif name != "none":
        setattr(faults, name, True)
    return name


def random_call(dice, device, folder):
    """Does one thing; raises AssertionError where a wrong content is taken for a right one."""
    content = dice.randbytes(dice.choice([0, 1, 1000, 150_000]))
    local, remote = folder / "local", f"{device.workspace}/{dice.randrange(3)}"
    kind = dice.choice(["push", "pull", "shell"])
    if kind == "shell":
        lines = "".join(f"{number}\n" for number in range(dice.choice([1, 1000])))
        answer = device.shell(["printf", "%s", lines], timeout_s=1.0)
        assert answer == Shell(returncode=0, stdout=lines, stderr="")
        return
    local.write_bytes(content)
    if kind == "push":
        device.push(local, remote)
        there = device.shell(["sha256sum", remote], timeout_s=20).stdout.split()[0]
        back = folder / "back"
        device.pull(remote, back)
        assert back.read_bytes() == content, there
    else:
        try:
            device.pull(remote, local)
        except DeviceError:
            assert local.read_bytes() == content
            raise


def test_no_fault_makes_a_wrong_content_right_or_a_call_endless(adb, tmp_path, monkeypatch):
    monkeypatch.setenv("MOBILEKIT_CONFIG_DIR", str(tmp_path / "config"))
    seed = random.SystemRandom().randrange(10**6)
    dice, phone, seen = random.Random(seed), Phone(), {}
    with simulated(adb, phone) as opened:
        device = impatient(opened)
        device.separates_streams  # noqa: B018 - asked once, before anything fails
        for number in range(FAULTS):
            fault = random_fault(dice, phone.faults)
            began, error = time.monotonic(), None
            try:
                random_call(dice, device, tmp_path)
            except DeviceError as raised:
                error = raised
            took, where = time.monotonic() - began, f"seed {seed}, call {number}, {fault}"
            # Three parts of a push, each within 1 s, and ending what hangs, within 3 s each.
            assert took < 15, where
            assert phone.address not in str(error), where
            outcome = type(error).__name__ if error else "right"
            seen[fault, outcome] = seen.get((fault, outcome), 0) + 1
            phone.faults.clear()
            recover(adb, phone, device)
            assert [*phone.jail.path("/data").rglob("*.part")] == [], where
    assert {outcome for _, outcome in seen} >= {"right", "DeviceError"}, seen


def recover(adb, phone, device):
    """Attaches the phone where it was lost, and sweeps up what could not be removed then."""
    for _ in range(20):
        try:
            device.shell(["sh", "-c", f"rm -f {device.workspace}/.*.part"], timeout_s=20)
            return
        except DeviceError:
            attach(adb, phone)
    raise AssertionError("the phone did not come back")
