"""Lines in the shape of the public data; the data itself is not part of this repository."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dazi.core.errors import CallerError
from dazi.lab.evals.adapters import FORMATS
from dazi.lab.evals.cases import Case
from dazi.lab.evals.reading import CaseFile
from dazi.lab.evals.runner import run_case
from tests.lab.scripted import Call, Decision, Scripted, assistant

FLY = {
    "name": "air.book-flight",
    "description": "Book a flight",
    "parameters": {
        "type": "dict",
        "properties": {
            "to": {"type": "string"},
            "seats": {"type": "integer"},
            "price": {"type": "float"},
            "legs": {"type": "tuple", "items": {"type": "any"}},
            "extra": {"type": "dict", "properties": {"meal": {"type": "string"}}},
        },
        "required": ["to"],
    },
}
BFCL = {
    "id": "simple_python_0",
    "question": [
        [{"role": "system", "content": "Be brief"}, {"role": "user", "content": "Fly me"}]
    ],
    "function": [FLY],
}
TRUTH = {
    "to": ["San Francisco, CA", "SF"],
    "seats": [2, ""],
    "legs": [["a", "b"]],
    "extra": [{"meal": ["Vegan", "vegetarian"], "bag": ["", True]}],
}
ANSWER = {"id": "simple_python_0", "ground_truth": [{"air.book-flight": TRUTH}]}


def written(folder: Path, kind: str, name: str, line: Any, answer: Any = None) -> CaseFile:
    path = folder / name
    path.write_text(json.dumps(line), encoding="utf-8")
    if answer is not None:
        (folder / "possible_answer").mkdir(exist_ok=True)
        (folder / "possible_answer" / name).write_text(json.dumps(answer), encoding="utf-8")
    return FORMATS[kind](path)


async def right(case: Case, *calls: tuple[str, Mapping[str, Any]]) -> bool:
    decision: Decision = calls or "No."
    async with assistant(Scripted({case.turns[0].said: [decision]})) as runner:
        result = await run_case(runner, case)
    assert all(c.outcome == "client" for c in result.turns[0].calls)
    return result.right


async def test_bfcl(tmp_path: Path) -> None:
    (case,) = written(tmp_path, "bfcl", "BFCL_v4_simple_python.json", BFCL, ANSWER).cases
    assert case.instructions == "Be brief"
    (tool,) = case.tools
    assert tool.name == "air_book-flight"
    properties = tool.parameters["properties"]
    assert [p["type"] for p in properties.values()] == [
        "string",
        "integer",
        "number",
        "array",
        "object",
    ]
    assert "type" not in properties["legs"]["items"]
    good = {"to": "san francisco CA", "legs": ["a", "b"], "extra": {"meal": "vegan"}}
    assert await right(case, ("air_book-flight", good))
    assert await right(case, ("air_book-flight", good | {"seats": 2}))
    assert not await right(case, ("air_book-flight", good | {"seats": 3}))
    assert not await right(case, ("air_book-flight", good | {"legs": ["b", "a"]}))
    assert not await right(case, ("air_book-flight", good | {"extra": {"meal": "beef"}}))
    assert not await right(case)


async def test_the_companys_tools_are_not_offered(tmp_path: Path) -> None:
    (case,) = written(tmp_path, "bfcl", "BFCL_v4_simple_python.json", BFCL, ANSWER).cases
    engine = Scripted({})
    async with assistant(engine) as runner:
        await run_case(runner, case)
    assert [t.name for t in engine.requests[0].tools] == ["air_book-flight"]


async def test_calls_of_brought_tools_are_held_against_their_schema(tmp_path: Path) -> None:
    (case,) = written(tmp_path, "bfcl", "BFCL_v4_simple_python.json", BFCL, ANSWER).cases
    name = "air_book-flight"
    calls: list[Call] = [
        (name, {"to": "x", "seats": 1, "price": 1.5}),
        (name, {"seats": 1}),
        (name, {"to": "x", "when": "now"}),
        (name, {"to": 5}),
        (name, {"to": "x", "seats": True}),
    ]
    async with assistant(Scripted({"Fly me": [calls]})) as runner:
        result = await run_case(runner, case)
    assert [c.valid for c in result.turns[0].calls] == [True, False, False, False, False]


async def test_bfcl_irrelevance_expects_no_call_and_needs_no_answers(tmp_path: Path) -> None:
    (case,) = written(tmp_path, "bfcl", "BFCL_v4_live_irrelevance.json", BFCL).cases
    assert await right(case)
    assert not await right(case, ("air_book-flight", {"to": "SF"}))


ACE = {
    "id": "normal_similar_api_1",
    "question": "user: Fly me.\nsystem: Where to?\nuser: To SF, twice.\n",
    "function": [FLY],
    "time": "Today is Monday.",
}


async def test_acebench(tmp_path: Path) -> None:
    truth = {"air.book-flight_1": {"to": "SF"}, "air.book-flight_2": {"to": "SF", "legs": [1, 2]}}
    answer = {"id": ACE["id"], "ground_truth": truth}
    (case,) = written(tmp_path, "acebench", "data_normal_similar_api.json", ACE, answer).cases
    assert case.instructions == "Today is Monday."
    assert [(e.message.role, e.message.content) for e in case.history] == [
        ("user", "Fly me."),
        ("assistant", "Where to?"),
    ]
    assert case.turns[0].said == "To SF, twice."
    name = "air_book-flight"
    assert await right(case, (name, {"to": "S.F.", "legs": [1, 2]}), (name, {"to": "sf"}))
    assert not await right(case, (name, {"to": "SF"}))


async def test_acebench_may_accept_several_answers_or_none(tmp_path: Path) -> None:
    truth = [{"air.book-flight": {"to": "SF"}}, {"air.book-flight": {"to": "LA"}}]
    answer = {"id": ACE["id"], "ground_truth": truth}
    (either,) = written(tmp_path, "acebench", "data_normal_atom_bool.json", ACE, answer).cases
    assert await right(either, ("air_book-flight", {"to": "LA"}))
    (none,) = written(tmp_path, "acebench", "data_special_irrelevant.json", ACE).cases
    assert await right(none)


def test_what_is_not_supported_or_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(CallerError, match="not supported"):
        written(tmp_path, "bfcl", "BFCL_v4_multi_turn_base.json", BFCL)
    with pytest.raises(CallerError, match="not supported"):
        written(tmp_path, "acebench", "data_agent_multi_step.json", ACE)
    with pytest.raises(CallerError, match="possible_answer"):
        written(tmp_path, "bfcl", "BFCL_v4_multiple.json", BFCL)


def test_a_line_that_is_not_of_the_format_is_left_out(tmp_path: Path) -> None:
    other = ANSWER | {"ground_truth": [{"walk": {}}]}
    found = written(tmp_path, "bfcl", "BFCL_v4_simple_python.json", BFCL, other)
    assert not found.cases
    assert "function walk" in found.problems[0].message("en")
    found = written(tmp_path, "bfcl", "BFCL_v4_parallel.json", BFCL | {"id": "x"}, ANSWER)
    assert "possible_answer of x" in found.problems[0].message("en")
