"""Android's own commands, as shell scripts over files below the folder `power` and `settings`.

They answer and change what the tests can set as well: battery, plug, screen, settings.
"""

from __future__ import annotations

HEAD = '#!/bin/sh\np="$SIMULATED/power" g="$SIMULATED/settings"\n'
# AC, USB, wireless: the bits of stay_on_while_plugged_in.
STAY_ON = {"true": 7, "false": 0, "ac": 1, "usb": 2, "wireless": 4}
KEYS = {
    "KEYCODE_WAKEUP|224": "echo Awake",
    "KEYCODE_SLEEP|223": "echo Asleep",
    "KEYCODE_POWER|26": '[ "$(cat "$p/wakefulness")" = Awake ] && echo Asleep || echo Awake',
    "KEYCODE_MENU|82": 'cat "$p/wakefulness"',
}
DUMPSYS = """\
truth() { [ "$(cat "$p/$1")" = 0 ] && echo false || echo true; }
plugged() { cat "$p/ac" "$p/usb" "$p/wireless" | grep -q 1 && echo "$1" || echo "$2"; }
bits=$(( $(cat "$p/ac") + 2 * $(cat "$p/usb") + 4 * $(cat "$p/wireless") ))
case "$1 $2" in
"battery set") echo "$4" >"$p/$3"; touch "$p/stopped"; exit ;;
"battery unplug") for w in ac usb wireless; do echo 0 >"$p/$w"; done; touch "$p/stopped"; exit ;;
"battery reset") cp "$p/real/"* "$p/"; rm -f "$p/stopped"; exit ;;
esac
[ ! -f "$SIMULATED/dumpsys/$1" ] || exec cat "$SIMULATED/dumpsys/$1"
case "$1" in
battery)
echo "Current Battery Service state:"
[ ! -f "$p/stopped" ] || echo "  (UPDATES STOPPED -- use 'reset' to restart)"
echo "  AC powered: $(truth ac)"
echo "  USB powered: $(truth usb)"
echo "  Wireless powered: $(truth wireless)"
echo "  status: $(plugged 2 3)"
echo "  health: 2"
echo "  present: true"
echo "  level: $(cat "$p/level")"
echo "  scale: 100"
echo "  voltage: 4123"
echo "  temperature: $(cat "$p/temp")"
echo "  technology: Li-ion" ;;
power)
stay=$(cat "$g/global/stay_on_while_plugged_in" 2>/dev/null || echo 0)
echo "POWER MANAGER (dumpsys power)"
echo "Power Manager State:"
echo "  mWakefulness=$(cat "$p/wakefulness")"
echo "  mIsPowered=$(plugged true false)"
echo "  mPlugType=$bits"
echo "  mBatteryLevel=$(cat "$p/level")"
echo "  mStayOn=$([ $((stay & bits)) = 0 ] && echo false || echo true)"
[ "$(cat "$p/wakefulness")" = Awake ] && state=ON || state=OFF
echo "Display Power: state=$state" ;;
*) echo "Can't find service: $1" >&2 ;;
esac
"""
SETTINGS = """\
f="$g/$2/$3"
case "$1" in
get) cat "$f" 2>/dev/null || echo null ;;
put) mkdir -p "$g/$2" && echo "$4" >"$f" ;;
delete) [ -f "$f" ] && rm "$f" && echo "Deleted 1 rows" || echo "Deleted 0 rows" ;;
*) echo "Invalid command: $1" >&2; exit 255 ;;
esac
"""
SVC = f"""\
[ "$1 $2" = "power stayon" ] || {{ echo "Available commands: power" >&2; exit 1; }}
case "$3" in
{"".join(f"{word}) v={bits} ;;" for word, bits in STAY_ON.items())}
*) echo "usage: svc power stayon [true|false|usb|ac|wireless]" >&2; exit 1 ;;
esac
mkdir -p "$g/global"; echo $v >"$g/global/stay_on_while_plugged_in"
[ $v = 0 ] || echo Awake >"$p/wakefulness"
"""
INPUT = f"""\
[ "$1" = keyevent ] || {{ echo "Error: Unknown command: $1" >&2; exit 255; }}
case "$2" in
{"".join(f"{key}) w=$({made}) ;;" for key, made in KEYS.items())}
*) exit 0 ;;
esac
echo "$w" >"$p/wakefulness"; touch "$p/used"
"""
GETPROP = """\
if [ $# -eq 0 ]; then cat "$SIMULATED/properties"; exit; fi
sed -n "s/^\\[$1\\]: \\[\\(.*\\)\\]\\$/\\1/p" "$SIMULATED/properties"
"""
DF = """\
[ ! -f "$SIMULATED/full" ] || echo 0 >"$SIMULATED/free_kb"
[ -f "$SIMULATED/free_kb" ] || exec /bin/df "$@"
echo "Filesystem 1K-blocks Used Available Use% Mounted on"
echo "/dev/block/simulated 100000000 0 $(cat "$SIMULATED/free_kb") 1% /data"
"""
# A clock that was set wrong, or is put right: its distance from this computer's, in seconds.
DATE = """\
o=$(cat "$SIMULATED/clock_offset_s" 2>/dev/null || echo 0)
[ "$o" = 0 ] && exec /bin/date "$@"
exec /bin/date -d "@$(( $(/bin/date +%s) + o ))" "$@"
"""
TOOLS = {
    name: HEAD + text
    for name, text in {
        "getprop": GETPROP,
        "dumpsys": DUMPSYS,
        "settings": SETTINGS,
        "svc": SVC,
        "input": INPUT,
        "df": DF,
        "date": DATE,
    }.items()
}
