"""A phone for the tests of the harness: this computer, with a phone's sensors, settings and falls.

Commands run here as they are, with a phone's own programs first on PATH; they read and write files
that a test can set. It can go, come back, restart and lose its files.
"""

import dataclasses
import shutil
import threading
import uuid

from android_bench.devices.host import HostDevice
from mobilekit.core.errors import DeviceError

DUMPSYS = """\
#!/bin/sh
cat "$PHONE/$1" 2>/dev/null || echo "Can't find service: $1" >&2
"""
SETTINGS = """\
#!/bin/sh
f="$PHONE/settings-$2-$3"
case $1 in
get) cat "$f" 2>/dev/null || echo null ;;
put) [ -e "$PHONE/stubborn" ] || echo "$4" >"$f" ;;
delete) rm -f "$f" ;;
esac
"""
INPUT = """\
#!/bin/sh
[ "$1 $2" = "keyevent 224" ] && echo "  mWakefulness=Awake" >"$PHONE/power"
"""
THERMAL = """\
Thermal Status: {status}
Current temperatures from HAL:
\tTemperature{{mValue={skin}, mType=3, mName=skin, mStatus=0}}
"""
BATTERY = "  AC powered: false\n  USB powered: {plugged}\n  status: {status}\n  level: {level}\n"
BOOT_ID = "/proc/sys/kernel/random/boot_id"


class FakePhone:
    """See `android_bench.devices.Device`."""

    kind = "adb"

    def __init__(self, folder, label="fake-phone"):
        self.label, self.folder = label, folder / label
        self._host = HostDevice(workspace=self.folder / "work")
        self.workspace = self._host.workspace
        self.calls, self.gone, self.before_shell = [], False, lambda words: None
        self.lock = threading.Lock()
        bin_folder = self.folder / "bin"
        bin_folder.mkdir(parents=True)
        for name, text in (("dumpsys", DUMPSYS), ("settings", SETTINGS), ("input", INPUT)):
            (bin_folder / name).write_text(text)
            (bin_folder / name).chmod(0o755)
        self.heat("33.5")
        self.charge(level=100, status=5)
        self.write("power", "  mWakefulness=Awake\n")
        self.restart(lose_files=False)

    def write(self, name, text):
        (self.folder / name).write_text(text)

    def read(self, name):
        path = self.folder / name
        return path.read_text().strip() if path.exists() else None

    def heat(self, skin, status=0):
        self.write("thermalservice", THERMAL.format(skin=skin, status=status))

    def charge(self, *, level, status, plugged="true"):
        self.write("battery", BATTERY.format(level=level, status=status, plugged=plugged))

    def restart(self, *, lose_files):
        self.write("boot_id", f"{uuid.uuid4()}\n")
        if lose_files:
            shutil.rmtree(self.workspace, ignore_errors=True)

    def info(self):
        info = self._host.info()
        return dataclasses.replace(
            info, kind="adb", label=self.label, serial_hash=f"{self.label:0<64}", simulated=True
        )

    def push(self, local, remote):
        self._there(["push", local.name])
        self._host.push(local, remote)

    def pull(self, remote, local):
        self._there(["pull", remote])
        self._host.pull(remote, local)

    def shell(self, argv, *, timeout_s):
        self.before_shell(argv)
        self._there(argv)
        words = [word.replace(BOOT_ID, str(self.folder / "boot_id")) for word in argv]
        path = f"PATH={self.folder / 'bin'}:/usr/local/bin:/usr/bin:/bin"
        return self._host.shell(["env", path, f"PHONE={self.folder}", *words], timeout_s=timeout_s)

    def _there(self, argv):
        with self.lock:
            self.calls.append(list(argv))
        if self.gone:
            raise DeviceError(self.label, argv, 1, "error: device not found")


def is_start(argv):
    """Whether a command is a timed start of the fake runner."""
    return "--model" in argv and "--outputs" not in argv
