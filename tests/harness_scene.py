"""A scripted runner program and a folder to measure it in, for the tests of the harness.

The real driver starts the program as a process of the real host device; only it is a fake.
"""

import json
import subprocess
import sys
from pathlib import Path

from android_bench.devices.host import HostDevice
from android_bench.harness import Job, Patience, measure
from android_bench.runners.litert_python import LitertPythonRunner
from mobilekit.core.measurement import Kit, RunConfig, Validity
from tests.sample_results import file_model

ROOT = Path(__file__).resolve().parents[1]
REPETITIONS = 6
QUICK = Patience(cool_s=0.5, device_s=0.5, poll_s=0.01, settle_s=0.03)
CONFIG = RunConfig(warmup_runs=1, num_runs=4, min_secs=0, repetitions=REPETITIONS)

# Answers like the runner. Every timed start adds a line to LOG; ORDERS maps the number of such a
# start to what goes wrong in it, and the sha256 of a model to what is wrong with its outputs. The
# number of a start, plus one, comes back as its init_us.
FAKE = """
import hashlib, json, os, signal, struct, sys, time
from pathlib import Path
LOG, ORDERS = Path({log!r}), Path({orders!r})
words = sys.argv[1:]
options, inputs = {{}}, []
while words:
    name = words.pop(0)
    value = "" if name == "--probe" else words.pop(0)
    options[name] = value
    inputs += [value] * (name == "--input")
orders = json.loads(ORDERS.read_text())
sha = lambda content: hashlib.sha256(content).hexdigest()
document = {{
    "schema": 1,
    "runner": {{"name": "litert_python", "version": "1",
               "sha256": sha(Path(__file__).read_bytes())}},
    "runtime": {{"name": options["--runtime"], "version": "0", "sha256": "0" * 64,
                "api": "interpreter"}},
    "context": options["--context"], "error": None,
}}
if "--probe" in options:
    print(json.dumps(document)); sys.exit()
model, delegate = Path(options["--model"]).read_bytes(), options["--delegate"]
runs, warmup = int(options["--num-runs"]), int(options["--warmup-runs"])
action, number = "", 0
if "--outputs" not in options:
    number = len(LOG.read_text().split("\\n")) - 1 if LOG.exists() else 0
    with LOG.open("a") as log:
        log.write(f"{{os.getppid()}} {{sha(model)}} {{options['--num-threads']}}\\n")
    time.sleep(orders.get("sleep_s", 0))
    action = orders.get(str(number), orders.get("always", ""))
base = sha(model)
for order in orders:  # "from N SHA256": starts of that model from the Nth on
    if order.startswith("from ") and order.endswith(base) and "--outputs" not in options:
        action = orders[order] if number >= int(order.split()[1]) else action
if "--outputs" in options: action = orders.get("check " + base, "")
rows = [bytes(int(base[k : k + 2], 16) % 100 + row for k in range(8)) for row in range(16)]
if orders.get(base) == "zeros" and delegate != "none":
    rows = [bytes(8)] * 16
if orders.get(base) == "unsteady" and "--outputs" not in options:
    rows[0] = struct.pack("Q", time.monotonic_ns())
if "--outputs" in options:
    folder = Path(options["--outputs"]); folder.mkdir(parents=True)
    head = "{{'descr': '|i1', 'fortran_order': False, 'shape': (16, 1, 8), }}".ljust(117) + "\\n"
    npy = b"\\x93NUMPY\\x01\\x00" + struct.pack("<H", 118) + head.encode() + b"".join(rows)
    folder.joinpath("output_0.npy").write_bytes(npy)
document |= {{
    "model_sha256": sha(model),
    "requested": {{"delegate": delegate, "num_threads": int(options["--num-threads"])}},
    "actual": {{"delegate": delegate, "nodes_delegated": 3 * (delegate != "none"),
                "nodes_total": 3, "partitions": 1}},
    "inputs": {{"source": "file" if inputs else "seeded",
                "sha256": [sha(Path(i).read_bytes()) for i in inputs]}},
    "init_us": number + 1.0, "first_us": 3.0,
    "warmup_us": [2.0] * warmup, "latencies_us": [2.0] * runs,
    "write_input_us": [0.5] * runs, "read_output_us": [0.5] * runs,
    "memory": {{"vm_hwm_bytes": 1, "rss_anon_bytes": 1, "rss_file_bytes": 1,
                "delegate_bytes": None}},
    "conditions": {{"before": {{}}, "after": {{}}}},
    "output_sha256": [sha(rows[0])], "busy_share": 0.0,
    "outputs": {{"path": options["--outputs"]}} if "--outputs" in options else None,
}}
if action == "crash": os.kill(os.getpid(), signal.SIGSEGV)
if action == "garbage": print("{{]"); sys.exit()
if action == "hang": time.sleep(60)
if action == "flood":
    while True: print("x" * 100000)
if action == "other runtime": document["runtime"]["sha256"] = "1" * 64
if action == "error": document["error"] = "no memory for the tensors"
print(json.dumps(document))
sys.exit(5 if document["error"] else 0)
"""

MAIN = """
import json, sys
sys.path.insert(0, {root!r})
from pathlib import Path
from tests.harness_scene import Scene
from mobilekit.core.errors import MobileKitError
try:
    Scene(Path({folder!r})).measure()
except MobileKitError as error:
    print(f"{{type(error).__name__}}: {{error}}")
    sys.exit(error.exit_code)
"""


class Scene:
    """A folder with two models, the fake program, and results."""

    def __init__(self, folder):
        self.folder, self.results = folder, folder / "results"
        self.log, self.told = folder / "log", []
        self.models = [folder / "one.tflite", folder / "two.tflite"]
        self.program = folder / "fake.py"
        if not self.program.exists():
            for path in self.models:
                path.write_bytes(path.name.encode())
            orders = str(folder / "orders.json")
            self.program.write_text(FAKE.format(log=str(self.log), orders=orders))
            self.order({})

    def order(self, orders):
        (self.folder / "orders.json").write_text(json.dumps(orders))

    def jobs(self, models=None, config=CONFIG, **more):
        jobs = []
        for path in models or self.models:
            model = file_model(path, "static_wi8_ai8")
            jobs.append(Job(path=path, model=model, config=config, **more))
        return jobs

    def device(self):
        return HostDevice(workspace=self.folder / "work")

    def runner(self):
        return LitertPythonRunner(
            runtime="ai-edge-litert", python=Path(sys.executable), program=self.program
        )

    def measure(self, jobs=None, timeout_s=20.0, device=None, patience=QUICK):
        self.told.clear()
        return measure(
            jobs or self.jobs(),
            device or self.device(),
            self.runner(),
            self.results,
            seed=0,
            command="mobilekit benchmark one.tflite two.tflite",
            kit=Kit(version="0.1.0", commit=None),
            progress=lambda done, total, text: self.told.append((done, total, text)),
            timeout_s=timeout_s,
            patience=patience,
        )

    def child(self, **more):
        """The same measurement in a process of its own."""
        code = MAIN.format(root=str(ROOT), folder=str(self.folder))
        return subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, **more
        )

    def starts(self):
        """(harness's process id, model's sha256) of every timed start."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [tuple(line.split()[:2]) for line in lines]

    def lines(self):
        return {path.name: path.read_bytes() for path in (self.results / "runs").glob("*.jsonl")}


def blocks(measurement):
    return [run.block for run in measurement.runs]


def check_pairs(scene, measurements):
    """The starts of a block that counts came one after the other, from one process.

    A start that was made again came after all others of its block.
    """
    assert len({m.config.order_seed for m in measurements}) == 1
    assert len({tuple(blocks(m)) for m in measurements}) == 1
    harness = [pid for pid, _ in scene.starts()]
    numbers = [int(run.init_us) - 1 for m in measurements for run in m.runs]
    assert len(numbers) == len(set(numbers))
    for place in range(REPETITIONS):
        runs = sorted((m.runs[place] for m in measurements), key=lambda run: run.order)
        first, second = (int(run.init_us) - 1 for run in runs)
        if any(run.retried for run in runs):
            assert first < second <= first + 3
            assert runs[1].retried
            assert runs[1].order >= len(measurements)
        else:
            assert second == first + 1
            assert [run.order for run in runs] == [0, 1]
        assert len(set(harness[first : second + 1])) == 1
    for measurement in measurements:
        assert len(measurement.runs) == REPETITIONS
        retried = any(run.retried for run in measurement.runs)
        expected = Validity.SUSPECT if retried else Validity.VALID
        assert measurement.validity.status is expected, measurement.validity.reasons
