"""Google's benchmark tools: what each applies, and which flags ask for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mobilekit.core.registry import Registry

FULL = {"require_full_delegation": True}


@dataclass(frozen=True, kw_only=True)
class ToolDelegate:
    """One delegate that a tool applies.

    Attributes:
        name: As in `mobilekit.core.target`.
        word: What the tool's and the runtime's names for it contain, in lower case.
        flags: What asks for it.
        required: What makes a node on the CPU an error; None where the tool cannot.
    """

    name: str
    word: str
    flags: Mapping[str, bool]
    required: Mapping[str, bool] | None


@dataclass(frozen=True, kw_only=True)
class Tool:
    """One of Google's programs.

    Attributes:
        name: As in `RUNNERS`.
        api: How it calls the runtime.
        delegates: What it applies.
        result_file: Whether it writes its statistics to a file as well; on Android it sends the
            block of its results to the log.
        profiling: The flags that turn its profiler on.
        profile_modes: Where it can put a profile: `--op_profiling_output_mode`, the best first;
            "stdout" alone has no such flag.
    """

    name: str
    api: str
    delegates: Registry[ToolDelegate]
    result_file: bool
    profiling: Mapping[str, bool]
    profile_modes: tuple[str, ...]


TOOLS: Registry[Tool] = Registry(
    "benchmark tool",
    [
        Tool(
            name="benchmark_model",
            api="interpreter",
            delegates=Registry(
                "delegate of benchmark_model",
                [
                    ToolDelegate(
                        name="xnnpack", word="xnnpack", flags={"use_xnnpack": True}, required=FULL
                    ),
                    ToolDelegate(
                        name="nnapi", word="nnapi", flags={"use_nnapi": True}, required=FULL
                    ),
                    ToolDelegate(name="gpu", word="gpu", flags={"use_gpu": True}, required=FULL),
                    ToolDelegate(
                        name="hexagon", word="hexagon", flags={"use_hexagon": True}, required=FULL
                    ),
                ],
            ),
            result_file=False,
            profiling={"enable_op_profiling": True},
            profile_modes=("proto", "csv", "stdout"),
        ),
        Tool(
            name="benchmark_litert_model",
            api="compiled_model",
            delegates=Registry(
                "delegate of benchmark_litert_model",
                [
                    # The tool ends itself where full delegation and the CPU are asked for at once.
                    ToolDelegate(
                        name="xnnpack", word="xnnpack", flags={"use_cpu": True}, required=None
                    ),
                    ToolDelegate(
                        name="gpu-mldrift",
                        word="gpu",
                        flags={"use_gpu": True},
                        required={"use_cpu": False, **FULL},
                    ),
                ],
            ),
            result_file=True,
            profiling={"use_profiler": True},
            profile_modes=("stdout",),
        ),
    ],
)
