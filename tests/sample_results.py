"""One run and one measurement that a real computer could have made, for tests to vary."""

from dataclasses import replace

from mobilekit.core.device import DeviceInfo
from mobilekit.core.digest import sha256_file
from mobilekit.core.measurement import (
    Actual,
    BeforeAfter,
    Conditions,
    Kit,
    MeasureConfig,
    MeasuredModel,
    Measurement,
    Memory,
    OutputCheck,
    Program,
    Requested,
    Run,
    RunnerInputs,
    Runtime,
    Validity,
    Verdict,
)
from mobilekit.core.model import ModelSpec

BLOCKS = 12

DEVICE = DeviceInfo(
    kind="host",
    label="desk",
    serial_hash="5e71a1",
    simulated=False,
    manufacturer=None,
    model="A CPU",
    soc=None,
    abi="x86_64",
    os="Linux 6.1",
    build_fingerprint="b1",
)
RUN = Run(
    schema=1,
    runner=Program(name="litert_python", version="1", sha256="aa" * 32),
    runtime=Runtime(name="ai-edge-litert", version="2.3.0", sha256="bb" * 32, api="interpreter"),
    context="host",
    model_sha256="f0" * 32,
    requested=Requested(delegate="xnnpack", num_threads=2),
    actual=Actual(delegate="xnnpack", nodes_delegated=66, nodes_total=66, partitions=1),
    inputs=RunnerInputs(source="seeded", sha256=("cc" * 32,)),
    init_us=20_000.0,
    first_us=16_000.0,
    warmup_us=(15_000.0,),
    latencies_us=(14_000.0,),
    write_input_us=(10.0,),
    read_output_us=(2.0,),
    memory=Memory(
        vm_hwm_bytes=60_000_000, rss_anon_bytes=None, rss_file_bytes=None, delegate_bytes=None
    ),
    conditions=BeforeAfter(before=Conditions(), after=Conditions()),
    output_sha256=("dd" * 32,),
    block=0,
    order=0,
    started="2026-01-01T00:00:00+00:00",
)
MODEL = MeasuredModel(
    name="mobilenet_v2_1.0_224",
    sha256="f0" * 32,
    size_bytes=14_000_000,
    spec=ModelSpec(architecture="mobilenet_v2"),
    recipe="float32",
    recipe_digest="01" * 32,
    preprocessing=None,
)


def file_model(path, recipe, name=None):
    """What a file is, for tests that measure it."""
    return MeasuredModel(
        name=name or path.stem,
        sha256=sha256_file(path),
        size_bytes=path.stat().st_size,
        spec=None,
        recipe=recipe,
        recipe_digest=recipe,
        preprocessing=None,
    )


MEASUREMENT = Measurement(
    schema=1,
    cell="0" * 16,
    model=MODEL,
    device=DEVICE,
    config=MeasureConfig(
        delegate="xnnpack", num_threads=2, warmup=10, num_runs=1, repetitions=BLOCKS, order_seed=7
    ),
    runs=(RUN,),
    output_check=OutputCheck(
        against="ee" * 32, how="argmax agrees", passed=True, detail="16 of 16 agree"
    ),
    validity=Verdict(status=Validity.VALID),
    created="2026-01-01T00:30:00+00:00",
    command="mobilekit run plan.toml",
    kit=Kit(version="0.1.0", commit=None),
)


def run_of(latencies_us, **changes):
    """A run with these latencies, each with its two I/O parts."""
    latencies_us = tuple(map(float, latencies_us))
    io = {
        "write_input_us": (10.0,) * len(latencies_us),
        "read_output_us": (2.0,) * len(latencies_us),
    }
    return replace(RUN, **{"latencies_us": latencies_us, **io, **changes})
