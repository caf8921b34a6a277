"""What ssh says when the way to a board fails, in sentences that say what to do."""

from __future__ import annotations

from mobilekit.core.errors import DeviceError

EXIT_SSH = 255  # what ssh answers for an error of its own

# A part of what ssh writes, and what it means; the first that is there counts. OpenSSH's messages
# are not translated.
MEANINGS = (
    (
        "REMOTE HOST IDENTIFICATION HAS CHANGED",
        "its host key is not the one in known_hosts: another machine answers in its place, or it"
        " was set up anew; if you know that it was, forget the old key with `ssh-keygen -R`",
    ),
    (
        "Host key verification failed",
        "its host key is not known here; connect once by hand with `ssh` and compare the"
        " fingerprint",
    ),
    (
        "Permission denied",
        "it refused the login, and no password is asked for; bring your key there with"
        " `ssh-copy-id`, or load it with `ssh-add`",
    ),
    (
        "Too many authentication failures",
        "it refused the login after too many keys; name the right one by IdentityFile and"
        " IdentitiesOnly in ~/.ssh/config",
    ),
    (
        "Could not resolve hostname",
        "there is no host of that name; check the name, or its Host entry in ~/.ssh/config",
    ),
    (
        "Connection refused",
        "nothing listens for ssh there; check that its sshd runs, and its Port in ~/.ssh/config",
    ),
    ("No route to host", "the network has no way there; check its power, cable and address"),
    ("Network is unreachable", "the network has no way there; check this computer's network"),
    ("timed out", "it does not answer; check its power, cable and address"),
    (
        "Unable to negotiate",
        "it offers only methods that this ssh refuses; update its sshd, or allow them in"
        " ~/.ssh/config",
    ),
    (
        "onfiguration option",  # "Bad configuration option", "bad configuration options"
        "ssh refuses its own configuration; `ssh -G` with the board's name shows the line",
    ),
    (
        "Bad owner or permissions",
        "ssh refuses its own configuration, since others may write it; chmod 600 ~/.ssh/config",
    ),
    (
        "No SSH version received",
        "what answers there is no sshd; check its Port in ~/.ssh/config",
    ),
    (
        "Connection closed",
        "it closed the connection before the login; its sshd's log says why",
    ),
    (
        "Connection reset",
        "it closed the connection before the login; its sshd's log says why",
    ),
)


class BoardError(DeviceError):
    """The way to a board failed.

    Attributes:
        device: The board's label; before it has answered, its address.
        problem: What is wrong and what to do, without a full stop.
    """

    def __init__(self, device: str, problem: str) -> None:
        Exception.__init__(self, device, problem)
        self.device, self.problem = device, problem
        self.argv, self.returncode, self.stderr = ("ssh",), EXIT_SSH, problem

    def __str__(self) -> str:
        return f"{self.device}: {self.problem}."


def meaning(stderr: str) -> str:
    """What ssh's standard error means, and what to do, without a full stop."""
    for words, sentence in MEANINGS:
        if words in stderr:
            return sentence
    last = stderr.strip().rpartition("\n")[2].strip().rstrip(".")
    said = f"ssh failed: {last}" if last else "ssh failed and said nothing"
    return f"{said}; try `ssh` by hand"
