"""Steps one after the other, each from a file into a file, so that memory does not grow with samples
and a run that was stopped goes on with the step it was in."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from dazi.core.errors import OperatorError
from dazi.lab.tuning.data.samples import Draft, decode, encode
from dazi.ops.datasets.folders import Stage, lines
from dazi.store.locks import lock

STATE, REFUSED = "state.json", "refused.jsonl"
TELL_S = 1.0
"""Between two lines of progress."""
BREATH_S = 0.2
LOCK = ".making.lock"
_BUFFER = 1 << 20


class _State(msgspec.Struct):
    key: str
    done: list[Stage] = []
    read: dict[str, int] = {}


class Turned(msgspec.Struct, omit_defaults=True):
    """What is kept of a sample that is not used: nothing of what it says."""

    ref: str = ""
    stage: str = ""
    reason: str = ""
    id: str = ""


@dataclass(slots=True)
class Refusing:
    """Counts what a step refuses, and writes down which."""

    stage: str
    write: Callable[[bytes], object]
    counts: Counter[str] = field(default_factory=Counter)

    def __call__(self, draft: Draft, reason: str) -> None:
        self.ref(draft.sample.source.ref, reason, draft.sample.id)

    def ref(self, ref: str, reason: str, id: str = "") -> None:
        """For what never became a sample."""
        self.counts[reason] += 1
        self.write(msgspec.json.encode(Turned(ref, self.stage, reason, id)) + b"\n")


Replay = Callable[[], Iterator[Draft]]
"""The samples of the step before, from the first, as often as they are asked for."""
Step = Callable[[Replay, Refusing], Iterator[Draft]]
AsyncStep = Callable[[Replay, Refusing], AsyncIterator[Draft]]
Tell = Callable[[str, int, int], None]
"""The step, samples so far, and of how many (0 where nobody knows)."""


def silent(stage: str, done: int, of: int) -> None:
    """Nobody reads along."""


class Work:
    """The folder of a run. ``key`` tells runs apart: another recipe begins anew."""

    def __init__(self, folder: Path, key: str, tell: Tell = silent) -> None:
        self.folder = folder
        self.tell = tell
        self._state = self._opened(key)
        self.resumed = len(self._state.done)
        """How many steps an earlier run has done."""

    @property
    def stages(self) -> list[Stage]:
        return self._state.done

    @property
    def read(self) -> dict[str, int]:
        """Of each source, by its number, how many samples were read."""
        return self._state.read

    async def do(self, name: str, step: Step | AsyncStep) -> None:
        """Do a step, unless it is done."""
        if any(s.name == name for s in self._state.done):
            return
        with _Writing(self, name) as out:
            made = step(self._replay(out), out.refusing)
            if isinstance(made, AsyncIterator):
                async for draft in made:
                    out.put(draft)
            else:
                breathed = time.monotonic()
                for draft in made:
                    out.put(draft)
                    if time.monotonic() - breathed > BREATH_S:
                        await asyncio.sleep(0)  # or nobody hears that it is to stop
                        breathed = time.monotonic()

    def drafts(self) -> Iterator[Draft]:
        """What the last step gave. Raises ``FileNotFoundError`` where it was thrown away meanwhile."""
        with self.path(self._state.done[-1].name).open("rb") as file:
            yield from map(decode, file)

    def refused(self) -> Iterator[bytes]:
        """The lines of all steps, in their order."""
        for stage in self._state.done:
            yield from lines(self.folder / f"{stage.name}.{REFUSED}")

    def close(self) -> None:
        """Throw away what is under way."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.jsonl"

    def finished(self, stage: Stage) -> None:
        before = self._state.done[-1].name if self._state.done else ""
        self._state.done.append(stage)
        made = self.folder / f".{STATE}.part"
        made.write_bytes(msgspec.json.encode(self._state))
        made.replace(self.folder / STATE)
        if before:
            self.path(before).unlink(missing_ok=True)

    def _replay(self, out: _Writing) -> Replay:
        if not self._state.done:
            return lambda: iter(())
        before = self._state.done[-1]

        def replay() -> Iterator[Draft]:
            for n, line in enumerate(lines(self.path(before.name)), 1):
                out.seen(n, before.given)
                yield decode(line)

        return replay

    def _opened(self, key: str) -> _State:
        path = self.folder / STATE
        if path.is_file():
            try:
                state = msgspec.json.decode(path.read_bytes(), type=_State)
            except msgspec.MsgspecError:
                state = _State("")
            if state.key == key:
                return state
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(mode=0o700, parents=True)
        return _State(key)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Nobody else makes a version of this dataset meanwhile. Raises ``OperatorError`` where somebody does."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / LOCK).open("ab") as file:
        try:
            lock(file)
        except BlockingIOError:
            raise OperatorError(
                "making",
                f"正在做 {folder.name} 的另一版;等它结束,或先停下它",
                f"another version of {folder.name} is being made; wait for it, or stop it first",
            ) from None
        yield


class _Writing:
    """A step's output, in place once it is whole."""

    def __init__(self, work: Work, name: str) -> None:
        self._work = work
        self._name = name
        self._first = not work.stages
        self._taken = self._given = 0
        self._told = time.monotonic()

    def __enter__(self) -> _Writing:
        folder = self._work.folder
        self._out = (folder / f"{self._name}.jsonl.part").open("wb", _BUFFER)
        self._left = (folder / f"{self._name}.{REFUSED}").open("wb", _BUFFER)
        self.refusing = Refusing(self._name, self._left.write)
        if self._first:
            self._work.read.clear()
        return self

    def put(self, draft: Draft) -> None:
        self._out.write(encode(draft) + b"\n")
        self._given += 1
        if self._first:
            of = str(draft.of)
            self._work.read[of] = self._work.read.get(of, 0) + 1
            self.seen(self._given, 0)

    def seen(self, number: int, of: int) -> None:
        self._taken = max(self._taken, number)
        if time.monotonic() - self._told >= TELL_S:
            self._told = time.monotonic()
            self._work.tell(self._name, number, of)

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        for file in (self._out, self._left):
            if kind is None:  # before it is said to be done: the power may go
                file.flush()
                os.fsync(file.fileno())
            file.close()
        if kind is not None:
            return
        refused = dict(sorted(self.refusing.counts.items()))
        taken = self._given + sum(refused.values()) if self._first else self._taken
        path = self._work.path(self._name)
        path.with_name(f"{path.name}.part").replace(path)
        self._work.tell(self._name, taken, taken)
        self._work.finished(Stage(self._name, taken, self._given, refused))
