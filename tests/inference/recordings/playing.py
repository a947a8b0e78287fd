"""Play a recording to the client's readers, in pieces of any size."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dazi.core.engine import (
    CallArgumentsDelta,
    CallDone,
    CallStarted,
    EngineEvent,
    ReasoningDelta,
    TextDelta,
)
from dazi.inference.chunks import Chunk, SseReader, chunks_of
from dazi.inference.wire import ChunkReader
from tests.inference.recordings.reading import Answer, Outcome

BROKEN = "model_server"


def chunks(answer: Answer, pieces: Iterable[bytes]) -> list[Chunk]:
    """Raises ``ValueError``."""
    if answer.whole:
        return chunks_of(b"".join(pieces))
    lines = SseReader()
    out = [c for piece in pieces for c in lines.read(piece)]
    return out + lines.finish()


def events(answer: Answer, read: Sequence[Chunk]) -> tuple[list[EngineEvent], ChunkReader]:
    """Raises ``ValueError`` for what ``RemoteEngine`` takes for a broken answer."""
    reader = ChunkReader(answer.request)
    out: list[EngineEvent] = []
    for chunk in read:
        if chunk.error:
            raise ValueError(str(chunk.error))
        out += reader.read(chunk)
    if reader.reason is None:
        raise ValueError("the answer ended in the middle")
    return out + reader.finish(), reader


def outcome(answer: Answer, pieces: Iterable[bytes]) -> Outcome:
    try:
        told, reader = events(answer, chunks(answer, pieces))
    except ValueError:
        return Outcome(error=BROKEN)
    return summed(told, reader)


def summed(told: Sequence[EngineEvent], reader: ChunkReader) -> Outcome:
    """What the events say together. Raises ``AssertionError`` where they contradict each other."""
    started: dict[int, str] = {}
    argued: dict[int, str] = {}
    done: dict[int, tuple[str, str]] = {}
    text = reasoning = ""
    for event in told:
        match event:
            case TextDelta(piece):
                assert piece
                text += piece
            case ReasoningDelta(piece):
                assert piece
                reasoning += piece
            case CallStarted(index, name):
                assert index not in started
                started[index] = name
            case CallArgumentsDelta(index, piece):
                assert index in started and index not in done and piece
                argued[index] = argued.get(index, "") + piece
            case CallDone(index, name, arguments):
                assert started[index] == name and index not in done
                assert argued.get(index, "") == arguments or (index not in argued)
                assert index in argued or arguments in ("", "{}")
                done[index] = (name, arguments)
    assert started.keys() == done.keys()
    calls = tuple(done[i] for i in sorted(done))
    usage = reader.usage
    return Outcome(
        text,
        reasoning,
        calls,
        reader.reason or "",
        (usage.prompt, usage.completion, usage.cached),
    )
