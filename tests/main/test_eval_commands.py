"""``dazi eval`` as a person meets it: runs that go on, are shown again, compared and held against gates."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dazi.core.engine import GenerateRequest, ModelProfile
from dazi.core.errors import CallerError, ConfigError, ConnectorError, NotFound
from dazi.core.messages import Message
from dazi.core.principal import Principal
from dazi.core.tools import Invocation
from dazi.inference.pool.engine import PoolEngine
from dazi.inference.pool.spending import Counted
from dazi.lab.evals.one_model import OneModel
from dazi.lab.evals.runs import Metric, RunFolder, RunStore
from dazi.lab.evals.switches import switches_of
from dazi.main.cli import complete
from dazi.main.eval_bench import OpenBench
from dazi.main.eval_runs import WantedRun, declared, open_model, run_suite
from dazi.main.eval_telling import compare_runs, hold_gates, list_runs, report_run
from dazi.main.evaluating import Evaluation, evaluate_calls
from dazi.main.settings import Settings, demo_folder
from tests.lab.scripted import LARGE, Decision, Scripted

STATUS: Decision = [("get_order_status", {"order_id": "ORD12345"})]
CASES = [
    {
        "id": name,
        "role": "customer",
        "today": "2025-04-03",
        "messages": [{"role": "user", "content": said}],
        "expect": [{"name": "get_order_status", "arguments": {"order_id": "ORD12345"}}],
    }
    for name, said in (("a", "查 ORD12345"), ("b", "ORD12345 呢"))
]
KNOWN = replace(LARGE, version="v1")


class Place:
    """A data folder, cases, and a model that says what it is told."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.cases = folder / "calls.jsonl"
        self.cases.write_text("".join(json.dumps(c) + "\n" for c in CASES))
        self.settings = Settings(company=demo_folder(), data=folder / "data")
        self.store = RunStore(folder / "data")
        self.engine = Scripted({})
        monkeypatch.setattr("dazi.main.eval_runs.load_engine", lambda *_, **__: self.engine)

    async def run(
        self, right: Sequence[str], profile: ModelProfile = KNOWN, **more: object
    ) -> RunFolder:
        script = {
            c["messages"][0]["content"]: [STATUS, "已打包。"] for c in CASES if c["id"] in right
        }  # type: ignore[index]
        self.engine = Scripted(script, profile)
        wanted = WantedRun("calls", data=self.cases, **more)  # type: ignore[arg-type]
        return await run_suite(self.settings, wanted, "en")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(tmp_path, monkeypatch)


async def test_a_run_says_what_was_run_and_what_it_came_to(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = await place.run("a")
    head = folder.head
    assert (head.suite, head.model, head.model_version) == ("calls", "scripted", "v1")
    assert head.ended and (head.done, head.of) == (2, 2)
    assert head.company == declared(demo_folder()) and head.machine["cpus"]
    assert head.metrics["exact_match"].value == 0.5
    report_run(folder, "en", json_out=False, page=place.folder / "p" / "run.html", item="")
    page = (place.folder / "p" / "run.html").read_text("utf-8")
    assert "<script" not in page and page.index("wrong</span> b") < page.index("right</span> a")
    report_run(folder, "zh", json_out=False, page=None, item="")
    told = capsys.readouterr().out
    assert "工具和参数全对" in told and "50.0%" in told
    report_run(folder, "en", json_out=True, page=None, item="")
    assert [w["id"] for w in json.loads(capsys.readouterr().out)["wrong"]] == ["b"]
    report_run(folder, "en", json_out=False, page=None, item="a")
    one = json.loads(capsys.readouterr().out)
    assert one["trace"]["turns"][0]["calls"][0]["name"] == "get_order_status"
    with pytest.raises(NotFound, match="no item"):
        report_run(folder, "en", json_out=False, page=None, item="zzz")


async def test_the_same_is_not_run_twice(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    first = await place.run("a")
    again = await place.run("ab")
    assert again.path == first.path and not place.engine.requests
    assert "were run before" in capsys.readouterr().err
    other = await place.run("ab", again=True)
    assert other.path != first.path and other.head.metrics["right"].value == 1
    with_switch = await place.run("a", switches=switches_of(["grammar"], []))
    assert with_switch.head.switches == {"grammar": False}
    assert not place.engine.requests[0].constrained
    assert with_switch.head.model == "scripted"


@pytest.mark.parametrize(
    ("suite", "without"), [("bfcl", "retrieval"), ("acebench", "retrieval"), ("general", "grammar")]
)
async def test_what_makes_no_difference_is_not_switched_off(
    place: Place, suite: str, without: str
) -> None:
    wanted = WantedRun(suite, switches=switches_of([without, "calls"], []))
    with pytest.raises(CallerError, match=f"{without} makes no difference to {suite}"):
        await run_suite(place.settings, wanted, "en")


async def test_a_model_whose_version_nobody_knows_is_asked_again(place: Place) -> None:
    unknown = replace(LARGE, version="")
    first = await place.run("a", unknown)
    assert (await place.run("ab", unknown)).path != first.path


async def test_what_is_missing_of_a_run_is_run(place: Place) -> None:
    folder = await place.run("a")
    lines = (folder.path / "items.jsonl").read_text().splitlines()
    (folder.path / "items.jsonl").write_text(next(x for x in lines if '"a"' in x) + "\n")
    folder.write(replace(folder.head, ended="", done=1, metrics={}))
    again = await place.run("ab")
    assert again.path == folder.path and again.head.metrics["right"].value == 1
    assert {r.messages[-1].content for r in place.engine.requests if len(r.messages) < 3} == {
        "ORD12345 呢"
    }


async def test_two_are_compared_and_held_against_gates(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = await place.run("ab"), await place.run("b", again=True)
    list_runs(place.store, "en", json_out=True)
    assert len(json.loads(capsys.readouterr().out)["runs"]) == 2
    list_runs(place.store, "zh", json_out=False)
    assert "cmrc" in capsys.readouterr().out.lower()
    compare_runs(first, second, "en", json_out=True)
    told = json.loads(capsys.readouterr().out)
    assert told["lost"] == ["a"] and told["first"]["id"] == first.head.id
    compare_runs(first, second, "zh", json_out=False)
    assert "变错的 1:a" in capsys.readouterr().out
    gates = place.folder / "gates.yaml"
    gates.write_text("gates: [{metric: right, drops_at_most: 0.1}]")
    assert not hold_gates(gates, first, second, "en", json_out=False)
    assert "failed  right: drops by 0.5, at most 0.1" in capsys.readouterr().out
    assert hold_gates(gates, second, first, "zh", json_out=True)
    assert json.loads(capsys.readouterr().out)["passed"] is True


def test_only_an_embedded_model_can_be_told_its_precision(tmp_path: Path) -> None:
    from dazi.main.engines import load_engine

    settings = Settings(model="http://127.0.0.1:9/v1", data=tmp_path)
    with pytest.raises(CallerError, match="embedded"):
        load_engine(settings, tmp_path, precision="f32")


@pytest.mark.skipif(os.name != "posix", reason="there is no Ctrl-C to send here")
def test_ctrl_c_stops_and_the_same_command_goes_on(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from dazi.main.cli import run; run()", "eval", "run", "calls"]
    env = {**os.environ, "DAZI_DATA": str(tmp_path), "DAZI_LANG": "en"}
    items = "--concurrency", "1", "--limit", "12"
    with subprocess.Popen(
        [*command, *items], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=env
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.partition("/")[0].strip().isdigit():
                process.send_signal(signal.SIGINT)
                break
        rest = process.stderr.read()
    assert process.returncode == 130, rest
    assert "the same command goes on" in rest
    ((folder, head),) = RunStore(tmp_path).all()
    before = len(folder.by_id())
    assert 0 < before < head.of and not head.ended
    done = subprocess.run(
        [*command, *items, "--json"], capture_output=True, text=True, env=env, check=True
    )
    assert f"{before} of {head.of} are done" in done.stderr
    assert json.loads(done.stdout)["done"] == head.of == len(folder.by_id())


async def test_a_model_of_the_pool_is_asked_by_its_name(tmp_path: Path) -> None:
    pool = tmp_path / "models.yaml"
    pool.write_text('backends: {one: {url: "http://127.0.0.1:9/v1", model: big}}')
    settings = Settings(pool=pool, model="big", data=tmp_path)
    async with AsyncExitStack() as stack:
        engine = await open_model(settings, tmp_path, "", stack)
        assert isinstance(engine, OneModel) and engine.profile.name == "big"
        assert isinstance(engine.engine, PoolEngine) and isinstance(engine.engine.spending, Counted)
        await engine.close()
        with pytest.raises(CallerError, match=r"models\.yaml has: big"):
            other = settings.model_copy(update={"model": "small"})
            await open_model(other, tmp_path, "", stack)
    inner = Scripted({})
    one = OneModel(inner, replace(LARGE, name="big"))
    async for _ in one.generate(GenerateRequest((Message("user", "hi"),))):
        pass
    assert inner.requests[0].model == "big"


async def test_nothing_of_an_evaluation_reaches_what_the_company_keeps(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Settings] = []

    async def opened(settings: Settings, **_: object) -> None:
        seen.append(settings)
        raise CallerError("stop", "停", "stop here")

    for module in ("evaluating", "eval_bench"):
        monkeypatch.setattr(f"dazi.main.{module}.open_runtime", opened)
    servers = {
        "database": "postgresql://u:p@db/company",
        "redis": "redis://limits:6379/0",
        "milvus_url": "http://index:19530",
        "milvus_token": "root:x",
    }
    own = place.settings.model_copy(update=servers)
    with pytest.raises(CallerError, match="stop here"):
        await evaluate_calls(own, Evaluation(place.cases, True, 0, 1, False), "en")
    bench = OpenBench(own, Scripted({}))
    with pytest.raises(CallerError, match="stop here"):
        await bench.reading(None)
    with pytest.raises(CallerError, match="stop here"):
        async with bench.live():
            pass
    await bench.close()
    assert len(seen) == 3
    for given in seen:
        assert all(not getattr(given, name) for name in servers)
        assert given.audit == "memory" and given.data != own.data


async def test_tasks_are_carried_out_in_demo_companies_only(place: Place) -> None:
    company = OpenBench(place.settings, place.engine).company
    real = replace(company, settings={**company.settings, "demo": False})
    bench = OpenBench(place.settings, place.engine, known=real)
    with pytest.raises(ConfigError, match="demo companies"):
        async with bench.live():
            pass


class Asked:
    """A system that counts what it was asked, and the runtime around it."""

    def __init__(self) -> None:
        self.tools: list[str] = []
        self.connectors: dict[str, Any] = {"one": self}

    async def execute(self, invocation: Invocation) -> list[str]:
        self.tools.append(invocation.tool.name)
        return []

    async def close(self) -> None:
        return None


async def test_questions_change_nothing_in_a_companys_real_systems(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Asked()

    async def nothing(*_: object, **__: object) -> Asked:
        return asked

    for name in ("open_runtime", "_read"):
        monkeypatch.setattr(f"dazi.main.eval_bench.{name}", nothing)
    monkeypatch.setattr(OpenBench, "_runner", lambda *_: None)
    company = OpenBench(place.settings, place.engine).company
    real = replace(company, settings={**company.settings, "demo": False})
    bench = OpenBench(place.settings, place.engine, known=real)
    await bench.reading(None)
    for name in ("get_order_status", "create_ticket", "request_refund"):
        tool = company.tools[name]
        invocation = Invocation(tool, {}, {}, Principal("u", frozenset()), "k", 1.0, "2025-04-03")
        if tool.effect == "read":
            assert await asked.connectors["one"].execute(invocation) == []
        else:
            with pytest.raises(ConnectorError, match="does not carry out"):
                await asked.connectors["one"].execute(invocation)
    assert asked.tools == ["get_order_status"]
    await bench.close()


@pytest.mark.parametrize("finished", [False, True])
async def test_what_failed_is_asked_again_when_a_run_goes_on(place: Place, finished: bool) -> None:
    folder = await place.run("ab")
    with folder.appending() as into:
        into.add(replace(folder.by_id()["a"], right=False, error="the server is gone"))
    ended = folder.head.ended if finished else ""
    folder.write(replace(folder.head, ended=ended, metrics={"errors": Metric(float(finished))}))
    again = await place.run("ab")
    assert again.path == folder.path and again.head.metrics["errors"].value == 0
    assert {r.messages[-1].content for r in place.engine.requests if len(r.messages) < 3} == {
        "查 ORD12345"
    }


async def test_a_run_that_another_process_writes_is_not_touched(place: Place) -> None:
    folder = await place.run("ab")
    under_way = replace(folder.head, ended="", done=0, metrics={})
    folder.write(under_way)
    with folder.appending(), pytest.raises(CallerError, match="another process"):
        await place.run("ab")
    assert folder.head == under_way


async def test_a_run_tells_how_many_were_really_asked_at_once(place: Place) -> None:
    assert (await place.run("ab", concurrency=16)).head.concurrency == 2


async def test_gates_hold_for_whole_runs_and_say_what_does_not_compare(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = await place.run("ab"), await place.run("ab", again=True)
    gates = place.folder / "gates.yaml"
    gates.write_text("gates: [{metric: right, drops_at_most: 0.1}]")
    head = second.head
    second.write(replace(head, company="other"))
    assert hold_gates(gates, first, second, "en", json_out=True)
    told = capsys.readouterr()
    assert "declarations differ" in told.err and json.loads(told.out)["notes"]
    second.write(replace(head, ended="", done=1))
    with pytest.raises(CallerError, match=r"not finished \(1/2\)"):
        hold_gates(gates, first, second, "en", json_out=False)


@pytest.mark.parametrize("command", [["calls", "x.jsonl"], ["run", "calls"]])
@pytest.mark.parametrize("option", [["--limit", "-5"], ["--concurrency", "0"]])
def test_no_number_of_items_is_less_than_none(command: list[str], option: list[str]) -> None:
    done = CliRunner().invoke(complete(), ["eval", *command, *option])
    assert done.exit_code == 2 and option[0] in done.output


@pytest.mark.parametrize(
    "name",
    ["answers.yaml", "tools/examples/send_email.txt", "knowledge/leave.md", "data/people.csv"],
)
def test_what_the_assistant_acts_by_and_finds_is_in_the_digest(tmp_path: Path, name: str) -> None:
    company = tmp_path / "company"
    shutil.copytree(demo_folder(), company, ignore=shutil.ignore_patterns("__pycache__", ".dazi"))
    before = declared(company)
    assert declared(company) == before
    with (company / name).open("a", encoding="utf-8") as file:
        file.write("\n# changed\n")
    assert declared(company) != before
