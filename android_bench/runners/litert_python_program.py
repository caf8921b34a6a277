"""The Python runner: starts one .tflite file once and prints the runner's document.

It is one script that needs Python 3.9, numpy and `ai_edge_litert` or `tflite_runtime`, and nothing
of mobilekit, so that it runs in another environment or on a board. Its last line of standard
output is the document of docs/formats.md; whatever the runtime says goes to standard error.

What its numbers mean:

- `init_us` is with a warm page cache: the file was read before, for its sha256.
- Every timed invocation gets the first input of each stack, so that one input's memory is held and
  not a stack's, and `output_sha256` are the outputs of that input. `--outputs` runs all inputs of
  the stacks once more, untimed, after the memory was read.
- `memory` is that of the whole process, Python and numpy included: compare it only between starts
  of this same program.
- `busy_share` is the part of all processors' time, from the start of this program to the end of
  the measured runs, that neither this process nor idling took; /proc/stat counts in ticks of 10 ms.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import hashlib
import importlib
import json
import os
import signal
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

SCHEMA = 1
NAME = "litert_python"
VERSION = "2"
EXIT_ERROR = 5  # the document's "error" says what happened
MODULES = {"ai-edge-litert": "ai_edge_litert", "tflite-runtime": "tflite_runtime"}
# The delegate that LiteRT applies by itself, and the built-in kernels without it.
RESOLVERS = {"xnnpack": "AUTO", "none": "BUILTIN_WITHOUT_DEFAULT_DELEGATES"}
SEEDED_COUNT = 16  # inputs in a seeded stack: what an output check needs at least
READ_BYTES = 1 << 20
# The warm-up is that of the C++ runner; its timing.cc has the same figures.
WINDOW, WINDOW_S = 10, 0.1  # invocations and seconds, at least
SETTLED_WITHIN = 0.02  # of the earlier window's median
WARMUP_BOUND = 10  # times its least seconds
COLDEST_C, HOTTEST_C = -40.0, 150.0  # a zone without a sensor says what lies beyond
CLOCK_READINGS = 1000  # a tenth of a millisecond here


class Problem(Exception):
    """What stops this run, as the sentence of the document's "error"."""


Array = npt.NDArray[Any]  # of whatever dtype the model has


class Interpreter(Protocol):
    """What is used of the runtime's class of that name."""

    def allocate_tensors(self) -> None:
        """Plans the memory and applies the delegate."""

    def invoke(self) -> None:
        """Runs the network once."""

    def set_tensor(self, index: int, value: Array) -> None:
        """Copies `value` into an input."""

    def get_tensor(self, index: int) -> Array:
        """Copies an output out."""

    def get_input_details(self) -> list[dict[str, Any]]:
        """Index, name, shape and dtype of every input."""

    def get_output_details(self) -> list[dict[str, Any]]:
        """The same of every output."""


# --- what is around the run -----------------------------------------------------------------------


def sha256_file(path: Path, start: int = 0) -> str:
    """The digest of a file's bytes from `start` on."""
    total = hashlib.sha256()
    with path.open("rb") as file:
        file.seek(start)
        while block := file.read(READ_BYTES):
            total.update(block)
    return total.hexdigest()


def die_with_parent() -> None:
    """Asks Linux to end this process with its parent: a killed harness leaves no load behind."""
    try:
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    except (AttributeError, OSError):
        return  # another system; a timeout of the harness still ends us


class Clock:
    """Processor time of this process and of the whole machine since it was made."""

    def __init__(self) -> None:
        self._wall, self._own, self._machine = time.monotonic(), time.process_time(), machine_s()

    def busy_share(self) -> float | None:
        """See the module; None where /proc/stat cannot be read."""
        machine, wall = machine_s(), time.monotonic() - self._wall
        if machine is None or self._machine is None or wall <= 0:
            return None
        others = machine - self._machine - (time.process_time() - self._own)
        return min(1.0, max(0.0, others / (wall * (os.cpu_count() or 1))))


def clock_resolution_ns(unread: dict[str, str]) -> int | None:
    """The smallest step between successive readings of the clock that times are taken with."""
    steps = np.diff([time.perf_counter_ns() for _ in range(CLOCK_READINGS)])
    moved = steps[steps > 0]
    if not len(moved):
        unread["clock_resolution_ns"] = "the clock did not move"
        return None
    return int(moved.min())


def machine_s() -> float | None:
    """Seconds that all processors were busy, or stolen by the hypervisor, since boot."""
    try:
        fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
        user, nice, system, _idle, _iowait, irq, softirq, steal = (int(f) for f in fields[:8])
    except (OSError, ValueError):
        return None
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def read_number(path: Path) -> int | None:
    """The whole number in a file of /sys; None if there is none."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def zone_c(value: int) -> float | None:
    """A thermal zone in °C, which kernels write as m°C or °C; None for what no silicon survives."""
    celsius = value / 1000 if abs(value) >= 1000 else float(value)
    return celsius if COLDEST_C <= celsius <= HOTTEST_C else None


def conditions(unread: dict[str, str]) -> dict[str, object]:
    """Sensors as they are now; what cannot be read is None and gets its reason in `unread`."""
    zones = [read_number(p) for p in Path("/sys/class/thermal").glob("thermal_zone*/temp")]
    power = [read_number(p) for p in Path("/sys/class/power_supply").glob("*/online")]
    drawn = [read_number(p) for p in Path("/sys/class/power_supply").glob("*/current_now")]
    frequencies: dict[str, int] = {}
    states: dict[str, dict[str, int]] = {}
    for folder in Path("/sys/devices/system/cpu").glob("cpu[0-9]*/cpufreq"):
        cpu = folder.parent.name[3:]
        current = read_number(folder / "scaling_cur_freq")
        if current is not None:
            frequencies[cpu] = current
        try:
            lines = (folder / "stats" / "time_in_state").read_text().split("\n")
            states[cpu] = {khz: int(ticks) for khz, ticks in map(str.split, filter(None, lines))}
        except (OSError, ValueError):
            continue
    celsius = [zone_c(zone) for zone in zones if zone is not None]
    temperatures = [t for t in celsius if t is not None]
    currents = [c for c in drawn if c is not None]
    sources = [p for p in power if p is not None]
    values: dict[str, tuple[object, str]] = {
        "temperature_c": (
            max(temperatures, default=None),
            "no /sys/class/thermal zone is readable",
        ),
        "thermal_status": (None, "only Android has one"),
        "frequencies_khz": (frequencies or None, "the kernel shows no cpufreq here"),
        "time_in_state": (states or None, "the kernel shows no cpufreq statistics here"),
        "battery_ua": (currents[0] if currents else None, "no battery is readable"),
        "plugged": (any(sources) if sources else None, "no power supply is readable"),
    }
    for name, (value, reason) in values.items():
        if value is None:
            unread[f"conditions.{name}"] = reason
    return {name: value for name, (value, _) in values.items()}


def memory(unread: dict[str, str]) -> dict[str, object]:
    """This process's peak and resident memory, bytes."""
    keys = {"VmHWM": "vm_hwm_bytes", "RssAnon": "rss_anon_bytes", "RssFile": "rss_file_bytes"}
    values: dict[str, object] = dict.fromkeys([*keys.values(), "delegate_bytes"])
    try:
        for line in Path("/proc/self/status").read_text().split("\n"):
            name, _, rest = line.partition(":")
            if name in keys:
                values[keys[name]] = int(rest.split()[0]) * 1024
    except (OSError, ValueError):
        pass  # the fields stay None, and the loop below says so
    unread["memory.delegate_bytes"] = "the interpreter's Python API does not say"
    for name in keys.values():
        if values[name] is None:
            unread[f"memory.{name}"] = "/proc/self/status does not have it"
    return values


def clusters() -> list[list[int]]:
    """Processors by their highest frequency, the slowest cluster first."""
    found: dict[int, list[int]] = {}
    for path in Path("/sys/devices/system/cpu").glob("cpu[0-9]*/cpufreq/cpuinfo_max_freq"):
        khz = read_number(path)
        if khz is not None:
            found.setdefault(khz, []).append(int(path.parents[1].name[3:]))
    return [found[khz] for khz in sorted(found)]


def set_affinity(which: str) -> None:
    """Stays on "big" or "little" processors, or on those of a hexadecimal mask."""
    if which in ("big", "little"):
        kinds = clusters()
        if len(kinds) < 2:
            raise Problem("this device shows no big and little processors; give a mask")
        wanted = set(kinds[-1] if which == "big" else kinds[0])
    else:
        mask = int(which, 16)
        wanted = {place for place in range(mask.bit_length()) if mask >> place & 1}
    try:
        os.sched_setaffinity(0, wanted)
    except (OSError, ValueError) as error:
        raise Problem(f"the processors of {which} cannot be had: {error}") from error
    if os.sched_getaffinity(0) != wanted:
        raise Problem(f"the processors of {which} cannot all be had: some are missing or off")


# --- the runtime ----------------------------------------------------------------------------------


class Runtime:
    """An imported inference package and the digest of its shared objects."""

    def __init__(self, name: str) -> None:
        module = MODULES[name]
        try:
            self.interpreter = importlib.import_module(f"{module}.interpreter")
        except ImportError as error:
            raise Problem(
                f"{name} cannot be imported by {sys.executable} ({error});"
                f" install it there: {sys.executable} -m pip install {name}"
            ) from error
        package = sys.modules[module]
        version = getattr(package, "__version__", None)
        self.record = {
            "name": name,
            "version": str(version or "unknown"),
            "sha256": self._digest(Path(str(package.__file__)).resolve().parent),
            "api": "interpreter",
        }

    @staticmethod
    def _digest(package: Path) -> str:
        """Of the package's shared objects that are mapped now, in order of their names."""
        mapped = {
            Path(fields[5])
            for fields in (line.split(None, 5) for line in open_maps())
            if len(fields) == 6 and ".so" in fields[5]
        }
        total = hashlib.sha256()
        for path in sorted(p for p in mapped if package in p.parents):
            total.update(f"{path.relative_to(package).as_posix()}\0{sha256_file(path)}\n".encode())
        return total.hexdigest()

    def open(self, model: Path, delegate: str, num_threads: int) -> Interpreter:
        """Loads `model` and applies the delegate; raises what the runtime raises."""
        resolver = getattr(self.interpreter.OpResolverType, RESOLVERS[delegate])
        made: Interpreter = self.interpreter.Interpreter(
            model_path=str(model), num_threads=num_threads, experimental_op_resolver_type=resolver
        )
        made.allocate_tensors()
        return made


def open_maps() -> list[str]:
    """The lines of this process's memory map."""
    return Path("/proc/self/maps").read_text().splitlines()


def actual(interpreter: Interpreter, requested: str, unread: dict[str, str]) -> dict[str, object]:
    """Nodes of the main graph, and those a delegate took.

    A delegated node stays in the list; a DELEGATE node with the borders of its partition is
    added. So the nodes of a partition are found by walking from its outputs back to its inputs.
    """
    listing = getattr(interpreter, "_get_ops_details", None)
    if listing is None:
        reason = "this runtime does not list its nodes"
        unread.update({f"actual.{f}": reason for f in ("delegate", "nodes_delegated")})
        unread.update({f"actual.{f}": reason for f in ("nodes_total", "partitions")})
        return dict.fromkeys(("delegate", "nodes_delegated", "nodes_total", "partitions"))
    nodes = listing()
    partitions = [node for node in nodes if node["op_name"] == "DELEGATE"]
    own = [node for node in nodes if node["op_name"] != "DELEGATE"]
    makers = {int(tensor): node for node in own for tensor in node["outputs"]}
    taken: set[int] = set()
    for partition in partitions:
        border = {int(tensor) for tensor in partition["inputs"]}
        todo = [int(tensor) for tensor in partition["outputs"]]
        while todo:
            tensor = todo.pop()
            maker = makers.get(tensor)
            if maker is None or tensor in border or maker["index"] in taken:
                continue
            taken.add(maker["index"])
            todo += [int(source) for source in maker["inputs"]]
    return {
        "delegate": requested if partitions else "none",
        "nodes_delegated": len(taken),
        "nodes_total": len(own),
        "partitions": len(partitions),
    }


# --- inputs ---------------------------------------------------------------------------------------


class Inputs:
    """Stacks of inputs, one a model input; one set of them is in memory at a time."""

    def __init__(self, details: Sequence[dict[str, Any]], args: argparse.Namespace) -> None:
        self._details = details
        self._paths: list[Path] = args.input
        self._seed: int = args.seed
        self._range: tuple[int, int] | None = args.input_range
        self.source = "file" if self._paths else "seeded"
        stacks = [self._open(position) for position in range(len(details))] if self._paths else []
        if self._paths and len(self._paths) != len(details):
            raise Problem(f"the model has {len(details)} inputs, {len(self._paths)} were given")
        if len({len(stack) for stack in stacks}) > 1:
            raise Problem("the stacks of inputs have different lengths")
        self.count: int = len(stacks[0]) if stacks else args.input_count

    def _open(self, position: int) -> Array:
        """Maps the stack of one input, so that its unused part takes no memory."""
        if position >= len(self._paths):
            raise Problem(f"the model has {len(self._details)} inputs, {position} were given")
        detail, path = self._details[position], self._paths[position]
        try:
            stack: Array = np.load(path, mmap_mode="r", allow_pickle=False)
        except (ValueError, OSError, EOFError) as error:
            raise Problem(f"the inputs {path.name} are no .npy file ({error})") from error
        shape, dtype = tuple(detail["shape"]), np.dtype(detail["dtype"])
        fits = stack.shape[1:] == shape or (shape[:1] == (1,) and stack.shape[1:] == shape[1:])
        if stack.dtype != dtype or not fits or not len(stack):
            raise Problem(
                f"input {detail['name']!r} takes {dtype} {list(map(int, shape))} and a stack of"
                f" those; the file given for it holds {stack.dtype} {list(stack.shape)}"
            )
        return stack

    def read(self, index: int) -> list[Array]:
        """The `index`-th input of every stack, in the model's shapes."""
        if not self._paths:
            return [self._seeded(position, index) for position in range(len(self._details))]
        return [
            np.array(self._open(position)[index]).reshape(tuple(self._details[position]["shape"]))
            for position in range(len(self._details))
        ]

    def _seeded(self, position: int, index: int) -> Array:
        """Uniform numbers: floats of [-1, 1), integers of --input-range or of their whole type."""
        detail = self._details[position]
        shape, dtype = tuple(detail["shape"]), np.dtype(detail["dtype"])
        random = np.random.default_rng([self._seed, position, index])
        if np.issubdtype(dtype, np.integer):
            low, high = self._range or (np.iinfo(dtype).min, np.iinfo(dtype).max)
            return random.integers(low, high, shape, dtype=dtype, endpoint=True)
        if np.issubdtype(dtype, np.floating):
            return random.uniform(-1, 1, shape).astype(dtype)
        raise Problem(f"input {detail['name']!r} is {dtype}, which cannot be seeded; give --input")

    def sha256(self) -> list[str]:
        """Of each stack's values."""
        totals = [hashlib.sha256() for _ in self._details]
        for index in range(self.count):
            values = self.read(index)
            for position, total in enumerate(totals):
                total.update(values[position].tobytes())
        return [total.hexdigest() for total in totals]


# --- the run --------------------------------------------------------------------------------------


Parts = tuple[int, int, int]  # nanoseconds of writing, invoking, reading
More = Callable[[list[Parts], float], bool]  # told of the times so far and of the seconds


def exactly(count: int) -> More:
    """So many invocations."""
    return lambda times, seconds: len(times) < count


class WarmUp:
    """`count` invocations at least, and with `min_secs` until the last two windows agree.

    A window is 10 invocations and a tenth of a second at least: a net of some microseconds would
    otherwise never settle.
    """

    def __init__(self, count: int, min_secs: float) -> None:
        self._count, self._min_secs = count, min_secs
        self._begin, self._begin_s = 0, 0.0  # of the window that is open
        self._medians: list[float] = []

    @property
    def settled(self) -> bool:
        """Whether the medians of the last two windows differ by at most 2 %."""
        if len(self._medians) < 2:
            return False
        earlier, later = self._medians[-2:]
        return abs(later - earlier) <= SETTLED_WITHIN * earlier

    def __call__(self, times: list[Parts], seconds: float) -> bool:
        """Whether there is more to do."""
        long_enough = seconds - self._begin_s >= WINDOW_S
        if long_enough and len(times) - self._begin >= WINDOW:
            totals = [sum(parts) for parts in times[self._begin :]]
            self._medians.append(statistics.median(totals))
            self._begin, self._begin_s = len(times), seconds
        if len(times) < self._count or self._min_secs <= 0:
            return len(times) < self._count
        if seconds >= self._min_secs * WARMUP_BOUND:
            return False
        return seconds < self._min_secs or not self.settled


def between(count: int, min_secs: float, max_secs: float) -> More:
    """The measured ones: `count` and `min_secs` at least, one and `max_secs` at most."""
    return lambda times, seconds: (
        not times or ((len(times) < count or seconds < min_secs) and seconds < max_secs)
    )


class Invocations:
    """Invokes and times; every invocation writes its inputs and reads its outputs."""

    def __init__(self, interpreter: Interpreter) -> None:
        self._interpreter = interpreter
        self._inputs = [int(detail["index"]) for detail in interpreter.get_input_details()]
        self._outputs = [int(detail["index"]) for detail in interpreter.get_output_details()]
        self.outputs: list[Array] = []

    def run(self, values: list[Array], more: More) -> list[Parts]:
        """Invokes while `more` says so; nanoseconds of writing, invoking and reading."""
        interpreter, inputs, outputs = self._interpreter, self._inputs, self._outputs
        clock, positions = time.perf_counter_ns, range(len(self._inputs))
        times: list[Parts] = []
        gc.collect()
        gc.disable()
        try:
            began = clock()
            while more(times, (clock() - began) / 1e9):
                start = clock()
                for position in positions:
                    interpreter.set_tensor(inputs[position], values[position])
                written = clock()
                interpreter.invoke()
                invoked = clock()
                self.outputs = [interpreter.get_tensor(index) for index in outputs]
                times.append((written - start, invoked - written, clock() - invoked))
        finally:
            gc.enable()
        return times


def total_us(times: Sequence[Parts]) -> list[float]:
    """Microseconds of whole invocations."""
    return [sum(parts) / 1000 for parts in times]


def write_outputs(invocations: Invocations, inputs: Inputs, folder: Path) -> None:
    """Runs every input of the stacks once; writes one output_<k>.npy, (count, ...), an output."""
    rows: list[list[Array]] = []
    for index in range(inputs.count):
        invocations.run(inputs.read(index), exactly(1))
        rows.append([np.array(output) for output in invocations.outputs])
    folder.mkdir(parents=True, exist_ok=True)
    for position in range(len(rows[0])):
        np.save(folder / f"output_{position}.npy", np.stack([row[position] for row in rows]))


def fill(document: dict[str, Any], args: argparse.Namespace, clock: Clock) -> None:
    """Does the run; what is known stands in `document` even when a later step fails."""
    unread: dict[str, str] = document["unread"]
    if args.affinity:
        set_affinity(args.affinity)
    document["processors"] = sorted(os.sched_getaffinity(0))
    runtime = Runtime(args.runtime)
    document["runtime"] = runtime.record
    document["model_sha256"] = sha256_file(args.model)
    start = time.perf_counter_ns()
    interpreter = runtime.open(args.model, args.delegate, args.num_threads)
    document["init_us"] = (time.perf_counter_ns() - start) / 1000
    document["actual"] = actual(interpreter, args.delegate, unread)
    inputs = Inputs(interpreter.get_input_details(), args)
    values, invocations = inputs.read(0), Invocations(interpreter)
    before = conditions(unread)
    first = invocations.run(values, exactly(1))
    warm_up = WarmUp(args.warmup_runs, args.warmup_min_secs)
    warmup = invocations.run(values, warm_up)
    measured = invocations.run(values, between(args.num_runs, args.min_secs, args.max_secs))
    document["warmup_settled"] = warm_up.settled if args.warmup_min_secs > 0 else None
    document["busy_share"] = clock.busy_share()
    document["clock_resolution_ns"] = clock_resolution_ns(unread)
    document["memory"] = memory(unread)
    document["threads"] = len(list(Path("/proc/self/task").glob("*"))) or None
    document["conditions"] = {"before": before, "after": conditions(unread)}
    document["first_us"] = total_us(first)[0]
    document["warmup_us"] = total_us(warmup)
    document["latencies_us"] = total_us(measured)
    document["write_input_us"] = [parts[0] / 1000 for parts in measured]
    document["read_output_us"] = [parts[2] / 1000 for parts in measured]
    document["output_sha256"] = [
        hashlib.sha256(output.tobytes()).hexdigest() for output in invocations.outputs
    ]
    document["inputs"] = {"source": inputs.source, "sha256": inputs.sha256()}
    if args.outputs is not None:
        write_outputs(invocations, inputs, args.outputs)
        document["outputs"] = {"path": str(args.outputs)}


def skeleton(args: argparse.Namespace) -> dict[str, Any]:
    """The document of a run that has not begun."""
    nothing = dict.fromkeys(("delegate", "nodes_delegated", "nodes_total", "partitions"))
    unknown = dict.fromkeys(("vm_hwm_bytes", "rss_anon_bytes", "rss_file_bytes", "delegate_bytes"))
    return {
        "schema": SCHEMA,
        "runner": {"name": NAME, "version": VERSION, "sha256": sha256_file(Path(__file__))},
        "runtime": {"name": args.runtime, "version": "", "sha256": "", "api": "interpreter"},
        "context": args.context,
        "model_sha256": "",
        "requested": {
            "delegate": args.delegate,
            "num_threads": args.num_threads,
            "affinity": args.affinity,
            "options": {},
        },
        "actual": nothing,
        "inputs": {"source": "", "sha256": []},
        "init_us": 0.0,
        "first_us": 0.0,
        "warmup_us": [],
        "latencies_us": [],
        "write_input_us": [],
        "read_output_us": [],
        "memory": unknown,
        "conditions": {"before": {}, "after": {}},
        "output_sha256": [],
        "outputs": None,
        "profile": None,
        "paced": None,
        "windows": None,
        "cache": None,
        "threads": None,
        "clock_resolution_ns": None,
        "error": None,
        "unread": {},
    }


def shortened(text: str) -> str:
    """One line of at most 500 characters: runtimes repeat themselves over many."""
    line = " ".join(text.split())
    return line if len(line) <= 500 else line[:497] + "..."


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Reads the command line."""

    def span(text: str) -> tuple[int, int]:
        low, _, high = text.partition(":")
        if int(low) > int(high):
            raise ValueError(text)
        return int(low), int(high)

    parser = argparse.ArgumentParser(description="Runs one .tflite file; prints one JSON line.")
    parser.add_argument("--model", type=Path, help="the .tflite file")
    parser.add_argument("--runtime", choices=sorted(MODULES), default="ai-edge-litert")
    parser.add_argument("--delegate", choices=sorted(RESOLVERS), default="xnnpack")
    parser.add_argument("--context", choices=("host", "shell"), default="host")
    parser.add_argument("--num-threads", type=int, default=1)
    parser.add_argument("--warmup-runs", type=int, default=10, help="after the first invocation")
    parser.add_argument("--warmup-min-secs", type=float, default=0.0, help="and so long")
    parser.add_argument("--num-runs", type=int, default=50, help="measured invocations, at least")
    parser.add_argument("--min-secs", type=float, default=0.0, help="of them, at least")
    parser.add_argument("--max-secs", type=float, default=150.0, help="of them, at most")
    parser.add_argument("--affinity", help="processors: big, little or a hexadecimal mask")
    parser.add_argument(
        "--input",
        type=Path,
        action="append",
        default=[],
        help="a stack of inputs as .npy, in the model's own dtype; once for every model input",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the inputs where none are given")
    parser.add_argument("--input-count", type=int, default=SEEDED_COUNT, help="of seeded inputs")
    parser.add_argument("--input-range", type=span, help="LOW:HIGH of seeded whole numbers")
    parser.add_argument("--outputs", type=Path, help="folder for the outputs of all inputs")
    parser.add_argument(
        "--probe", action="store_true", help="say which runtime this is, run nothing"
    )
    args = parser.parse_args(argv)
    if not args.probe and args.model is None:
        parser.error("--model is needed")
    for name in ("num_threads", "num_runs", "input_count"):
        if getattr(args, name) < 1:
            parser.error(f"--{name.replace('_', '-')} must be at least 1")
    return args


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the document; returns the exit code."""
    clock = Clock()
    args = parse(argv)
    die_with_parent()
    document = skeleton(args)
    try:
        if args.probe:
            document["runtime"] = Runtime(args.runtime).record
        else:
            fill(document, args, clock)
    except Problem as problem:
        document["error"] = str(problem)
    except (ValueError, RuntimeError, OSError, MemoryError) as error:  # what the runtime raises
        document["error"] = shortened(f"{type(error).__name__}: {error}")
    print(json.dumps(document, allow_nan=False), flush=True)
    return EXIT_ERROR if document["error"] else 0


if __name__ == "__main__":
    sys.exit(main())
