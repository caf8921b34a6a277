"""What the numbers of a report can and cannot show, in sentences derived from them."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Sequence

from mobilekit.core.device import DeviceInfo
from mobilekit.core.measurement import Measurement
from mobilekit.formatting import at_most_percent, milliseconds, percent_range, plural, printable
from mobilekit.intervals import LEAST_SIGNS, LEVEL_TEXT, unseen_share
from mobilekit.report.display import common, label
from mobilekit.report.rows import Row, Share

# Instruction sets with 8-bit dot products, for which XNNPACK has int8 kernels.
FAST_INT8 = frozenset(("avx512_vnni", "avx_vnni", "avx_vnni_int8", "amx_int8", "asimddp", "i8mm"))


def about_images(rows: Sequence[Row]) -> tuple[str, ...]:
    """What the evaluated images can and cannot show; nothing was evaluated: that."""
    labelled = [row.top1 for row in rows if row.top1]
    agreeing = [row.agreement for row in rows if row.agreement]
    if not labelled and not agreeing:
        return ("No file was evaluated on images: nothing here says how accurate any of them is.",)
    sentences = []
    if labelled:
        best = max(labelled, key=lambda share: (share.value, share.total))
        sentences += _about_labels(best)
    else:
        sentences.append(
            "The images have no labels: agreement says how often a file answers as its float model"
            " does, not how often either is right."
        )
    if agreeing:
        sentences.append(_about_agreement(max(share.total for share in agreeing)))
    return tuple(sentences)


def _about_labels(best: Share) -> list[str]:
    total = best.total
    sentences = [
        f"Top-1 and top-5 were counted on {plural(total, 'labelled image')}: the best file has"
        f" {best.hits} of {total} right, which fits any true top-1 in"
        f" {percent_range(best.low, best.high)} ({LEVEL_TEXT} interval of Wilson)."
    ]
    if total < LEAST_SIGNS:
        return [*sentences, f"{plural(total, 'image')} cannot show any difference in top-1."]
    least = LEAST_SIGNS / total * 100
    return [
        *sentences,
        "A test of two files on the same images (McNemar's exact one) sees nothing before at"
        f" least {LEAST_SIGNS} images change to one side: with {total} images a difference in top-1"
        f" of less than {least:.3g} points cannot be shown, whatever the table says.",
    ]


def _about_agreement(total: int) -> str:
    return (
        f"A file that agrees with its float model on all {total} images may still disagree on up to"
        f" {at_most_percent(unseen_share(total))} of others (one-sided {LEVEL_TEXT} bound)."
        " SNR uses every logit and tells recipes apart with far fewer images."
    )


def about_outputs(rows: Sequence[Row]) -> tuple[str, ...]:
    """What the check of outputs found, before any latency counted."""
    checks = [check for row in rows if (check := row.measurement.output_check)]
    passed = Counter(printable(check.detail) for check in checks if check.passed)
    if not passed:
        return ()  # each row says itself what is wrong with it
    found = "; ".join(f"{count}x {detail}" for detail, count in passed.most_common())
    return (
        "Before a latency counted, outputs were compared where they were measured with what the"
        f" same file answered to the same inputs before: {passed.total()} of"
        f" {plural(len(rows), 'measurement')} passed ({found}).",
    )


def about_caches(rows: Sequence[Row]) -> tuple[str, ...]:
    """How long initialization takes with a delegate's cache filled and with it empty, by row."""
    shared = list(common(rows))
    return tuple(
        f"{label(row, shared)}: init cold {_init(row.init_cold_us, row, 'cold')}, warm"
        f" {_init(row.init_warm_us, row, 'warm')}."
        for row in rows
        if any(run.cache for run in row.runs)
    )


def _init(us: float | None, row: Row, cache: str) -> str:
    """E.g. "31.2 ms (11 starts)"."""
    starts = sum(run.cache == cache for run in row.runs)
    return f"{milliseconds(us)} ms ({plural(starts, 'start')})" if starts else "never"


def about_devices(devices: Iterable[DeviceInfo]) -> tuple[str, ...]:
    """What each device's instruction sets mean for int8, one sentence a device."""
    unique = {(device.label, device.serial_hash): device for device in devices}
    return tuple(_about_device(unique[key]) for key in sorted(unique))


def about_validation(measurements: Iterable[Measurement]) -> tuple[str, ...]:
    """Which devices no selftest had validated when they were measured, one sentence a device."""
    devices = {
        (m.device.label, m.device.kind, runner)
        for m in measurements
        if m.noise_floor is None
        for runner in sorted({run.runner.name for run in m.runs} or {""})
    }
    return tuple(
        f"unvalidated device: nobody had shown how much noise {printable(label)} makes when this"
        f" was measured. Run `mobilekit selftest --device {_address(label, kind)}"
        f"{_runner(runner)}` (a minute, and what cooling takes), then measure with --again."
        for label, kind, runner in sorted(devices)
    )


def _runner(name: str) -> str:
    """As the selftest takes it, which has two of the runners; a phone's own for the others."""
    return f" --runner {name}" if name in ("native", "litert_python") else ""


def _address(label: str, kind: str) -> str:
    """What `--device` takes; results do not tell a board's address."""
    return "ssh:user@board" if kind == "ssh" else shlex.quote(printable(label))


def _about_device(device: DeviceInfo) -> str:
    name = printable(device.label) + (f" ({printable(device.model)})" if device.model else "")
    if device.emulated:
        return (
            f"{name} has a processor that {printable(device.emulated)} emulates: its outputs say"
            " something, its times do not, so none were taken."
        )
    if device.simulated:
        return f"{name} is simulated: its latencies are not those of a device."
    fast = [feature for feature in device.cpu_features if feature in FAST_INT8]
    if fast:
        return (
            f"{name} has {printable(', '.join(fast))}: 8-bit dot products, with which int8 kernels"
            " can be faster than float ones."
        )
    if not device.cpu_features:
        return (
            f"{name} does not say which instruction sets it has, so whether int8 should be faster"
            " than float on it is not known."
        )
    return (
        f"{name} has {printable(', '.join(device.cpu_features))} but no 8-bit dot products (VNNI on"
        " x86, dotprod or i8mm on Arm), which are what makes int8 faster than float; without them"
        " int8 pays in size and memory."
    )
