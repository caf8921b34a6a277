"""Boards at the end of ssh: what the common suite of devices does not ask."""

import contextlib
import json
import os
import pickle
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from android_bench.devices import kind_of, open_device, public_name
from android_bench.devices.board_scripts import DESCRIBE, RECEIVE, RUN
from android_bench.devices.ssh import BLOCK_BYTES, BLOCKS, SshDevice
from android_bench.devices.ssh_connection import OPTIONS, Connection
from android_bench.devices.ssh_errors import MEANINGS, BoardError, meaning
from mobilekit.cli import main
from mobilekit.core.errors import DeviceError, DeviceTimeoutError, UsageError
from tests.ssh_boards import SERVERS, asyncssh_server, know, new_keys, openssh_server
from tests.tiny_models import tiny_float, tiny_int8

ssh = pytest.mark.needs_ssh
sshd = pytest.mark.needs_sshd


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    for name in ("CONFIG", "CACHE", "STATE"):
        monkeypatch.setenv(f"MOBILEKIT_{name}_DIR", str(tmp_path / name.lower()))


@pytest.fixture
def device(openssh_device):
    return openssh_device


def run_frame(shell, *argv, limit="9", keep_open=True):
    """RUN under a shell of this computer; returns (stdout, stderr)."""
    child = subprocess.Popen(
        [*shell, "-c", RUN, "mobilekit", "T", limit, *argv],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with child:
        if not keep_open:
            time.sleep(0.2)
            child.stdin.close()
        return child.stdout.read(), child.stderr.read()


# --- names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", "-oProxyCommand=id", "a b", "a\tb", "a\nb", "a\x7f", "a\0b"])
def test_what_could_be_an_option_or_two_words_is_no_board(name):
    with pytest.raises(UsageError, match="is no board for ssh: give user@board"):
        Connection(name)


@pytest.mark.parametrize("name", ["pi@board", "board", "root@fe80::1%eth0", "größe.lan"])
def test_a_board_is_a_host_with_or_without_a_user(name):
    assert Connection(name).label == name


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("ssh", "needs an address, as in ssh:user@board"),
        ("ssh:", "needs an address, as in ssh:user@board"),
        ("host:x", "host has no address; write 'host'"),
        ("shs:pi@board", "Unknown device kind 'shs'. Did you mean 'ssh'?"),
        ("ssh:-oProxyCommand=id", "is no board for ssh"),
    ],
)
def test_a_device_that_cannot_be_is_refused(name, sentence):
    with pytest.raises(UsageError) as caught:
        open_device(name)
    assert sentence in str(caught.value)


def test_the_kind_of_a_device_is_known_without_opening_it():
    assert kind_of("ssh:pi@board").name == "ssh"


def test_an_address_is_written_down_as_a_hash():
    hidden = public_name("ssh:pi@board.lan")
    assert hidden == public_name("ssh:pi@board.lan") != public_name("ssh:pi@other.lan")
    assert hidden.startswith("ssh:")
    assert "board" not in hidden
    assert public_name("host") == "host"


# --- the frame, under every shell that boards have ------------------------------------------------

SHELLS = [["sh"], ["bash"], ["bash", "--posix"]]


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["sh", "-c", "echo out; echo err >&2; exit 7"], ("T<out\nT>7.", "T<err\nT>")),
        (["sh", "-c", "kill -9 $$"], ("T<T>137.", "T<T>")),
        (["printf", "%s", "-n"], ("T<-nT>0.", "T<T>")),
    ],
    ids=["status", "signal", "hyphen"],
)
def test_the_frame_closes_both_streams_with_the_real_status(shell, argv, expected):
    assert run_frame(shell, *argv) == expected


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_the_frame_ends_its_command_when_the_client_goes(shell):
    begin = time.monotonic()
    run_frame(shell, "sh", "-c", "sleep 300 & sleep 300; :", keep_open=False)
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_the_frame_ends_its_command_at_its_limit(shell):
    begin = time.monotonic()
    assert run_frame(shell, "sh", "-c", "sleep 300 & sleep 300; :", limit="1")[0] == "T<T>137."
    assert time.monotonic() - begin < 6


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_half_a_file_is_cleared_up_though_nobody_listens_any_more(tmp_path, shell):
    words = ["T", "0" * 64, str(tmp_path / "target"), str(tmp_path / "aside")]
    child = subprocess.Popen(
        [*shell, "-c", RECEIVE, "mobilekit", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with child:
        assert child.stderr.read(2) == b"T<"
        child.stdout.close()
        child.stderr.close()
        child.stdin.write(b"half")
    assert list(tmp_path.glob("[ta]*")) == []


@pytest.mark.parametrize("tool", ["sha256sum", "busybox", "python3", None])
def test_digests_come_from_whatever_the_board_has(tmp_path, tool):
    """A PATH with one tool; busybox is played by a script that calls sha256sum."""
    for name in ("sh", "wc", "cat"):
        _program(tmp_path / name, f'exec {_which(name)} "$@"')
    if tool == "busybox":
        _program(tmp_path / tool, f'shift; exec {_which("sha256sum")} "$@"')
    elif tool:
        program = sys.executable if tool == "python3" else _which(tool)
        _program(tmp_path / tool, f'exec {program} "$@"')
    file = tmp_path / "file"
    file.write_bytes(b"abc")
    done = subprocess.run(
        [_which("sh"), "-c", DESCRIBE, "sh", str(file)],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    if tool is None:
        assert done.returncode != 0
        assert "no sha256sum, busybox or python3 there" in done.stderr
    else:
        size, digest = done.stdout.split()[:2]
        assert (int(size), digest[:8]) == (3, "ba7816bf")


def _program(path, line):
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)


def _which(name):
    found = shutil.which(name)
    assert found is not None, name
    return found


# --- ssh's words ----------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [words for words, _ in MEANINGS])
def test_every_meaning_says_one_sentence(words):
    sentence = meaning(f"some noise\nssh: {words} (publickey).\r\n")
    assert sentence == dict(MEANINGS)[words]
    assert not sentence.endswith(".")


def test_other_words_of_ssh_are_passed_on():
    assert meaning("noise\nssh: the moon is full.\n") == (
        "ssh failed: ssh: the moon is full; try `ssh` by hand"
    )
    assert meaning("") == "ssh failed and said nothing; try `ssh` by hand"


def test_a_board_error_pickles():
    error = BoardError("pi@board", "it does not answer")
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))
    assert str(error) == "pi@board: it does not answer."


# --- a scripted ssh -------------------------------------------------------------------------------


@pytest.fixture
def fake_ssh(tmp_path, monkeypatch):
    """An `ssh` that notes its arguments and then runs `body`; its folder is the whole PATH."""
    folder = tmp_path / "fake bin"
    folder.mkdir()
    log = tmp_path / "calls"

    def install(body):
        code = "import json, sys, time\n"
        code += f"print(json.dumps(sys.argv[1:]), file=open({str(log)!r}, 'a'), flush=True)\n"
        program = folder / "ssh"
        program.write_text(f"#!{sys.executable}\n{code}{body}\n")
        program.chmod(0o755)
        return lambda: [json.loads(line) for line in log.read_text().splitlines()]

    monkeypatch.setenv("PATH", str(folder))
    return install


HOLD = """\
word = sys.argv[-1]
if word.startswith("echo "):
    print(word.split()[1].rstrip(";"), flush=True); sys.stdin.read(); sys.exit()
token = word.split("mobilekit ")[1].split()[0]
"""


def test_without_an_ssh_program_one_is_told_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BoardError, match="apt install openssh-client"):
        SshDevice("pi@board")


def test_ssh_is_asked_nothing_that_the_user_has_not_configured(fake_ssh, tmp_path):
    calls = fake_ssh(
        "sys.stderr.write('ssh: connect to host board: Connection refused'); exit(255)"
    )
    with pytest.raises(BoardError, match=r"pi@board: nothing listens for ssh there; .*sshd runs"):
        SshDevice("pi@board", config=tmp_path / "config")
    (argv,) = calls()
    assert argv[argv.index("--") + 1] == "pi@board"
    assert argv[argv.index("-F") + 1] == str(tmp_path / "config")
    assert "-oBatchMode=yes" in argv
    assert not any("HostKey" in word or "Identity" in word for word in argv)
    assert not any("HostKey" in name for name in OPTIONS)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("print('noise')", "ssh failed and said nothing"),
        (HOLD + "sys.exit(255)", "ssh failed and said nothing"),
        (HOLD + "print(token + '<half', end='')", "the connection dropped while `greet` ran"),
        (HOLD + "print(f'{token}<x{token}>', end='')", "the connection dropped while"),
        (HOLD + "print(f'{token}<x{token}>0', end='')", "the connection dropped while"),
        (HOLD + "print(f'{token}<x\\0/w\\0pi\\0{token}>0.', end='')", "login shell changes what"),
        (HOLD + "print(f'{token}<{token}>1.', end='')", "cache/mobilekit cannot be used there"),
    ],
)  # fmt: skip
def test_a_board_that_answers_otherwise_is_refused(fake_ssh, body, sentence):
    """Also where ssh exits 0: only the mark at the end of the output says that it is whole."""
    fake_ssh(body)
    with pytest.raises(BoardError, match=sentence):
        SshDevice("pi@board")


# --- a real client and a real server --------------------------------------------------------------


@sshd
def test_the_label_is_the_boards_name_and_no_address(device):
    assert device.label
    assert "127.0.0.1" not in device.label
    assert device.label == device.label.lower()
    assert device.info().label == device.label


@sshd
def test_the_workspace_is_an_absolute_path_below_the_boards_home(device, openssh_board):
    assert device.workspace == str(openssh_board.home / ".cache" / "mobilekit")


@sshd
def test_this_computer_through_ssh_is_known_as_itself(device):
    """So one lock covers both ways to it: nothing is measured twice at once."""
    host, board = open_device("host").info(), device.info()
    same = ("serial_hash", "model", "abi", "os", "build_fingerprint", "cpu_features", "cpu_count")
    assert [getattr(board, name) for name in same] == [getattr(host, name) for name in same]


@sshd
def test_a_call_through_the_open_connection_is_fast(device):
    times = []
    for _ in range(10):
        begin = time.monotonic()
        device.shell(["true"], timeout_s=10)
        times.append(time.monotonic() - begin)
    assert min(times) < 0.1  # a new connection takes 0.2 s and more


@sshd
def test_what_a_login_shells_own_files_say_is_no_output(openssh_board):
    noise = openssh_board.home / ".bashrc"
    noise.write_text("echo 'Welcome to the board'; echo 'last login: today' >&2\n")
    try:
        device = openssh_board.open()
        answer = device.shell(["sh", "-c", "echo out; echo err >&2"], timeout_s=10)
        assert (answer.stdout, answer.stderr) == ("out\n", "err\n")
        device.close()
    finally:
        noise.unlink()


@sshd
@pytest.mark.parametrize("size", [0, 1, BLOCK_BYTES, BLOCKS * BLOCK_BYTES + 1])
def test_files_of_every_size_travel(device, tmp_path, size):
    source = tmp_path / "net.tflite"
    source.write_bytes(os.urandom(size))
    remote = f"{device.workspace}/net.tflite"
    device.push(source, remote)
    device.pull(remote, tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == source.read_bytes()


@sshd
def test_a_folder_in_the_place_of_a_file_is_refused(device, tmp_path, openssh_board):
    source = tmp_path / "net.tflite"
    source.write_bytes(b"1")
    folder = openssh_board.home / ".cache" / "mobilekit" / "taken"
    folder.mkdir()
    with pytest.raises(DeviceError, match="it is a folder"):
        device.push(source, str(folder))
    assert list(folder.iterdir()) == []


@sshd
def test_closing_leaves_no_process_and_no_socket(openssh_board, monkeypatch):
    with tempfile.TemporaryDirectory(prefix="mkt-", dir="/tmp") as sockets:
        monkeypatch.setattr("android_bench.devices.ssh_connection.SOCKET_FOLDER", sockets)
        device = openssh_board.open()
        (folder,) = Path(sockets).iterdir()
        assert folder.stat().st_mode & 0o777 == 0o700
        assert any(str(folder).encode() in line for line in _command_lines())
        device.close()
        assert list(Path(sockets).iterdir()) == []
        assert not any(str(folder).encode() in line for line in _command_lines())


@sshd
def test_a_process_that_is_killed_leaves_no_connection_and_no_command(openssh_board):
    mark = f"mobilekit-killed-{os.getpid()}"
    code = (
        "import sys; from pathlib import Path; from android_bench.devices.ssh import SshDevice\n"
        "board = SshDevice('board', config=Path(sys.argv[1])); print('open', flush=True)\n"
        "board.shell(['sh', '-c', 'sleep 300; echo ' + sys.argv[2]], timeout_s=300)"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(openssh_board.config), mark],
        stdout=subprocess.PIPE,
        text=True,
    )
    with child:
        assert child.stdout.readline() == "open\n"
        time.sleep(0.5)
        child.kill()
    assert _gone(mark)


def _gone(mark):
    """Whether no process has `mark` in its command line within ten seconds."""
    deadline = time.monotonic() + 10
    while any(mark.encode() in line for line in _command_lines()):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _command_lines():
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it ended meanwhile
            yield path.read_bytes()


# --- faults ---------------------------------------------------------------------------------------


@ssh
def test_a_connection_that_drops_in_the_middle_is_no_answer_and_the_next_call_opens_another(
    tmp_path,
):
    with asyncssh_server(tmp_path / "board", "drop", "PLEASE-DROP") as board:
        device = board.open()
        script = "echo some output; sleep 30 # PLEASE-DROP"
        begin = time.monotonic()
        with pytest.raises(BoardError, match="the connection dropped while `sh -c echo some"):
            device.shell(["sh", "-c", script], timeout_s=25)
        assert time.monotonic() - begin < 15
        assert device.shell(["echo", "again"], timeout_s=10).stdout == "again\n"
        device.close()


@ssh
def test_a_connection_that_drops_during_a_push_leaves_nothing_that_looks_whole(tmp_path):
    with asyncssh_server(tmp_path / "board", "drop", 'cat >"$aside"') as board:
        device = board.open()
        source = tmp_path / "big.tflite"
        with source.open("wb") as file:
            file.truncate(300_000_000)  # more than that server takes in half a second
        with pytest.raises(BoardError, match=r"the connection dropped while `push big\.tflite"):
            device.push(source, f"{device.workspace}/big.tflite")
        device.close()
        folder, deadline = board.home / ".cache" / "mobilekit", time.monotonic() + 10
        while list(folder.iterdir()) and time.monotonic() < deadline:
            time.sleep(0.05)  # the board notices, compares, and clears up
        assert list(folder.iterdir()) == []


@ssh
def test_output_that_is_cut_short_with_status_0_is_no_answer(tmp_path):
    with asyncssh_server(tmp_path / "board", "truncate", "PLEASE-CUT") as board:
        device = board.open()
        with pytest.raises(BoardError, match="the connection dropped"):
            device.shell(["echo", "a long line that is cut PLEASE-CUT"], timeout_s=10)
        device.close()


@ssh
def test_a_board_that_hangs_is_left_at_the_timeout_and_can_be_asked_again(tmp_path):
    with asyncssh_server(tmp_path / "board", "silent", "PLEASE-HANG") as board:
        device = board.open()
        begin = time.monotonic()
        with pytest.raises(DeviceTimeoutError, match=r"`echo PLEASE-HANG` ran longer than 0\.5 s"):
            device.shell(["echo", "PLEASE-HANG"], timeout_s=0.5)
        assert time.monotonic() - begin < 5
        assert device.shell(["echo", "again"], timeout_s=10).stdout == "again\n"
        device.close()


@ssh
@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (b"", "it closed the connection before the login"),
        (b"HTTP/1.1 400\r\n\r\n" * 2000, "what answers there is no sshd; check its Port"),
    ],
    ids=["closes", "speaks-http"],
)
def test_a_port_where_no_sshd_is_is_said(tmp_path, answer, sentence):
    new_keys(tmp_path / "board")
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            with server.accept()[0] as connection:
                connection.recv(1000)  # the client's greeting
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        board = know(tmp_path / "board", server.getsockname()[1])
        with pytest.raises(BoardError, match=sentence):
            board.open()
        thread.join()


@ssh
def test_a_port_that_never_answers_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setitem(OPTIONS, "ConnectTimeout", "1")
    new_keys(tmp_path / "board")
    with socket.create_server(("127.0.0.1", 0)) as server:
        board = know(tmp_path / "board", server.getsockname()[1])
        begin = time.monotonic()
        with pytest.raises(BoardError, match="board: it does not answer; check its power"):
            board.open()
        assert time.monotonic() - begin < 5


@ssh
def test_a_port_where_nothing_listens_is_said(tmp_path):
    new_keys(tmp_path / "board")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        board = know(tmp_path / "board", free.getsockname()[1])
        with pytest.raises(BoardError, match="nothing listens for ssh there"):
            board.open()


@ssh
def test_a_name_that_no_host_has_is_said(tmp_path):
    config = tmp_path / "config"
    config.write_text("")
    with pytest.raises(BoardError, match="there is no host of that name"):
        SshDevice("no-such-board.invalid", config=config)


@ssh
def test_a_configuration_that_ssh_refuses_is_said(tmp_path):
    config = tmp_path / "config"
    config.write_text("NoSuchOption yes\n")
    with pytest.raises(BoardError, match="ssh refuses its own configuration"):
        SshDevice("board", config=config)


@pytest.mark.parametrize("server", SERVERS)
def test_another_host_key_than_the_known_one_is_refused(tmp_path, server):
    with server(tmp_path / "board") as board:
        known = board.folder / "known_hosts"
        where = known.read_text().split()[0]
        known.write_text(f"{where} {(board.folder / 'other_key.pub').read_text()}")
        with pytest.raises(BoardError, match="its host key is not the one in known_hosts"):
            board.open()


@pytest.mark.parametrize("server", SERVERS)
def test_an_unknown_host_key_is_never_accepted_in_silence(tmp_path, server):
    with server(tmp_path / "board") as board:
        (board.folder / "known_hosts").write_text("")
        with pytest.raises(BoardError, match="its host key is not known here; connect once by"):
            board.open()
        assert (board.folder / "known_hosts").read_text() == ""


@pytest.mark.parametrize("server", SERVERS)
def test_a_refused_login_says_how_to_bring_a_key(tmp_path, server):
    with server(tmp_path / "board") as board:
        config = board.config.read_text().replace("user_key", "other_key")
        board.config.write_text(config)
        with pytest.raises(BoardError, match=r"it refused the login, .*`ssh-copy-id`"):
            board.open()


@sshd
def test_a_disk_that_fills_up_during_a_push_leaves_nothing(tmp_path):
    """The session's files may have 1 MB: the same short write, from the same call of the kernel."""
    with openssh_server(tmp_path / "board", largest_file_bytes=1_000_000) as board:
        device = board.open()
        source = tmp_path / "net.tflite"
        source.write_bytes(os.urandom(2_000_000))
        with pytest.raises(DeviceError, match=r"push net\.tflite"):
            device.push(source, f"{device.workspace}/net.tflite")
        device.close()
        assert list((board.home / ".cache" / "mobilekit").iterdir()) == []


@sshd
def test_a_file_for_which_there_is_no_room_is_not_sent(tmp_path):
    (tmp_path / "bin").mkdir()
    _program(
        tmp_path / "bin" / "df",
        "echo 'Filesystem 1024-blocks Used Available Capacity Mounted on'\n"
        "echo '/dev/root 8000 7999 1 100% /'",
    )
    with openssh_server(tmp_path / "board", path=str(tmp_path / "bin")) as board:
        device = board.open()
        source = tmp_path / "net.tflite"
        source.write_bytes(b"1" * 1025)
        with pytest.raises(DeviceError, match=r"needs 1,025 bytes and 1,024 are free there; make"):
            device.push(source, f"{device.workspace}/net.tflite")
        source.write_bytes(b"1" * 1024)
        device.push(source, f"{device.workspace}/net.tflite")
        device.close()


# --- the whole way --------------------------------------------------------------------------------


@pytest.mark.parametrize("server", SERVERS)
def test_a_benchmark_through_ssh_measures_and_tells_no_address(
    tmp_path, monkeypatch, capsys, server
):
    monkeypatch.chdir(tmp_path)
    Path("float net.tflite").write_bytes(tiny_float())
    Path("int8.tflite").write_bytes(tiny_int8())
    with server(tmp_path / "board") as board:
        monkeypatch.setenv("MOBILEKIT_SSH_CONFIG", str(board.config))
        words = ["benchmark", "float net.tflite", "int8.tflite", "--device", "ssh:board"]
        words += ["--python", sys.executable, "--num-runs", "5", "--repetitions", "6"]
        assert main(words) == 0, capsys.readouterr().err
    printed = capsys.readouterr().out
    assert "int8" in printed
    results = [json.loads(path.read_text()) for path in Path("results").glob("*.json")]
    assert len(results) == 2
    for result in results:
        assert result["device"]["kind"] == "ssh"
        assert result["device"]["simulated"] is False
        assert result["output_check"]["passed"]
        assert {run["context"] for run in result["runs"]} == {"shell"}
        assert len(result["runs"]) == 6
        command = shlex.split(result["command"])
        assert command[command.index("--device") + 1] == public_name("ssh:board")
        assert command[command.index("--python") + 1] == sys.executable


@ssh
def test_a_benchmark_on_a_board_that_is_away_exits_4_with_one_sentence(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    Path("net.tflite").write_bytes(tiny_float())
    config = tmp_path / "ssh_config"
    config.write_text("")
    monkeypatch.setenv("MOBILEKIT_SSH_CONFIG", str(config))
    assert main(["benchmark", "net.tflite", "--device", "ssh:no-such-board.invalid"]) == 4
    said = capsys.readouterr().err.strip()
    assert said == (
        "mobilekit: no-such-board.invalid: there is no host of that name; check the name, or its"
        " Host entry in ~/.ssh/config."
    )
