"""Every recording comes to the same, however it arrives; nothing bent makes anything up."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

import msgspec
import pytest

import dazi.inference.chunks as framing
from dazi.core.engine import Done, EngineEvent
from dazi.core.errors import CallerError, OperatorError
from dazi.inference import parse, servercalls
from dazi.inference.chunks import Chunk, SseReader
from dazi.inference.remote import RemoteEngine, RemoteOptions
from dazi.inference.servercalls import CallPiece, ServerCalls
from tests.inference.recordings.compose import files, lines
from tests.inference.recordings.cutting import Cutter, bent, chunkings, dealt, halves
from tests.inference.recordings.playing import chunks, events, outcome, summed
from tests.inference.recordings.reading import FOLDER, Answer, Outcome, recordings
from tests.inference.recordings.serving import serving
from tests.inference.test_parse import merged

ALL = recordings()
STREAMS = [(a, o) for a, o in ALL if a.status == 200]
GOOD = [(a, o) for a, o in STREAMS if not o.error]
GROUPS = sorted({a.name.partition(":")[0] for a, _ in STREAMS})


@pytest.fixture(autouse=True)
def _decoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cutting a stream's bytes changes no line of it, so each is decoded once."""
    monkeypatch.setattr(framing, "chunk_of", lru_cache(4096)(framing.chunk_of))


def of(group: str) -> Iterator[tuple[Answer, Outcome]]:
    return ((a, o) for a, o in STREAMS if a.name.partition(":")[0] == group)


def test_there_are_enough_and_each_says_where_it_is_from() -> None:
    origins = Counter(a.origin for a, _ in ALL)
    assert origins["recorded"] >= 100 and origins["composed"] >= 100
    assert set(origins) == {"recorded", "composed"}
    assert all(a.source for a, _ in ALL)
    assert len({a.name for a, _ in ALL}) == len(ALL) >= 200


@pytest.mark.parametrize("name", files())
def test_composed_files_are_what_is_composed(name: str) -> None:
    assert (FOLDER / f"{name}.jsonl").read_text("utf-8") == lines(files()[name])


@pytest.mark.parametrize("group", GROUPS)
def test_what_each_comes_to_however_its_bytes_arrive(group: str) -> None:
    for answer, expected in of(group):
        for pieces in chunkings(answer.body, answer.name):
            assert outcome(answer, pieces) == expected, answer.name


@pytest.mark.parametrize("group", GROUPS)
def test_a_cut_at_any_byte_changes_no_chunk(group: str) -> None:
    for answer, expected in of(group):
        if answer.whole or expected.error:
            continue
        whole = chunks(answer, [answer.body])
        for pieces in halves(answer.body):
            assert chunks(answer, pieces) == whole, (answer.name, len(pieces[0]))


def singly(text: str) -> list[str]:
    return list(text)


def at(n: int) -> Cutter:
    return lambda text: [text[:n], text[n:]] if 0 < n < len(text) else [text]


def randomly(seed: int) -> Cutter:
    rng = random.Random(seed)

    def cut(text: str) -> list[str]:
        n = rng.randrange(len(text))
        return [p for p in (text[:n], text[n:]) if p]

    return cut


def joined(told: list[Chunk]) -> list[Chunk]:
    """All neighbouring pieces of text in one."""
    out: list[Chunk] = []
    for chunk in told:
        text, before = _text(chunk), _text(out[-1]) if out else None
        if text is not None and before is not None:
            choice = out[-1].choices[0]  # type: ignore[index]
            choice.delta.content = before + text  # type: ignore[union-attr]
        else:
            out.append(_copy(chunk))
    return out


def _text(chunk: Chunk) -> str | None:
    """Of a chunk that has nothing but text."""
    choice = chunk.choices[0] if chunk.choices else None
    delta = choice.delta if choice else None
    if chunk.usage or choice is None or delta is None or choice.finish_reason:
        return None
    other = delta.reasoning_content or delta.reasoning or delta.tool_calls or delta.function_call
    return delta.content if isinstance(delta.content, str) and not other else None


def _copy(chunk: Chunk) -> Chunk:
    return msgspec.json.decode(msgspec.json.encode(chunk), type=Chunk)


@pytest.mark.parametrize("group", GROUPS)
def test_what_each_comes_to_in_other_portions(group: str) -> None:
    """Servers batch tokens as they like: the same words in other portions mean the same."""
    for answer, expected in of(group):
        if expected.error or answer.whole:
            continue
        read = chunks(answer, [answer.body])
        told, _ = events(answer, read)
        longest = max((len(_text(c) or "") for c in joined(read)), default=0)
        cutters = [singly, *(randomly(s) for s in range(6)), *map(at, range(1, 6))]
        dealings = [dealt(read, c) for c in cutters] + [joined(read)]
        dealings += [dealt(joined(read), at(n)) for n in range(1, min(longest, 120))]
        for some in dealings:
            got, reader = events(answer, some)
            assert summed(got, reader) == expected, answer.name
            assert merged(got) == merged(told), answer.name


def said_in(body: bytes) -> tuple[str, str]:
    """All that a stream says where the names of calls are, and all of its text, each in one."""
    names, texts = [], []
    for line in body.decode("utf-8", "replace").split("\n"):
        try:
            value = json.loads(line.strip().removeprefix("data:"), strict=False)
        except (ValueError, RecursionError):
            continue
        for key, text in _strings(value):
            (names if key == "name" else texts if key in ("content", "text") else []).append(text)
    return "".join(names), "".join(texts)


def _strings(value: object, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, dict):
        for k, v in value.items():
            yield from _strings(v, k)
    elif isinstance(value, list):
        for v in value:
            yield from _strings(v, key)


@pytest.mark.parametrize("group", GROUPS)
def test_bent_streams_break_nothing_and_make_up_no_call(group: str) -> None:
    for answer, _ in of(group):
        rng = random.Random(answer.name)
        for _ in range(12):
            body = bent(answer.body, rng)
            got = outcome(answer, [body])
            assert got.error in ("", "model_server")
            names, texts = said_in(body)
            for name, _ in got.calls:
                assert name in names or name in texts, (answer.name, name)


def failing() -> set[str]:
    """Recordings of calls and thoughts that do not come to what they should, dealt out singly."""
    out = set()
    for answer, expected in GOOD:
        if answer.whole:
            continue
        try:
            got = summed(*events(answer, dealt(chunks(answer, [answer.body]), singly)))
        except (AssertionError, ValueError):
            got = Outcome(error="broken")
        if got != expected:
            out.add(answer.name)
    return out


def test_a_parser_that_holds_nothing_back_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    assert failing() == set()
    monkeypatch.setattr(parse, "held", lambda text, wanted: 0)
    assert len(failing()) > 10


def test_calls_told_apart_by_index_alone_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    read = ServerCalls.read

    def blind(self: ServerCalls, piece: CallPiece, place: int) -> list[EngineEvent]:
        return read(self, CallPiece(None, piece.index or 0, piece.function), place)

    monkeypatch.setattr(ServerCalls, "read", blind)
    monkeypatch.setattr(servercalls, "_complete", lambda text: False)
    found = failing()
    assert "composed_calls: all indexes 0, pieces without id" in found
    assert "composed_calls: no id at all" not in found


def test_a_reader_that_forgets_half_a_line_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetful(self: SseReader, data: bytes) -> list[Chunk]:
        lines = data.split(b"\n")
        return [framing.chunk_of(x[5:]) for x in lines if x.startswith(b"data: {")]

    monkeypatch.setattr(SseReader, "read", forgetful)
    wrong = 0
    for answer, expected in GOOD:
        half = len(answer.body) // 2
        wrong += outcome(answer, [answer.body[:half], answer.body[half:]]) != expected
    assert wrong > len(GOOD) / 2


SERVED = [
    *[(a, o) for a, o in ALL if a.status != 200],
    *[(a, o) for a, o in STREAMS if o.error][::4],
    *GOOD[::12],
    *[(a, o) for a, o in GOOD if a.whole and a.origin == "composed"],
]


@pytest.mark.parametrize(("answer", "expected"), SERVED, ids=lambda x: getattr(x, "name", ""))
async def test_over_a_connection(answer: Answer, expected: Outcome) -> None:
    async with serving(answer) as server:
        engine = RemoteEngine(RemoteOptions(server.url, "m", idle_timeout_s=5.0))
        try:
            *told, done = [e async for e in engine.generate(answer.request)]
        except (CallerError, OperatorError) as e:
            lost = e.code == "model_parser" and engine.parsing == "lost"
            assert lost or e.code == expected.error
            return
        finally:
            await engine.close()
    assert not expected.error
    assert isinstance(done, Done)
    assert (done.usage.prompt, done.usage.completion, done.usage.cached) == expected.usage
    assert done.reason == expected.reason
    assert not any(isinstance(e, Done) for e in told)
