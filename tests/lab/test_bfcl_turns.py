"""``bfcl-turns``: conversations with systems that are another package's, here one of our own that is called
as the published one is; and that one itself where ``DAZI_BFCL_PYTHON`` names it.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from bench.evals.replay import replayed
from dazi.core.errors import CallerError, OperatorError
from dazi.lab.evals.bfcl import systems
from dazi.lab.evals.bfcl.conversations import REVEALED, Conversation
from dazi.lab.evals.bfcl.systems import Made, opened
from dazi.lab.evals.suite import Item, Outcome, Source, drawn
from dazi.lab.evals.suites import bfcl_turns
from dazi.lab.evals.suites.bfcl_turns import BfclTurns
from tests.lab.scripted import Decision, Scripted
from tests.lab.test_suites import bench, lines

PUBLISHED = os.environ.get("DAZI_BFCL_PYTHON", "")
SYSTEM = """
import json, os, time
print("imported")

class TicketAPI:
    def _load_scenario(self, config, long_context=False):
        self.open, self.pid = list(config["open"]), config["pid"]

    def open_ticket(self, title, urgent=False):
        print("opened")
        self.open.append([title, urgent])
        return {"id": len(self.open)}

    def close_ticket(self, id):
        if not 0 < id <= len(self.open):
            raise ValueError(f"no ticket {id}")
        del self.open[id - 1]
        return "closed"

    def wait(self):
        with open(self.pid, "w") as file:
            file.write(str(os.getpid()))
        time.sleep(60)
"""
UTILS = """
import json
from bfcl_eval.tickets import TicketAPI

KEPT = {}

def execute_multi_turn_func_call(
    func_call_list, initial_config, involved_classes, model_name, test_entry_id, long_context=False
):
    (name,) = involved_classes
    if model_name not in KEPT:
        KEPT[model_name] = TicketAPI()
        KEPT[model_name]._load_scenario(initial_config[name])
    system, results = KEPT[model_name], []
    for call in func_call_list:
        try:
            results.append(json.dumps(eval(f"system.{call}")))
        except Exception as e:
            results.append(f"Error during execution: {e}")
    return results, {name: system}
"""
CHECKER = """
from bfcl_eval.eval_checker.multi_turn_eval.multi_turn_utils import execute_multi_turn_func_call as run

def multi_turn_checker(made, truth, entry, category, model):
    assert category == "multi_turn_base", category
    config, classes = entry["initial_config"], entry["involved_classes"]
    for number, (steps, right) in enumerate(zip(made, truth, strict=True)):
        _, mine = run([c for s in steps for c in s], config, classes, model, entry["id"])
        _, theirs = run(right, config, classes, model + "_truth", entry["id"])
        if right and mine["TicketAPI"].open != theirs["TicketAPI"].open:
            differences = {"model": mine["TicketAPI"].open}
            details = {"differences": differences}
            return {
                "valid": False, "error_type": "state", "error_message": "other state", "details": details
            }
    return {"valid": True}
"""


def function(name: str, required: Sequence[str] = (), **properties: str) -> dict[str, Any]:
    typed = {n: {"type": t} for n, t in properties.items()}
    parameters = {"type": "dict", "properties": typed, "required": list(required)}
    return {"name": name, "description": name, "parameters": parameters}


FUNCTIONS = [
    function("open_ticket", ["title"], title="string", urgent="boolean"),
    function("close_ticket", ["id"], id="integer"),
    function("wait"),
    function("forget"),
]
OPEN, CLOSE = "Open a ticket: printer", "Close the first one"


@pytest.fixture
def python(tmp_path: Path) -> str:
    """A Python that has a package of that name, of our own."""
    package = tmp_path / "site" / "bfcl_eval"
    checks = "eval_checker/multi_turn_eval"
    config = "constants/executable_backend_config.py"
    modules = {
        "tickets.py": SYSTEM,
        f"{checks}/multi_turn_utils.py": UTILS,
        f"{checks}/multi_turn_checker.py": CHECKER,
        config: 'CLASS_FILE_PATH_MAPPING = {"TicketAPI": "bfcl_eval.tickets", "MemoryAPI_x": "nowhere"}',
        "../bfcl_eval-0.1.dist-info/METADATA": "Metadata-Version: 2.1\nName: bfcl-eval\nVersion: 0.1\n",
    }
    for name, text in modules.items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    run = (
        f"import runpy, sys; sys.path.insert(0, {str(package.parent)!r}); "
        "runpy.run_path(sys.argv[-1], run_name='__main__')"
    )
    wrapper = tmp_path / "python"
    wrapper.write_text(f'#!/bin/sh\nexec {sys.executable} -S -c "{run}" "$@"\n')
    wrapper.chmod(0o755)
    return str(wrapper)


def conversation(name: str, turns: Sequence[tuple[str, Sequence[str]]], **more: Any) -> Any:
    asked = {
        "id": name,
        "question": [[{"role": "user", "content": said}] if said else [] for said, _ in turns],
        "involved_classes": ["TicketAPI"],
        **more,
    }
    return asked, {"id": name, "ground_truth": [list(truth) for _, truth in turns]}


BASE = [(OPEN, ["open_ticket(title='printer')"]), (CLOSE, ["close_ticket(1)"])]
LATER = [(CLOSE, []), ("", ["close_ticket(id=1)"])]


def data(folder: Path, python: str) -> dict[str, Item]:
    """By id: ``base``, and ``later``, whose function comes in the second turn."""
    first = {"TicketAPI": {"open": [["screen", False]], "pid": str(folder / "pid")}}
    rows = [
        conversation("multi_turn_base_0", BASE, initial_config=first, excluded_function=["forget"]),
        conversation(
            "multi_turn_base_1",
            LATER,
            initial_config=first,
            missed_function={"1": ["close_ticket"]},
        ),
    ]
    name = "BFCL_v4_multi_turn_base.json"
    lines(folder / "bfcl" / name, *(asked for asked, _ in rows))
    lines(folder / "bfcl" / "possible_answer" / name, *(answer for _, answer in rows))
    lines(folder / "bfcl" / "multi_turn_func_doc" / "ticket_api.json", *FUNCTIONS)
    loaded = BfclTurns().load(Source(folder, folder, python))
    assert loaded.data.licence == "Apache-2.0" and "bfcl-eval 0.1" in loaded.notes[0].en
    return dict(zip(("base", "later"), loaded.items, strict=True))


async def asked(item: Item, script: Mapping[str, Sequence[Decision]]) -> tuple[Outcome, Scripted]:
    engine = Scripted(script)
    async with bench(engine) as b:
        return await BfclTurns().ask(item, b), engine


PRINTER: Decision = [("open_ticket", {"title": "printer"})]
FIRST: Decision = [("close_ticket", {"id": 1})]


async def test_the_accepted_calls_are_right(tmp_path: Path, python: str) -> None:
    item = data(tmp_path, python)["base"]
    assert (item.id, item.group) == ("multi_turn_base_0", "multi_turn_base")
    outcome, engine = await asked(item, {OPEN: [PRINTER, "Opened."], CLOSE: [FIRST, "Closed."]})
    assert outcome.right and not outcome.why and not outcome.error
    assert outcome.scores == {"turns_reached": 1.0, "schema_valid": 1.0}
    assert outcome.usage.prompt == 4 and outcome.ms > 0
    first, second = outcome.trace["turns"]
    assert first["said"] == OPEN and first["reply"] == "Opened."
    assert first["calls"] == [
        {"name": "open_ticket", "arguments": {"title": "printer"}, "result": '{"id": 2}'}
    ]
    assert second["calls"][0]["result"] == '"closed"'
    assert outcome.trace["truth"] == [list(t) for _, t in BASE]
    # The model was told what the systems gave, in one conversation.
    told = [(m.role, m.content) for m in engine.requests[-1].messages[1:]]
    assert [r for r, _ in told] == [
        *("user", "assistant", "tool", "assistant"),
        *("user", "assistant", "tool"),
    ]
    assert told[2][1] == '{"id": 2}'
    assert {t.name for t in engine.requests[0].tools} == {"open_ticket", "close_ticket", "wait"}


async def test_another_state_is_wrong(tmp_path: Path, python: str) -> None:
    item = data(tmp_path, python)["base"]
    second: Decision = [("close_ticket", {"id": 2})]
    outcome, _ = await asked(item, {OPEN: [PRINTER], CLOSE: [second]})
    assert not outcome.right and outcome.why == ("other state",)
    assert outcome.scores["turns_reached"] == 0.5
    assert outcome.trace["verdict"]["kind"] == "state"
    assert "screen" in outcome.trace["verdict"]["details"]
    nothing, _ = await asked(item, {})
    assert not nothing.right and nothing.scores["turns_reached"] == 0
    assert nothing.scores["schema_valid"] is None


async def test_a_function_is_offered_when_the_data_says_so(tmp_path: Path, python: str) -> None:
    item = data(tmp_path, python)["later"]
    outcome, engine = await asked(item, {CLOSE: ["I cannot."], REVEALED: [FIRST]})
    assert outcome.right
    offered = [("close_ticket" in {t.name for t in r.tools}) for r in engine.requests]
    assert offered == [False, True, True]
    # Before that, no system is asked for it.
    early, _ = await asked(item, {CLOSE: [FIRST]})
    assert not early.right
    assert early.trace["turns"][0]["calls"][0]["outcome"] == "unknown_tool"


async def test_what_no_system_can_take_is_told_to_the_model(tmp_path: Path, python: str) -> None:
    item = data(tmp_path, python)["base"]
    odd: Decision = [("open_ticket", {"title": "x", "a, b": 1})]
    unknown: Decision = [("close_ticket", {"id": 9})]
    outcome, _ = await asked(item, {OPEN: [odd, unknown, PRINTER], CLOSE: [FIRST]})
    assert outcome.right and outcome.scores["schema_valid"] == 0.75
    results = [c["result"] for c in outcome.trace["turns"][0]["calls"]]
    assert results == [
        "Error: ValueError: 'a, b' is no name of an argument",
        "Error during execution: no ticket 9",
        '{"id": 2}',
    ]


async def test_who_goes_on_calling_has_failed(
    tmp_path: Path, python: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bfcl_turns, "STEPS", 2)
    item = data(tmp_path, python)["base"]
    outcome, _ = await asked(item, {OPEN: [PRINTER], CLOSE: [FIRST, FIRST, FIRST]})
    assert not outcome.right and outcome.why == ("turn 1: still calling after 2 steps",)
    assert outcome.scores["turns_reached"] == 0.5
    assert len(outcome.trace["turns"][1]["calls"]) == 2


async def test_a_call_that_hangs_is_ended(
    tmp_path: Path, python: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bfcl_turns, "CALL_S", 2.0)
    monkeypatch.setattr(systems, "CALL_S", 2.0)
    item = data(tmp_path, python)["base"]
    outcome, _ = await asked(item, {OPEN: [PRINTER], CLOSE: [[("wait", {})]]})
    assert not outcome.right and outcome.why == ("turn 1: wait did not end within 2 s",)
    assert not outcome.error and outcome.scores["turns_reached"] == 0.5
    assert not runs(tmp_path / "pid")


async def test_a_run_that_is_stopped_leaves_no_process(tmp_path: Path, python: str) -> None:
    item = data(tmp_path, python)["base"]
    asking = asyncio.create_task(asked(item, {OPEN: [[("wait", {})]]}))
    pid = tmp_path / "pid"
    async with asyncio.timeout(20):
        while not (pid.is_file() and pid.read_text()):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert runs(pid)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert not runs(pid)


def runs(pid: Path) -> bool:
    try:
        os.kill(int(pid.read_text()), 0)
    except ProcessLookupError:
        return False
    return True


async def test_systems_that_end_are_an_error(tmp_path: Path, python: str) -> None:
    item = data(tmp_path, python)["base"]
    async with opened(python) as found:
        c: Conversation = item.asked.conversation
        await found.begin(c.id, c.classes, c.config)
        found.process.kill()
        with pytest.raises(OperatorError, match="do not work"):
            await found.call(Made("close_ticket", {"id": 1}))
    with pytest.raises(OperatorError, match="do not work"):
        async with opened(str(tmp_path / "nowhere")):
            pass


@pytest.mark.parametrize(("named", "why"), [("", "none is named"), (sys.executable, "bfcl_eval")])
def test_what_is_missing_is_said(tmp_path: Path, python: str, named: str, why: str) -> None:
    data(tmp_path, python)
    with pytest.raises(OperatorError, match=why) as refused:
        BfclTurns().load(Source(tmp_path, tmp_path, named))
    for text in (refused.value.message("zh"), refused.value.message("en")):
        assert "DAZI_BFCL_PYTHON" in text and "pip install --no-deps bfcl-eval" in text


def test_what_is_no_data_of_it_says_so(tmp_path: Path, python: str) -> None:
    with pytest.raises(CallerError, match="no BFCL_v4_multi_turn"):
        BfclTurns().load(Source(tmp_path, tmp_path, python))
    data(tmp_path, python)
    name = "BFCL_v4_multi_turn_base.json"
    lines(tmp_path / "bfcl" / "possible_answer" / name, {"id": "other", "ground_truth": []})
    with pytest.raises(CallerError, match="multi_turn_base_0"):
        BfclTurns().load(Source(tmp_path, tmp_path, python))


@pytest.fixture
def published() -> Path:
    where = "import bfcl_eval, os; print(os.path.dirname(bfcl_eval.__file__))"
    told = subprocess.run([PUBLISHED, "-c", where], capture_output=True, text=True, check=True)
    return Path(told.stdout.strip()) / "data"


@pytest.mark.skipif(
    not PUBLISHED, reason="DAZI_BFCL_PYTHON names no environment with bfcl-eval and mpmath"
)
async def test_the_published_systems_take_the_accepted_calls(published: Path) -> None:
    """On the data that comes with the package; ``python -m bench.evals.replay`` does more of it."""
    items = BfclTurns().load(Source(published, published, PUBLISHED)).items
    found = await replayed(drawn(items, 8, 3))
    assert [r.item.id for r in found if not r.whole.right] == []
    assert sum(r.less.right for r in found) <= 1
