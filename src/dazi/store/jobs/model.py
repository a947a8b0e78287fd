"""What a job is: work that outlives the process that began it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from dazi.core.language import Text

State = Literal["queued", "running", "done", "failed", "cancelled"]
OVER: tuple[State, ...] = ("done", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class NewJob:
    """``key``: a second job of the same person, kind and key is the first one. ``batch``: a name
    that jobs which belong together share. ``due``: not before then, in seconds since the epoch."""

    kind: str
    title: str
    arguments: Any
    key: str = ""
    batch: str = ""
    due: float = 0.0


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file that a job is to work on."""

    name: str
    type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class JobLimits:
    """``waiting``: jobs of one person that are not over; ``file_bytes``: one file of a job."""

    waiting: int = 1_000
    file_bytes: int = 50_000_000


@dataclass(frozen=True, slots=True)
class Failure:
    code: str
    text: Text


@dataclass(frozen=True, slots=True)
class JobFile:
    """``size`` in bytes."""

    name: str
    type: str
    size: int


@dataclass(frozen=True, slots=True)
class Job:
    """Times are seconds since the epoch, ``None`` for what has not come. ``fraction`` of the work is
    done, 0 to 1; ``stopping``: it was cancelled and is about to end."""

    id: str
    tenant: str
    user: str
    channel: str
    kind: str
    title: str
    arguments: Any
    batch: str
    state: State
    due: float
    created: float
    started: float | None
    ended: float | None
    attempts: int
    step: Text
    fraction: float
    error: Failure | None = None
    result: Any = None
    stopping: bool = False
    files: tuple[JobFile, ...] = ()

    def left_s(self, now: float | None = None) -> float | None:
        """Seconds until it is done, going by its pace so far; ``None`` where that tells nothing."""
        if self.state != "running" or self.started is None or self.fraction < 0.02:
            return None
        gone = (now or time.time()) - self.started
        return gone * (1 - self.fraction) / self.fraction


@dataclass(frozen=True, slots=True)
class Claim:
    """A job in the hands of one worker: ``token`` proves it."""

    job: Job
    token: str


class Opened(Protocol):
    """``state`` is ``open`` where ``content`` is what was sealed."""

    @property
    def content(self) -> Any: ...
    @property
    def state(self) -> str: ...


class Sealer(Protocol):
    """Seals what is personal with its subject's key; see ``dazi.audit.private``."""

    def seal(self, subject: str, place: str, content: Any) -> str: ...
    def open(self, place: str, text: str) -> Opened: ...


class Lost(Exception):
    """The job is somebody else's by now, or over."""
