"""Makes a `Run` of what Google's benchmark tools say, with the reason of everything they do not."""

from __future__ import annotations

from android_bench.runners import Start
from android_bench.runners.document import TIME_FOR_INVOCATIONS, short
from android_bench.runners.tool_lines import Statistics
from android_bench.runners.tool_result import ToolResult
from android_bench.runners.tool_table import Tool, ToolDelegate
from android_bench.runners.tool_text import ToolText
from mobilekit.core.errors import RunnerError
from mobilekit.core.measurement import (
    Actual,
    BeforeAfter,
    Conditions,
    Memory,
    Program,
    Requested,
    Run,
    RunConfig,
    RunnerInputs,
    Runtime,
    Summary,
)

SCHEMA = 1  # of the runner's document
INPUTS = "random"  # other numbers in every start, which the tool draws for itself


def make_run(
    tool: Tool,
    start: Start,
    text: ToolText,
    result: ToolResult | None,
    *,
    program: Program,
    runtime: Runtime,
    context: str,
) -> Run:
    """The run of one start.

    Raises:
        RunnerError: If the tool did something else than was asked for, or does not say what a run
            needs.
    """
    _must_fit(tool, start, text)
    init_us = text.init_us or (result and result.init_us)
    first_us = text.first_us or (result and result.first_us)
    if not init_us or not first_us:
        raise RunnerError(
            f"{tool.name} does not say how long initialization and the first inference took; this"
            " build is too old."
        )
    unread = _unread(tool)
    return Run(
        schema=SCHEMA,
        runner=program,
        runtime=runtime,
        context=context,
        model_sha256=start.model_sha256,
        requested=Requested(delegate=start.config.delegate, num_threads=start.config.num_threads),
        actual=_actual(tool.delegates[delegate_of(start.config)], text, unread),
        inputs=RunnerInputs(source=INPUTS, sha256=()),
        init_us=init_us,
        first_us=first_us,
        warmup_us=(),
        latencies_us=(),
        write_input_us=(),
        read_output_us=(),
        memory=Memory(
            vm_hwm_bytes=None, rss_anon_bytes=None, rss_file_bytes=None, delegate_bytes=None
        ),
        conditions=BeforeAfter(before=Conditions(), after=Conditions()),
        output_sha256=(),
        unread=unread,
        summary=_summary(tool, text.measured),
    )


def delegate_of(config: RunConfig) -> str:
    """The delegate without its variant, which is a matter of the device's own system."""
    return config.delegate.partition("@")[0]


def _must_fit(tool: Tool, start: Start, text: ToolText) -> None:
    """The settings that it repeats must be those asked for, and it must have run enough."""
    config, measured = start.config, text.measured
    asked = {"Graph": start.model, "Num threads": str(config.num_threads)}
    for name, value in text.echoed.items():
        if value != asked[name]:
            raise RunnerError(
                f"{tool.name} ran another start: {name} is {short(repr(value))} where"
                f" {short(repr(asked[name]))} was asked for."
            )
    took_s = measured.count * (measured.avg_us or 0.0) / 1e6
    if measured.count < config.num_runs and took_s < config.max_secs * TIME_FOR_INVOCATIONS:
        raise RunnerError(
            f"{tool.name} made {measured.count} invocations where {config.num_runs} were asked for."
        )


def _summary(tool: Tool, measured: Statistics) -> Summary:
    if not measured.avg_us:
        raise RunnerError(f"{tool.name} printed no mean of its invocations.")
    try:
        return Summary(
            count=measured.count,
            avg_us=measured.avg_us,
            min_us=measured.min_us,
            max_us=measured.max_us,
            std_us=measured.std_us,
            median_us=measured.quantiles_us.get("median"),
            p95_us=measured.quantiles_us.get("p95"),
        )
    except ValueError as error:
        raise RunnerError(f"{tool.name} contradicts itself: {error}.") from error


def _actual(delegate: ToolDelegate, text: ToolText, unread: dict[str, str]) -> Actual:
    """What became of the delegate: the runtime's count of nodes before the tool's words."""
    replaced = [row for row in text.replaced if delegate.word in row.delegate.lower()]
    said = [row for row in text.delegated if delegate.word in row.delegate.lower()]
    nodes = sum(row.nodes for row in replaced)
    if replaced and not (said and said[-1].extent == "not"):
        return Actual(
            delegate=delegate.name if nodes else "none",
            nodes_delegated=nodes,
            nodes_total=sum(row.nodes_total for row in replaced),
            partitions=sum(row.partitions for row in replaced),
        )
    unread.update(dict.fromkeys(("actual.nodes_delegated", "actual.nodes_total"), _NO_COUNT))
    if not said:
        unread["actual.delegate"] = "nothing was said of this delegate"
        return Actual(delegate=None, nodes_delegated=None, nodes_total=None, partitions=None)
    if said[-1].extent == "not":
        del unread["actual.nodes_delegated"]
        return Actual(delegate="none", nodes_delegated=0, nodes_total=None, partitions=0)
    return Actual(
        delegate=delegate.name, nodes_delegated=None, nodes_total=None, partitions=said[-1].kernels
    )


_NO_COUNT = "this tool tells how far a delegate went, not always by how many nodes"


def _unread(tool: Tool) -> dict[str, str]:
    nothing = f"{tool.name} prints statistics"
    return {
        "latencies_us": f"{nothing} and no raw latencies",
        "warmup_us": f"{nothing} and no raw latencies",
        "write_input_us": f"{tool.name} times invocations without their inputs",
        "read_output_us": f"{tool.name} times invocations without reading their outputs",
        "output_sha256": f"{tool.name} gives no outputs",
        "inputs.sha256": f"{tool.name} draws random numbers",
        "memory": f"{tool.name} tells how its memory grew, not how large it was",
        "conditions": f"{tool.name} reads no sensors",
        "busy_share": f"{tool.name} does not look at other processes",
    }
