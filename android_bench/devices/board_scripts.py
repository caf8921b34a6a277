"""What runs on a board around and beside the commands it is given: POSIX sh, nothing to install.

Every script is started as `sh -c SCRIPT mobilekit TOKEN …` and frames both of its streams by the
token, a random word that no command can know: what comes before `TOKEN<` was said by the login
shell's own files, and `TOKEN>STATUS.` closes the output with the command's real exit status. Output
without that end is of a connection that dropped, whatever ssh itself answers.
"""

from __future__ import annotations

# TOKEN LIMIT_S COMMAND…: runs the command in a session of its own. Descriptor 3 is the client's
# end of the connection: when it closes, by a timeout, Ctrl-C, a kill or a cable, the command is
# ended with all that it started. The clock does the same for a cable that the board cannot see.
# Descriptor 4 is the command's own standard error: some shells comment on what was killed.
RUN = """\
token=$1 limit=$2; shift 2
printf '%s<' "$token"; printf '%s<' "$token" >&2
exec 3<&0 4>&2 </dev/null 2>/dev/null
end='kill -9 "-$1" || kill -9 "$1"'
if command -v setsid >/dev/null; then
  setsid -- "$@" 2>&4 3<&- 4>&- & child=$!
  (while read -r line; do :; done <&3; set -- "$child"; eval "$end") >/dev/null 4>&- &
  exec 3<&-
  setsid -- sh -c 'sleep "$2"; '"$end" sh "$child" "$limit" >/dev/null 4>&- & clock=$!
  wait "$child"; status=$?
  set -- "$clock"; eval "$end"
else
  echo 'there is no setsid to end commands with: install util-linux or busybox' >&4; status=127
fi
printf '%s>' "$token" >&4; printf '%s>%s.' "$token" "$status"
"""

# Prints the digest of a file's bytes; read from standard input, no name can be misread.
SHA256 = """\
sha256() {
  if command -v sha256sum >/dev/null; then sha256sum <"$1"
  elif command -v busybox >/dev/null && busybox sha256sum </dev/null >/dev/null 2>&1
  then busybox sha256sum <"$1"
  elif command -v python3 >/dev/null; then python3 -c 'import hashlib, sys
total = hashlib.sha256()
while block := sys.stdin.buffer.read(1 << 20): total.update(block)
print(total.hexdigest())' <"$1"
  else echo 'no sha256sum, busybox or python3 there to check files with: install coreutils' >&2
    return 1
  fi
}
"""

# TOKEN WANTED TARGET ASIDE: takes a file from standard input, and puts it in its place if it is
# what was sent. A connection that drops ends the input early, which its digest shows; what is said
# of it meets a closed pipe, and must not end the script before it has cleared up.
RECEIVE = f"""\
{SHA256}
trap '' PIPE
token=$1 wanted=$2 target=$3 aside=$4
printf '%s<' "$token"; printf '%s<' "$token" >&2
receive() {{
  cat >"$aside" || return
  found=$(sha256 "$aside") || return
  found=${{found%% *}}
  if [ "$found" != "$wanted" ]; then echo "sha256 $found arrived instead of $wanted" >&2; return 1
  fi
  mv -f -- "$aside" "$target"
}}
receive; status=$?
[ "$status" = 0 ] || rm -f -- "$aside"
printf '%s>' "$token" >&2; printf '%s>%s.' "$token" "$status"
"""

# The scripts below run as commands of RUN.

# FOLDER TARGET: makes the folder, prints the target's digest or "absent", then the free space.
PREPARE = f"""\
{SHA256}
mkdir -p -- "$1" || exit
if [ -d "$2" ]; then echo "it is a folder" >&2; exit 1; fi
if [ -f "$2" ]; then sha256 "$2" || exit; else echo absent; fi
df -Pk -- "$1" 2>/dev/null || :
"""

# FILE: prints its size in bytes and its digest.
DESCRIBE = f"""\
{SHA256}
if [ ! -f "$1" ]; then echo "it is not a file" >&2; exit 1; fi
wc -c <"$1" && sha256 "$1"
"""

# FILE BLOCK_BYTES SKIPPED COUNT: prints some blocks of it.
READ_BLOCKS = 'exec dd if="$1" bs="$2" skip="$3" count="$4" 2>/dev/null'

# ODD: prints it as it arrived, our folder and the board's names, each closed by a zero byte.
GREET = """\
mkdir -p -- "$HOME/.cache/mobilekit" && cd -- "$HOME/.cache/mobilekit" || exit
printf '%s\\0' "$1" "$(pwd -P)" "$(uname -n)"
[ ! -r /proc/device-tree/model ] || cat /proc/device-tree/model
"""

# MARK FILE…: prints the machine's name and number of processors, then every file; each is preceded
# by the mark, and one that cannot be read is left empty without the plus.
READ_FILES = """\
mark=$1; shift
printf '%s' "$mark+"; uname -m
printf '%s' "$mark+"; nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null ||
  grep -c '^processor' /proc/cpuinfo
for path do
  printf '%s' "$mark"
  if [ -r "$path" ]; then printf '+'; cat -- "$path"; fi
done
"""
