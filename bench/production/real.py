"""The assistant on the real vLLM server, with the bundled model's weights behind it."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from datetime import date
from pathlib import Path

from bench.production.pools import declared, pooled
from bench.production.vllm import NAME, Replica
from bench.resilience.report import percentile
from bench.tables import Table
from dazi.agent.asking import Ask
from dazi.core.engine import (
    CallDone,
    Done,
    GenerateRequest,
    OfferedTool,
    Sampling,
    TextDelta,
)
from dazi.core.messages import Message
from dazi.core.turn import AnswerDelta, TurnFinished
from dazi.inference.catalog import BUNDLED
from dazi.inference.dialects import Kind
from dazi.inference.profiles import read_profile
from dazi.inference.remote import RemoteEngine, RemoteOptions
from dazi.main.runtime import open_runtime
from dazi.main.settings import Settings

TODAY = date(2025, 4, 3)
TURNS = (
    ("customer", "我三天前下的订单 ORD12345 还没发货,怎么回事?", "get_order_status", "打包|打好包"),
    ("customer", "订单ORD12345到哪了", "get_order_status", "打包|打好包"),
    ("staff", "帮我找一间明天上海带投影的会议室", "query_meeting_room", "B204"),
    ("staff", "我还有几天年假", "get_leave_balance", "7.5"),
    ("manager", "上个月各区域销售额", "query_sales_data", "广东"),
    ("customer", "上海今天天气怎么样", "get_weather", "上海"),
)
"""Who asks what, the tool that answers it, and what of its result stands in the answer, in one wording or
another."""
STATUS = OfferedTool(
    "get_order_status",
    "查订单状态",
    {
        "type": "object",
        "properties": {"order_id": {"type": "string", "description": "订单号"}},
        "required": ["order_id"],
    },
)


async def turns(replica: Replica, scale: float) -> list[Table]:
    """Whole turns of the demo company through the pool."""
    table = Table(
        "vllm_turns",
        "Whole turns on vLLM: question -> call -> result -> answer",
        ("server's grammar", "turns", "right call and answer", "p50 s", "first text p50 s"),
    )
    rounds = max(1, round(5 * scale))
    for kind, said in (("vllm", "structural tag"), ("compatible", "none")):
        with tempfile.TemporaryDirectory(prefix="dazi-turns-") as name:
            folder = Path(name)
            path = declared(folder, [replica.url], NAME)
            path.write_text(path.read_text().replace("kind: vllm", f"kind: {kind}"))
            runtime = await open_runtime(Settings(data=folder / "data", today=TODAY, pool=path))
            took: list[float] = []
            first: list[float] = []
            right = 0
            for n in range(rounds):
                for user, text, tool, held in TURNS:
                    principal = runtime.directory.principal(user, "bench")
                    began, seen = time.perf_counter(), 0.0
                    async for event in runtime.service.ask(
                        Ask(principal, f"{user}{n}{text}", text)
                    ):
                        if isinstance(event, AnswerDelta) and not seen:
                            seen = time.perf_counter() - began
                        elif isinstance(event, TurnFinished):
                            called = [(c.name, c.outcome) for c in event.calls]
                            words = any(w in event.answer for w in held.split("|"))
                            right += called == [(tool, "ok")] and words
                    took.append(time.perf_counter() - began)
                    first.append(seen)
            await runtime.close()
        table.rows.append(
            (said, len(took), f"{right}/{len(took)}", percentile(took, 0.5), percentile(first, 0.5))
        )
    table.notes.append(
        "The bundled model's own weights and its own words, checked as on the embedded engine; vLLM "
        "runs them in bfloat16 on one processor core, which says nothing of a GPU."
    )
    return [table]


async def grounded(replica: Replica, scale: float) -> list[Table]:
    """A person names one order; another is the only one that may be named. Which does the call hold?"""
    table = Table(
        "vllm_grammar",
        "Calls held to their candidates by the server, while they are written",
        ("server's grammar", "tool choice", "calls", "with a candidate's value", "p50 ms"),
        notes=[
            "The question names an order that is no candidate, so that an unheld model is wrong each "
            "time; the router would refuse that call. 1 to 200 candidates."
        ],
    )
    many = max(4, round(40 * scale))
    kinds: tuple[tuple[Kind, str], ...] = (("vllm", "structural tag"), ("compatible", "none"))
    for kind, said in kinds:
        engine = RemoteEngine(RemoteOptions(replica.url, NAME, kind=kind), read_profile(BUNDLED))
        for choice in ("auto", "required"):
            draw = random.Random(5)
            held = calls = 0
            took: list[float] = []
            for _ in range(many):
                values = tuple(
                    f"ORD{draw.randrange(20000, 99999)}" for _ in range(draw.choice((1, 3, 200)))
                )
                tool = OfferedTool(
                    STATUS.name, STATUS.description, STATUS.parameters, {"order_id": values}
                )
                request = GenerateRequest(
                    (Message("user", f"我的订单 ORD1{draw.randrange(1000, 9999)} 到哪了"),),
                    (tool,),
                    choice,  # type: ignore[arg-type]
                    Sampling(max_tokens=64),
                )
                began = time.perf_counter()
                async for event in engine.generate(request):
                    if isinstance(event, CallDone):
                        calls += 1
                        held += any(v in event.arguments for v in values)
                took.append((time.perf_counter() - began) * 1000)
            table.rows.append((said, choice, calls, f"{held}/{calls}", percentile(took, 0.5)))
        await engine.close()
    return [table]


async def streams(replica: Replica, scale: float) -> list[Table]:
    """Pieces that come one by one, calls that the server parses, and an answer that is left."""
    table = Table("vllm_streams", "Streaming from vLLM", ("what", "measured"))
    async with pooled([replica.url], NAME) as pool:
        pieces = 0
        async for event in pool.generate(_say("北京今天天气怎么样", 48)):
            pieces += isinstance(event, TextDelta)
        table.rows.append(("pieces of one answer", pieces))
        events = [e async for e in pool.generate(GenerateRequest(
            (Message("user", "我的订单 ORD12345 到哪了"),), (STATUS,), sampling=Sampling(max_tokens=64)
        ))]  # fmt: skip
        done = events[-1]
        assert isinstance(done, Done)
        seen = ", ".join(dict.fromkeys(type(e).__name__ for e in events))
        table.rows.append(
            (
                "events of a call, by the server's parser",
                seen,
            )
        )
        table.rows.append(("usage told", f"{done.usage.prompt} + {done.usage.completion}"))
        gone: list[float] = []
        for n in range(max(3, round(10 * scale))):
            gone.append(await _left(pool, replica, n))
        table.rows.append(
            ("left in the middle: until vLLM works on nothing, ms, p50", percentile(gone, 0.5))
        )
        table.rows.append(("the same, worst of " + str(len(gone)), max(gone)))
    return [table]


async def _left(pool: object, replica: Replica, n: int) -> float:
    """Milliseconds from leaving an answer to vLLM's running nothing."""
    request = GenerateRequest(
        (Message("user", f"第{n}次:从一数到一千,一个一个数"),),
        sampling=Sampling(max_tokens=3000, temperature=2.0, seed=n),
    )
    stream = pool.bursts(request)  # type: ignore[attr-defined]
    await anext(stream)
    running = await asyncio.to_thread(replica.metrics)
    assert running["num_requests_running"] >= 1, "it had ended by itself"
    began = time.perf_counter()
    await stream.aclose()
    while (await asyncio.to_thread(replica.metrics))["num_requests_running"]:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    return (time.perf_counter() - began) * 1000


def _say(text: str, tokens: int) -> GenerateRequest:
    return GenerateRequest((Message("user", text),), sampling=Sampling(max_tokens=tokens))
