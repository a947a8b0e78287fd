"""Suites that ask single things: what they read, and what they make of answers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dazi.core.engine import Engine
from dazi.core.errors import CallerError, ConfigError
from dazi.lab.evals.cases import Case, CaseTurn
from dazi.lab.evals.runner import run_case
from dazi.lab.evals.suite import Item, Outcome, Source
from dazi.lab.evals.suites.acebench import AceBench
from dazi.lab.evals.suites.bfcl import Bfcl
from dazi.lab.evals.suites.calls import Calls
from dazi.lab.evals.suites.declared import items_of, read_yaml
from dazi.lab.evals.suites.general import General, letter_of, number_of
from dazi.lab.evals.suites.memory import _File as _MemoryFile
from dazi.lab.evals.switches import Switches, switches_of
from dazi.main.eval_bench import OpenBench
from dazi.main.settings import Settings, demo_folder
from tests.lab.scripted import LARGE, Decision, Scripted, loaded_company


@asynccontextmanager
async def bench(engine: Engine, switches: Switches | None = None) -> AsyncIterator[OpenBench]:
    company = loaded_company(demo_folder())
    made = OpenBench(Settings(company=demo_folder()), engine, switches or Switches(), known=company)
    try:
        yield made
    finally:
        await made.close()


def lines(path: Path, *rows: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows), "utf-8")


ORDER = {
    "id": "one",
    "role": "customer",
    "today": "2025-04-03",
    "messages": [{"role": "user", "content": "查 ORD12345"}],
    "expect": [{"name": "get_order_status", "arguments": {"order_id": "ORD12345"}}],
}
HELLO = {
    "id": "two",
    "role": "customer",
    "turns": [{"user": "你好", "expect": []}, {"user": "再见", "expect": []}],
}


async def test_calls_are_the_companys_own_cases(tmp_path: Path) -> None:
    lines(tmp_path / "evals" / "calls.jsonl", ORDER, HELLO)
    suite = Calls()
    loaded = suite.load(Source(tmp_path))
    assert [(i.id, i.group, i.language) for i in loaded.items] == [
        ("one", "singles", "zh"),
        ("two", "dialogues", "zh"),
    ]
    status = ("get_order_status", {"order_id": "ORD12345"})
    script: Mapping[str, Sequence[Decision]] = {
        "查 ORD12345": [[status], "已打包。"],
        "再见": [[status], "已打包。"],
    }
    async with bench(Scripted(script)) as b:
        one, two = [await suite.ask(i, b) for i in loaded.items]
    assert one.right and one.scores["exact_match"] == one.scores["schema_valid"] == 1
    assert one.usage.prompt == 2 and one.ms > 0
    (turn,) = one.trace["turns"]
    assert turn["calls"][0]["outcome"] == "ok" and turn["expected"][0][0]["name"] == status[0]
    assert not two.right and two.scores["turn_success"] == 0.5
    assert two.why[0].startswith("2: ")


def test_a_case_id_stands_in_one_file_only(tmp_path: Path) -> None:
    for name in ("calls.jsonl", "calls-more.jsonl"):
        lines(tmp_path / "evals" / name, ORDER)
    with pytest.raises(CallerError, match="one"):
        Calls().load(Source(tmp_path))


FLY = {
    "name": "air.fly",
    "description": "Fly",
    "parameters": {
        "type": "dict",
        "properties": {"to": {"type": "string"}, "seats": {"type": "integer"}},
        "required": ["to"],
    },
}


def asked(name: str) -> dict[str, Any]:
    return {
        "id": name,
        "question": [[{"role": "user", "content": f"Fly me ({name})"}]],
        "function": [FLY],
    }


def bfcl(folder: Path) -> Source:
    lines(folder / "bfcl" / "BFCL_v4_simple_python.json", asked("s0"))
    lines(
        folder / "bfcl" / "possible_answer" / "BFCL_v4_simple_python.json",
        {"id": "s0", "ground_truth": [{"air.fly": {"to": ["SF"], "seats": [2, ""]}}]},
    )
    lines(folder / "bfcl" / "BFCL_v4_live_irrelevance.json", asked("i0"))
    lines(folder / "bfcl" / "BFCL_v4_live_relevance.json", asked("r0"))
    lines(folder / "bfcl" / "BFCL_v4_multi_turn_base.json", {"id": "m0"})
    return Source(folder, folder)


async def ask_all(suite: Any, items: Sequence[Item], engine: Engine) -> dict[str, Outcome]:
    async with bench(engine) as b:
        return {i.id: await suite.ask(i, b) for i in items}


async def test_bfcl_is_graded_by_its_categories(tmp_path: Path) -> None:
    suite = Bfcl()
    loaded = suite.load(bfcl(tmp_path))
    assert [i.group for i in loaded.items] == [
        "simple_python",
        "live_irrelevance",
        "live_relevance",
    ]
    assert "multi_turn" in loaded.notes[0].en
    call: Decision = [("air_fly", {"to": "s.f."})]
    script = {f"Fly me ({n})": [call] for n in ("s0", "i0", "r0")}
    outcomes = await ask_all(suite, loaded.items, Scripted(script))
    assert [o.right for o in outcomes.values()] == [True, False, True]
    assert outcomes["i0"].why == ("called",)
    assert outcomes["s0"].scores == {"ast": 1.0, "name_accuracy": 1.0, "schema_valid": 1.0}
    wrong = {"Fly me (s0)": [[("air_fly", {"to": "SF", "seats": 3})]]}
    outcomes = await ask_all(suite, loaded.items, Scripted(wrong))
    assert outcomes["s0"].why == ("seats: wrong value",)
    assert outcomes["i0"].right and not outcomes["r0"].right
    assert outcomes["s0"].trace["accepted"] == [{"air_fly": {"to": ["SF"], "seats": [2, ""]}}]


def test_java_functions_ask_for_texts(tmp_path: Path) -> None:
    java = {**FLY, "parameters": {**FLY["parameters"], "properties": {"n": {"type": "long"}}}}
    lines(tmp_path / "BFCL_v4_simple_java.json", {**asked("j0"), "function": [java]})
    answers = tmp_path / "possible_answer" / "BFCL_v4_simple_java.json"
    lines(answers, {"id": "j0", "ground_truth": [{"air.fly": {"n": [5]}}]})
    (item,) = Bfcl().load(Source(tmp_path, tmp_path)).items
    (tool,) = item.asked.tools
    assert tool.parameters["properties"]["n"] == {
        "type": "string",
        "description": "Written as a Java long literal.",
    }


def test_what_is_no_data_of_bfcl_says_so(tmp_path: Path) -> None:
    with pytest.raises(CallerError, match="no BFCL_v4"):
        Bfcl().load(Source(tmp_path, tmp_path))
    lines(tmp_path / "BFCL_v4_multiple.json", asked("x"))
    with pytest.raises(CallerError, match="possible_answer"):
        Bfcl().load(Source(tmp_path, tmp_path))


async def test_acebench_in_both_languages(tmp_path: Path) -> None:
    line = {"id": "normal_atom_bool_0", "question": "user: Fly me to SF\n", "function": [FLY]}
    answer = {"id": line["id"], "ground_truth": {"air.fly": {"to": "SF"}}}
    for language in ("en", "zh"):
        folder = tmp_path / "acebench" / f"data_{language}"
        lines(folder / "data_normal_atom_bool.json", line)
        lines(folder / "possible_answer" / "data_normal_atom_bool.json", answer)
        lines(folder / "data_agent_multi_step.json", {"id": "agent"})
    suite = AceBench()
    loaded = suite.load(Source(tmp_path, tmp_path))
    assert [(i.id, i.group) for i in loaded.items] == [
        ("en:normal_atom_bool_0", "normal_atom_bool"),
        ("zh:normal_atom_bool_0", "normal_atom_bool"),
    ]
    engine = Scripted({"Fly me to SF": [[("air_fly", {"to": "sf"})]]})
    outcomes = await ask_all(suite, loaded.items, engine)
    assert all(o.right for o in outcomes.values())


async def test_general_reads_whatever_there_is(tmp_path: Path) -> None:
    question = {"question": "2 + 3?", "answer": "It is\n#### 5"}
    lines(tmp_path / "gsm8k" / "test.jsonl", question)
    for name, text in {
        "mmlu/test/law_test.csv": 'Who?,me,you,"he, she",they,C\n',
        "ceval/val/law_val.csv": "id,question,A,B,C,D,answer\n0,谁?,甲,乙,丙,丁,B\n",
        "cmmlu/test/law.csv": ",Question,A,B,C,D,Answer\n0,谁?,甲,乙,丙,丁,A\n",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_text(text, "utf-8")
    suite = General()
    loaded = suite.load(Source(tmp_path, tmp_path))
    assert [(i.id, i.language, i.asked.answer) for i in loaded.items] == [
        ("gsm8k:0", "en", "5"),
        ("mmlu:law:0", "en", "C"),
        ("ceval:law:0", "zh", "B"),
        ("cmmlu:law:0", "zh", "A"),
    ]
    assert "C. he, she" in loaded.items[1].asked.text
    script = {i.asked.text: ["The answer is B."] for i in loaded.items}
    script[loaded.items[0].asked.text] = ["2 + 3 = 5\nAnswer: 5.0"]
    outcomes = await ask_all(suite, loaded.items, Scripted(script))
    assert [o.right for o in outcomes.values()] == [True, False, True, False]
    (one,) = General().load(Source(tmp_path, tmp_path / "gsm8k")).items
    assert one.id == "gsm8k:0"
    with pytest.raises(CallerError, match="there is none of"):
        General().load(Source(tmp_path, tmp_path / "mmlu" / "test"))


@pytest.mark.parametrize(
    ("reply", "number", "letter"),
    [
        ("So 3 + 4 = 7.\nAnswer: 7", "7", ""),
        ("答案:1,234 元,共 3 次", "1234", ""),
        ("It costs $12.50", "12.50", ""),
        ("The answer is (C).", "", "C"),
        ("选 B", "", "B"),
        ("D", "", "D"),
        ("A. because", "", "A"),
        ("A is too small, so it is not A.\nAnswer: C", "", "C"),
        ("Nobody knows", "", ""),
    ],
)
def test_answers_are_read_from_replies(reply: str, number: str, letter: str) -> None:
    assert number_of(reply) == number
    assert letter_of(reply) == letter


async def test_switches_reach_the_model() -> None:
    said = "查 ORD12345"
    for switches, tools, thinking in (
        (Switches(), True, False),
        (switches_of(["calls"], []), False, False),
        (switches_of([], ["thinking"]), True, True),
    ):
        engine = Scripted({})
        async with bench(engine, switches) as b:
            runner = await b.still()
            await run_case(runner, Case("x", "customer", None, (CaseTurn(said, ((),)),)))
        request = engine.requests[0]
        assert (bool(request.tools), request.thinking) == (tools, thinking)


async def test_without_retrieval_every_tool_is_offered() -> None:
    case = Case("x", "customer", None, (CaseTurn("查 ORD12345", ((),)),))
    offered = []
    for switches in (Switches(), switches_of(["retrieval"], [])):
        engine = Scripted({}, replace(LARGE, offered_tools=2))
        async with bench(engine, switches) as b:
            await run_case(await b.still(), case)
        offered.append(len(engine.requests[0].tools))
    assert offered[0] == 2 and offered[1] > 4


def test_switches_are_kept_as_what_differs() -> None:
    found = switches_of(["grammar", "retrieval"], ["thinking", "precision=f32"])
    assert found.told() == {
        "grammar": False,
        "retrieval": False,
        "thinking": True,
        "precision": "f32",
    }
    assert found.aids == {"grammar"}
    for without, given in ((["speed"], []), ([], ["precision=int1"]), ([], ["calls"])):
        with pytest.raises(CallerError, match="there are"):
            switches_of(without, given)


def test_a_task_that_stands_there_twice_is_named(tmp_path: Path) -> None:
    said = "tasks:\n- {id: a, role: customer, steps: [{says: 你好}]}\n"
    (tmp_path / "one.yaml").write_text(said)
    files = {p: read_yaml(p, _MemoryFile).tasks * 2 for p in tmp_path.glob("*.yaml")}
    with pytest.raises(CallerError, match="task a stands there twice"):
        items_of(files, lambda t: t.steps[0].says)
    (tmp_path / "one.yaml").write_text("tasks:\n- {id: a, role: customer, steps: []}\n")
    with pytest.raises(ConfigError, match="length >= 1"):
        read_yaml(tmp_path / "one.yaml", _MemoryFile)
