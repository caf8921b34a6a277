"""A benchmark on a simulated phone whose program notes the truth beside what it prints."""

import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path

from android_bench.harness import Job, measure
from android_bench.results import load_measurement
from android_bench.runners.litert_python import LitertPythonRunner
from mobilekit.core.errors import MobileKitError
from mobilekit.core.measurement import Kit, Run, RunConfig
from mobilekit.core.records import from_json, to_json
from tests.sample_results import file_model

REPETITIONS = 2
CONFIG = RunConfig(warmup_runs=1, num_runs=3, min_secs=0, repetitions=REPETITIONS, cooling="none")
# What the harness adds to a run, or reads itself where the program could not.
ADDED = {"block", "order", "started", "cool_down", "retried", "conditions", "unread"}
CALL_S = 4.0  # the limit of a call on the phone; the harness's own are longer
ENDING_S = 6.0  # ending what a call left, before and after it
SLACK_S = 3.0  # of a computer that others use

BUSY_S = (0.05, 0.15)

# Prints a document of times that nobody can guess, after it has noted it, and whether another one
# ran meanwhile.
PROGRAM = """
import hashlib, json, os, random, struct, sys, time
from pathlib import Path
TRUTH = Path({truth!r})
sha = lambda content: hashlib.sha256(content).hexdigest()
words, options = sys.argv[1:], {{}}
for place, word in enumerate(words):
    if word.startswith("--"):
        options[word] = words[place + 1] if place + 1 < len(words) else ""
own = sha(Path(__file__).read_bytes())
document = {{
    "schema": 1, "error": None, "context": options["--context"],
    "runner": {{"name": "litert_python", "version": "1", "sha256": own}},
    "runtime": {{"name": options["--runtime"], "version": "0", "sha256": "0" * 64,
                "api": "interpreter"}},
}}
if "--probe" in options:
    print(json.dumps(document)); sys.exit()
def note(row):
    with open(TRUTH, "a") as file:
        file.write(json.dumps(row) + "\\n")
def others():
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
            on_phone = b"SIMULATED=" in (folder / "environ").read_bytes()
        except OSError:
            continue
        mine = folder.name == str(os.getpid()) or not on_phone
        if not mine and own.encode() in command and b"--model" in command:
            shell = (folder / "exe").resolve().name in ("dash", "sh", "bash")
            if not shell: yield folder.name
beside = list(others())
model, delegate = Path(options["--model"]).read_bytes(), options["--delegate"]
random, base = random.SystemRandom(), sha(model)
rows = [bytes(int(base[k : k + 2], 16) % 100 + row for k in range(8)) for row in range(16)]
time.sleep(random.uniform(*{busy_s}))
if "--outputs" in options:
    folder = Path(options["--outputs"]); folder.mkdir(parents=True)
    head = "{{'descr': '|i1', 'fortran_order': False, 'shape': (16, 1, 8), }}".ljust(117) + "\\n"
    npy = b"\\x93NUMPY\\x01\\x00" + struct.pack("<H", 118) + head.encode() + b"".join(rows)
    folder.joinpath("output_0.npy").write_bytes(npy)
draw = lambda count: [random.uniform(1000, 2000) for _ in range(count)]
runs = max(1, int(options["--num-runs"]))
document |= {{
    "model_sha256": base,
    "requested": {{"delegate": delegate, "num_threads": int(options["--num-threads"])}},
    "actual": {{"delegate": delegate, "nodes_delegated": 3 * (delegate != "none"),
                "nodes_total": 3, "partitions": 1}},
    "inputs": {{"source": "seeded", "sha256": []}},
    "init_us": draw(1)[0], "first_us": draw(1)[0], "busy_share": 0.0,
    "warmup_us": draw(int(options["--warmup-runs"])), "latencies_us": draw(runs),
    "write_input_us": draw(runs), "read_output_us": draw(runs),
    "memory": {{"vm_hwm_bytes": random.randrange(10**9), "rss_anon_bytes": 1,
                "rss_file_bytes": 1, "delegate_bytes": None}},
    "conditions": {{"before": {{}}, "after": {{}}}}, "output_sha256": [sha(rows[0])],
    "outputs": {{"path": "/data" + options["--outputs"].partition("/data")[2]}}
               if "--outputs" in options else None,
}}
note({{"document": document, "beside": beside + list(others())}})
print(json.dumps(document))
"""


@dataclass
class Watched:
    """A device whose every call is limited and timed."""

    device: object
    late: list[str] = field(default_factory=list)

    def __getattr__(self, name):
        return getattr(self.device, name)

    def shell(self, argv, *, timeout_s):
        limit_s = min(timeout_s, CALL_S)
        return self._timed(lambda: self.device.shell(argv, timeout_s=limit_s), limit_s, argv[:2])

    def push(self, local, remote):
        # Three parts, each within the device's patience of a second.
        self._timed(lambda: self.device.push(local, remote), 3.0, ["push"])

    def pull(self, remote, local):
        self._timed(lambda: self.device.pull(remote, local), 2.0, ["pull"])

    def _timed(self, call: Callable, limit_s, words):
        began = time.monotonic()
        try:
            return call()
        finally:
            took_s = time.monotonic() - began
            if took_s > limit_s + ENDING_S + SLACK_S:
                self.late.append(f"{words} took {took_s:.1f} s where {limit_s} s is the limit")


@dataclass
class Noted:
    """A driver that notes the timed runs that it hands over."""

    runner: LitertPythonRunner
    finished: list[Run] = field(default_factory=list)

    def __getattr__(self, name):
        return getattr(self.runner, name)

    def start(self, device, start, *, timeout_s):
        run = self.runner.start(device, start, timeout_s=timeout_s)
        if run.error is None and start.outputs is None:
            self.finished.append(run)
        return run


class Benchmark:
    """One command, to be given again: two files on one device."""

    def __init__(self, folder: Path, device):
        folder.mkdir()
        self.results, self._truth = folder / "results", folder / "truth.jsonl"
        self._program = folder / "program.py"
        self._program.write_text(PROGRAM.format(truth=str(self._truth), busy_s=BUSY_S))
        self.models = [folder / f"{name}.tflite" for name in ("one", "two")]
        for path in self.models:
            path.write_bytes(path.name.encode() + os.urandom(50_000))
        self.device = Watched(device)
        self.finished: list[Run] = []

    def measure(self):
        """The measurements, or the error that the command ends with."""
        runner = Noted(
            LitertPythonRunner(runtime="ai-edge-litert", python=None, program=self._program)
        )
        try:
            return measure(
                [self._job(path) for path in self.models],
                self.device,
                runner,
                self.results,
                seed=0,
                command="mobilekit benchmark one.tflite two.tflite",
                kit=Kit(version="0.1.0", commit=None),
                progress=lambda done, total, text: None,
                timeout_s=CALL_S,
            )
        except MobileKitError as error:
            return error
        finally:
            self.finished += runner.finished

    def _job(self, path):
        model = file_model(path, "static_wi8_ai8")
        return Job(path=path, model=model, config=CONFIG)

    def lines(self):
        """What is on disk of single starts, by file."""
        return {path.name: path.read_text() for path in (self.results / "runs").glob("*.jsonl")}

    def recorded(self):
        """The starts on disk that went well."""
        rows = [json.loads(line) for text in self.lines().values() for line in text.splitlines()]
        runs = [from_json(Run, row, ignore_unknown=True) for row in rows]
        return [run for run in runs if run.error is None]

    def sealed(self):
        """The measurements on disk."""
        return [load_measurement(path) for path in self.results.glob("*.json")]

    def truths(self):
        """What the program really saw in its starts, and whether it was alone, by its times."""
        rows = map(json.loads, self._truth.read_text().splitlines() if self._truth.exists() else ())
        return {
            tuple(row["document"]["latencies_us"]): (
                from_json(Run, row["document"], ignore_unknown=True),
                not row["beside"],
            )
            for row in rows
        }


def same(run: Run, truth: Run) -> bool:
    """Whether all is equal that comes from the program."""
    names = [f.name for f in fields(Run) if f.name not in ADDED]
    one, other = to_json(run), to_json(truth)
    return all(one[name] == other[name] for name in names)


# --- what can happen ----------------------------------------------------------------------------


def _at(name, values):
    return lambda phone, dice: setattr(phone.faults, name, dice.choice(values))


def _hang(phone, dice):
    phone.faults.hang = frozenset([dice.choice(["shell", "sync"])])
    threading.Timer(1.0, lambda: setattr(phone.faults, "hang", frozenset())).start()


BYTES = (0, 1, 40, 300, 1500)
FAULTS = {
    "nothing": lambda phone, dice: None,
    "killed for want of memory": lambda phone, dice: phone.kill_programs(),
    "hangs in the middle": lambda phone, dice: phone.stop_programs(),
    "cable pulled": lambda phone, dice: phone.drop(),
    "unplugged": lambda phone, dice: phone.unplug(dice.uniform(0.2, 1.5)),
    "restarts": lambda phone, dice: phone.reboot(dice.uniform(0.2, 1.5)),
    "storage full": lambda phone, dice: phone.set_full(full=True),
    "no room": _at("free_kb", (0, 10)),
    "clock jumps": _at("clock_offset_s", (-86_400, 3600, 10**8)),
    "service hangs": _hang,
    "slow": _at("slow_s", (0.01, 0.05)),
    "output breaks off": _at("drop_shell_after", BYTES),
    "output cut": _at("cut_shell_after", BYTES),
    "output garbled": _at("garble_shell_after", BYTES),
    "push breaks off": _at("drop_push_after", (1, 30_000)),
    "pull breaks off": _at("drop_pull_after", (1, 100)),
    "full in a push": _at("full_after", (0, 30_000)),
    "push damaged": _at("damage_push", (True,)),
    "push lost": _at("lose_push", (True,)),
    "pull damaged": _at("damage_pull", (True,)),
}
