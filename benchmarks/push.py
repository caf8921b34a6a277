"""How long a first and a second push of 30 MB take, and whether the second moves any bytes.

On a simulated phone, driven by the real adb: what a cable takes is not in it.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import measured

sys.path.insert(0, str(measured.ROOT))

from mobilekit.core.errors import DeviceError
from tests.adb_scene import adb_server, modern_adb, simulated
from tests.simulated_device.phone import Phone

SIZE_BYTES = 30_000_000
REPEATS = 15
LIMIT_S = 0.3
REMOTE = "/data/local/tmp/mobilekit/files/net.tflite"


def main() -> None:
    firsts, seconds, refused = [], [], 0
    with tempfile.TemporaryDirectory() as folder:
        local, phone = Path(folder) / "net.tflite", Phone()
        with adb_server(modern_adb(), Path(folder)) as adb, simulated(adb, phone) as device:
            for _ in range(REPEATS):
                local.write_bytes(os.urandom(SIZE_BYTES))  # of equal name and size
                firsts.append(timed(lambda: device.push(local, REMOTE)))
                phone.faults.full_after = 0  # refuses the first byte that is sent
                seconds.append(timed(lambda: device.push(local, REMOTE)))
                local.write_bytes(os.urandom(SIZE_BYTES))
                try:
                    device.push(local, REMOTE)
                except DeviceError:
                    refused += 1
                phone.faults.clear()
            version = adb.version()
    assert refused == REPEATS, "the phone took what it was to refuse: nothing is shown"
    lines = [f"Wall seconds of {REPEATS} pushes of {SIZE_BYTES:,} bytes to a simulated phone on"]
    lines[0] += f" this computer, adb {version}; sha256 of the file here and there included."
    lines += ["", "| push | median | slowest |", "|---|---|---|"]
    lines.append(f"| first | {statistics.median(firsts):.3f} | {max(firsts):.3f} |")
    lines.append(f"| second | {statistics.median(seconds):.3f} | {max(seconds):.3f} |")
    verdict = "under" if max(seconds) < LIMIT_S else "NOT under"
    lines += [
        "",
        "In every second push the phone refused the first byte that would be sent: none was. A file"
        " of equal name and size but other bytes was refused, so it would have been sent. The"
        f" slowest second push was {verdict} {LIMIT_S} s.",
    ]
    measured.write("push", "Pushing a file twice (simulated phone)", lines)


def timed(call) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
