"""Benchmarks with faults at random: no wrong number, nothing finished lost, no endless call."""

import collections
import os
import random
import shutil

import pytest

from mobilekit.core.errors import DeviceError
from mobilekit.core.measurement import Validity
from tests.adb_scene import adb_server, attach, impatient, modern_adb, simulated
from tests.faulty_scene import FAULTS, REPETITIONS, Benchmark, same
from tests.simulated_device.phone import Phone

COUNT = int(os.environ.get("MOBILEKIT_FAULTS", "50"))
FEW = 3  # in the quick suite
MOST_AT_ONCE = 4  # faults in one benchmark
# Of one command: the probe, two checks with both kernels, the timed starts.
MOST_PROGRAMS = 1 + 4 + 2 * REPETITIONS


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    for name in ("CONFIG", "CACHE", "STATE"):
        monkeypatch.setenv(f"MOBILEKIT_{name}_DIR", str(tmp_path / name.lower()))


@pytest.mark.parametrize("count", [FEW, pytest.param(COUNT, marks=pytest.mark.slow)])
def test_no_fault_makes_a_wrong_number_or_loses_a_right_one(count, tmp_path):
    seed = random.SystemRandom().randrange(10**6)
    dice, phone, done, seen = random.Random(seed), Phone(), 0, collections.Counter()
    with adb_server(modern_adb(), tmp_path) as adb, simulated(adb, phone) as opened:
        device = impatient(opened)
        while done < count:
            names = dice.sample([*FAULTS], dice.randint(1, min(MOST_AT_ONCE, count - done)))
            where, done = f"seed {seed}, fault {done}, {names}", done + len(names)
            benchmark = Benchmark(tmp_path / str(done), device)
            for name in names:
                arm(phone, dice, name)
            seen[isinstance(benchmark.measure(), list)] += 1
            check(benchmark, where)
            before = benchmark.lines()
            make_well(adb, phone, device)
            check_completed(benchmark.measure(), where)
            check(benchmark, where)
            for file, text in before.items():
                whole = text[: text.rfind("\n") + 1]
                assert benchmark.lines()[file].startswith(whole), where
            shutil.rmtree(tmp_path / str(done))
    if count > FEW:  # some were survived at once, some ended the command
        assert set(seen) == {True, False}, seen


def arm(phone, dice, name):
    """Lets a fault happen some time after some program begins, or before all of them."""
    start, delay_s = dice.randrange(MOST_PROGRAMS + 1), dice.uniform(0, 0.2)
    if start:
        phone.at_program(start, delay_s, lambda: FAULTS[name](phone, dice))
    else:
        FAULTS[name](phone, dice)


def check_completed(measurements, where):
    """The command did all that it was to do."""
    assert isinstance(measurements, list), f"{where}: {measurements}"
    for measurement in measurements:
        assert len(measurement.runs) == REPETITIONS, where
        assert measurement.output_check.passed, where
        assert measurement.validity.status is not Validity.INVALID, where


def check(benchmark, where):
    """Every number on disk is what the program saw, alone; every run that came is on disk."""
    truths, recorded = benchmark.truths(), benchmark.recorded()
    for run in [*recorded, *(run for each in benchmark.sealed() for run in each.runs)]:
        assert run.latencies_us in truths, where
        truth, alone = truths[run.latencies_us]
        assert same(run, truth), where
        assert alone, f"{where}: another start ran beside one that counts"
    there = [run.latencies_us for run in recorded]
    assert len(there) == len(set(there)), where
    assert {run.latencies_us for run in benchmark.finished} <= set(there), where
    assert benchmark.device.late == [], where


def make_well(adb, phone, device):
    """Ends the fault and waits for the phone."""
    phone.at_nothing()
    phone.faults.clear()
    phone.set_full(full=False)
    try:
        device.wait_until_there(20)
    except DeviceError:
        attach(adb, phone)
        device.wait_until_there(20)
    device.shell(["sh", "-c", f"rm -f {device.workspace}/*/.*.part"], timeout_s=20)


def test_the_check_finds_a_number_that_nobody_saw(tmp_path):
    with adb_server(modern_adb(), tmp_path) as adb, simulated(adb, Phone()) as device:
        benchmark = Benchmark(tmp_path / "scene", device)
        assert len(benchmark.measure()) == 2
        check(benchmark, "well")
        path = next((benchmark.results / "runs").glob("*.jsonl"))
        text = path.read_text()
        one = benchmark.recorded()[0].init_us
        path.write_text(text.replace(str(one), str(one + 1)))
        with pytest.raises(AssertionError, match="spoiled"):
            check(benchmark, "spoiled")
        path.write_text(text.partition("\n")[2])
        with pytest.raises(AssertionError, match="lost"):
            check(benchmark, "lost")
