"""A server's parser that finds no calls is told from one that does, by what real servers sent."""

from __future__ import annotations

import logging

import pytest

from dazi.core.errors import OperatorError
from dazi.inference.parser_check import Parsing
from dazi.inference.remote import RemoteEngine, RemoteOptions
from tests.inference.recordings.playing import chunks, events
from tests.inference.recordings.reading import Answer, recordings
from tests.inference.recordings.serving import named, serving

CASES: list[tuple[str, Parsing]] = [
    ("vllm_hermes: order", "server"),
    ("vllm_hermes: required, whole", "server"),
    ("vllm_hermes: thanks", ""),
    ("vllm_hermes: no tools", ""),
    ("vllm_hermes: cut at 6", ""),
    ("vllm_hermes: brace missing, whole", "text"),
    ("vllm_qwen3_coder: order", "lost"),
    ("vllm_qwen3_coder: order, whole", "lost"),
    ("vllm_qwen3_coder: two calls", "lost"),
    ("vllm_qwen3_coder: xml", "server"),
    ("vllm_qwen3_xml: weather", "lost"),
    ("vllm_coder_reasoning: order", "lost"),
    ("vllm_no_parser: none", ""),
    ("composed_text: hermes leaves a call", "text"),
    ("composed_text: a call as XML", "text"),
    ("composed_text: a closing tag beside the call", "server"),
]


async def asked(answer: Answer, times: int = 1) -> Parsing:
    async with serving(answer) as server:
        engine = RemoteEngine(RemoteOptions(server.url, "m"))
        for _ in range(times):
            try:
                _ = [e async for e in engine.generate(answer.request)]
            except OperatorError as e:
                assert e.code == "model_parser" and engine.parsing == "lost"
        await engine.close()
        return engine.parsing


@pytest.mark.parametrize(("name", "parsing"), CASES)
async def test_who_read_the_calls(name: str, parsing: Parsing) -> None:
    assert await asked(named(name)) == parsing


async def test_each_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "dazi.inference")
    await asked(named("vllm_hermes: order"), 2)
    assert not caplog.records
    await asked(named("composed_text: hermes leaves a call"), 3)
    (warned,) = caplog.messages
    assert "Dazi parses them itself" in warned and "--tool-call-parser hermes" in warned
    assert warned.startswith("http://127.0.0.1:")
    caplog.clear()
    await asked(named("vllm_qwen3_coder: order"), 3)
    (warned,) = caplog.messages
    assert "24 tokens came to nothing" in warned and "qwen25" in warned


def test_no_answer_under_the_right_parser_is_thought_lost() -> None:
    """What Hermes' parser itself swallows is a call that is none, and said as such."""
    lost = set()
    for answer, expected in recordings():
        if answer.status == 200 and not expected.error:
            _, reader = events(answer, chunks(answer, [answer.body]))
            if reader.lost:
                lost.add(answer.name)
    right = {n for n in lost if n.startswith(("vllm_hermes", "composed"))}
    assert right == {
        "vllm_hermes: no JSON", "vllm_hermes: xml",
        "vllm_hermes: xml twice", "vllm_hermes_interval: no JSON",
    }  # fmt: skip
    assert len(lost - right) > 20
