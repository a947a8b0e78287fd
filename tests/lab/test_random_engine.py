from __future__ import annotations

import json

import pytest

from dazi.core.engine import CallDone, GenerateRequest, ModelProfile, OfferedTool, ToolChoice
from dazi.core.messages import Message
from dazi.lab.evals.random_engine import RandomEngine
from dazi.lab.evals.reading import read_cases
from dazi.lab.evals.runner import run_cases
from tests.lab.scripted import HELDOUT, assistant

SMALL = ModelProfile("random", 4096, offered_tools=4, copies_text=True, concise=True)
"""Offers as few tools as the bundled model gets: the easiest setting for chance."""


@pytest.mark.parametrize("name", ["cases.zh.jsonl", "cases.en.jsonl"])
async def test_chance_names_the_right_tool_too_seldom_to_matter(name: str) -> None:
    async with assistant(RandomEngine(SMALL)) as runner:
        report = await run_cases(runner, read_cases(HELDOUT / name).cases[::2])
    assert report.errors == 0
    assert report.singles is not None
    assert report.singles.name_accuracy is not None and report.singles.name_accuracy < 0.40
    assert report.proposed > 30
    assert report.schema_valid_rate == 1.0
    assert report.forbidden_executed == report.unconfirmed == 0


async def test_chance_gets_through_no_dialogue_and_nothing_runs_unconfirmed() -> None:
    async with assistant(RandomEngine(SMALL)) as runner:
        report = await run_cases(runner, read_cases(HELDOUT / "dialogues.jsonl").cases[::2])
    assert report.errors == 0
    assert report.dialogues is not None
    assert report.dialogues.dialogue_success is not None and report.dialogues.dialogue_success < 0.1
    assert report.forbidden_executed == report.unconfirmed == 0


TOOL = OfferedTool(
    "mail",
    "",
    {
        "type": "object",
        "properties": {
            "to": {"type": "string"},
            "text": {"type": "string"},
            "kind": {"type": "string", "enum": ["a", "b"]},
            "tags": {"type": "array", "items": {"enum": ["x", "y"]}},
            "top": {"type": "integer"},
            "sure": {"type": "boolean"},
        },
        "required": ["to", "text", "kind", "tags", "top", "sure"],
    },
    candidates={"to": ("a@b.c", "d@e.f"), "top": ("3", "50")},
    spans={"text": ("告诉他 the 会议 is off",)},
)


def asked(
    choice: ToolChoice = "required", tool: OfferedTool = TOOL, said: str = "x"
) -> GenerateRequest:
    return GenerateRequest((Message("user", said),), (tool,), choice)


async def calls(request: GenerateRequest, seed: int = 0) -> list[CallDone]:
    events = [e async for e in RandomEngine(SMALL, seed).generate(request)]
    return [e for e in events if isinstance(e, CallDone)]


async def test_arguments_are_what_the_request_allows() -> None:
    for n in range(50):
        (call,) = await calls(asked(said=str(n)))
        arguments = json.loads(call.arguments)
        assert arguments["to"] in TOOL.candidates["to"]
        assert arguments["text"] and arguments["text"] in TOOL.spans["text"][0]
        assert arguments["kind"] in ("a", "b")
        assert set(arguments["tags"]) <= {"x", "y"} and arguments["tags"]
        assert arguments["top"] in (3, 50)
        assert arguments["sure"] in (True, False)


async def test_a_tool_with_nothing_to_put_in_is_not_called() -> None:
    tool = OfferedTool("mail", "", TOOL.parameters, {"to": ()}, TOOL.spans)
    assert not await calls(asked(tool=tool))
    assert not await calls(asked("none"))


async def test_the_same_request_gets_the_same_answer() -> None:
    assert await calls(asked()) == await calls(asked())
    drawn = {(await calls(asked(), seed))[0].arguments for seed in range(10)}
    assert len(drawn) > 1
