"""One timed start of a cell: whatever comes of it is a `Run`, also a failure."""

from __future__ import annotations

from android_bench.jobs import Bench, Cell
from android_bench.runners import Start
from mobilekit.core.errors import DeviceError, RunnerError
from mobilekit.core.measurement import (
    Actual,
    BeforeAfter,
    Conditions,
    Memory,
    Requested,
    Run,
    RunnerInputs,
)

SCHEMA = 1  # of the runner's document


def timed_start(bench: Bench, cell: Cell) -> Run:
    """Starts a cell's file once; an error of the runner or the device becomes the run's `error`."""
    try:
        return start_once(bench, cell)
    except (RunnerError, DeviceError) as error:
        return failed_run(bench, cell, str(error))


def start_once(bench: Bench, cell: Cell, *, fresh: bool = False) -> Run:
    """Starts a cell's file once, with an empty cache where `fresh`.

    Raises:
        RunnerError: If the runner fails.
        DeviceError: If the device does.
    """
    device = bench.device
    start = Start(
        model=cell.remote_model(device),
        model_sha256=cell.job.model.sha256,
        config=cell.job.config,
        inputs=cell.remote_inputs(device),
        load=cell.remote_load(device),
        fresh=fresh,
    )
    run = bench.runner.start(device, start, timeout_s=bench.start_timeout_s(cell.job.config))
    if run.error is None and run.runtime != bench.runtime:
        raise RunnerError("the runtime is another than before; was it installed anew?")
    return run


def failed_run(bench: Bench, cell: Cell, problem: str) -> Run:
    """The record of a start that left no document that counts."""
    config = cell.job.config
    return Run(
        schema=SCHEMA,
        runner=bench.runner.program(),
        runtime=bench.runtime,
        context=bench.runner.context(bench.device),
        model_sha256=cell.job.model.sha256,
        requested=Requested(
            delegate=config.delegate,
            num_threads=config.num_threads,
            affinity=config.affinity,
            options=config.options,
        ),
        actual=Actual(delegate=None, nodes_delegated=None, nodes_total=None, partitions=None),
        inputs=RunnerInputs(source="file" if cell.input_sha256 else "seeded", sha256=()),
        init_us=0.0,
        first_us=0.0,
        warmup_us=(),
        latencies_us=(),
        write_input_us=(),
        read_output_us=(),
        memory=Memory(
            vm_hwm_bytes=None, rss_anon_bytes=None, rss_file_bytes=None, delegate_bytes=None
        ),
        conditions=BeforeAfter(before=Conditions(), after=Conditions()),
        output_sha256=(),
        error=problem,
    )
