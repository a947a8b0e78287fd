"""A file's lock, by which processes keep out of each other's way; it goes with the file's closing."""

from __future__ import annotations

from typing import IO


def lock(file: IO[bytes], *, wait: bool = False) -> None:
    """Without ``wait`` raises ``BlockingIOError`` where another process has it. Nobody is kept out on
    systems without ``fcntl``."""
    try:
        import fcntl
    except ImportError:
        return
    fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
