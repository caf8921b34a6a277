"""What can go wrong with a phone, as switches; None and nothing mean that all is well.

Those that come after so many bytes clear themselves: the phone is well when it is asked next.
What happens to the whole phone, as that it restarts, are methods of `Phone`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields


@dataclass(kw_only=True)
class Faults:
    """Switches that can be turned while the phone runs.

    Attributes:
        drop_shell_after: Bytes of a shell's output after which the connection breaks.
        cut_shell_after: Bytes of a shell's output after which the rest is lost, and the stream
            closed without a word.
        garble_shell_after: Bytes of a shell's output after which there is garbage instead.
        drop_push_after: Bytes of a pushed file after which the cable is pulled.
        drop_pull_after: Bytes of a pulled file after which the cable is pulled.
        full_after: Bytes of a pushed file after which the storage is full (ENOSPC).
        full: Whether the storage is full: pushes are refused, as is what commands write.
        free_kb: What `df` says is free, whatever is true.
        clock_offset_s: How far the phone's clock is from this computer's, in whole seconds.
        damage_push: Whether a pushed file is written with one wrong byte.
        damage_pull: Whether a pulled file is sent with one wrong byte.
        lose_push: Whether a push is acknowledged and nothing written.
        hang: Services that never answer: of "shell", "exec", "sync".
        slow_s: Seconds before every answer.
        unauthorized: Whether the question on the screen is left unanswered.
    """

    drop_shell_after: int | None = None
    cut_shell_after: int | None = None
    garble_shell_after: int | None = None
    drop_push_after: int | None = None
    drop_pull_after: int | None = None
    full_after: int | None = None
    full: bool = False
    free_kb: int | None = None
    clock_offset_s: int = 0
    damage_push: bool = False
    damage_pull: bool = False
    lose_push: bool = False
    hang: frozenset[str] = field(default_factory=frozenset)
    slow_s: float = 0.0
    unauthorized: bool = False

    def clear(self) -> None:
        """Turns all of them off."""
        for each in fields(self):
            setattr(self, each.name, getattr(FINE, each.name))

    def due(self, name: str, moved_bytes: int) -> bool:
        """Whether one is due after so many bytes; it is then over."""
        after = getattr(self, name)
        if after is None or moved_bytes < after:
            return False
        setattr(self, name, None)
        return True


FINE = Faults()
