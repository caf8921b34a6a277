"""Starts a cell under the conditions that it needs, and says what came of it.

Before a start it waits until the device is cool, and brings the files again where it was restarted
meanwhile; after it, the sensors are read once more. Whatever goes wrong becomes the run's `error`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from android_bench.cooling import Cooler, Patience
from android_bench.devices.presence import ASK_EVERY_S, Returning, wait_until_there
from android_bench.jobs import Bench, Cell
from android_bench.sensors import Reading, Sensors, with_readings
from android_bench.starts import failed_run, start_once
from mobilekit.core.errors import DeviceError, DeviceTimeoutError, RunnerError
from mobilekit.core.measurement import Run


@dataclass(frozen=True, kw_only=True)
class Started:
    """What came of a start.

    Attributes:
        run: Its record; an error of the runner or the device is its `error`.
        cause: The exception behind it; None where the program itself said what was wrong.
    """

    run: Run
    cause: DeviceError | RunnerError | None = None


def is_of_device(cause: Exception | None) -> bool:
    """Whether it was the device that failed, not the program: one that hangs is the program's."""
    return isinstance(cause, DeviceError) and not isinstance(cause, DeviceTimeoutError)


class Starter:
    """Makes the starts of one call."""

    def __init__(self, bench: Bench, patience: Patience, tell: Callable[[str], None]) -> None:
        self._bench, self._patience, self._tell = bench, patience, tell
        self._sensors = Sensors(bench.device)
        self._cooler = Cooler(bench.info, self._sensors, patience, tell)
        self._brought: set[str] = set()
        self._boot_id: str | None = None

    def rest(self, cells: Iterable[Cell]) -> None:
        """Learns how warm the device is at rest; raises UsageError, DeviceError, StorageError."""
        self._notice_restart(self._sensors.read())
        self._cooler.rest(cell.job.config for cell in cells)

    def bring(self, cell: Cell) -> None:
        """Brings all files of a cell; raises DeviceError, StorageError."""
        device = self._bench.device
        for local, remote in cell.files(device):
            device.push(local, remote)
        self._brought.add(cell.id)

    def timed(self, cell: Cell, *, fresh: bool = False) -> Started:
        """Starts a cell's file once, with an empty cache where `fresh`; raises StorageError."""
        bench = self._bench
        try:
            before, cool_down = self._cooler.wait(cell.job.config)
            self._notice_restart(before)
            if cell.id not in self._brought:
                self.bring(cell)
            started = datetime.now(UTC).isoformat()
            run = start_once(bench, cell, fresh=fresh)
        except (RunnerError, DeviceError) as error:
            self._sensors.drop()
            started = datetime.now(UTC).isoformat()
            run = failed_run(bench, cell, str(error))
            return Started(run=replace(run, started=started), cause=error)
        run = replace(run, started=started, cool_down=cool_down)
        return Started(run=with_readings(run, before, self._after()))

    def wait_until_there(self) -> None:
        """Waits for a device that failed; raises DeviceGoneError if it does not come back."""
        device = self._bench.device

        def ask() -> Reading:
            if isinstance(device, Returning):
                device.wait_until_there(ASK_EVERY_S)
            return self._sensors.read()

        reading = wait_until_there(
            device.label,
            ask,
            limit_s=self._patience.device_s,
            tell=self._tell,
        )
        self._notice_restart(reading)

    def _after(self) -> Reading | None:
        """Sensors after a start; a device that goes now takes nothing of what was measured."""
        try:
            return self._sensors.read()
        except DeviceError:
            return None

    def _notice_restart(self, reading: Reading) -> None:
        before, self._boot_id = self._boot_id, reading.boot_id or self._boot_id
        if before is None or before == self._boot_id:
            return
        self._tell(f"{self._bench.device.label} was restarted; its files are brought there again")
        self._bench.runner.forget(self._bench.device)
        self._brought.clear()
