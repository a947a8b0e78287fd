"""What memory is worth: facts planted in a conversation of 300 turns, and which of them the model is
still given at its end, with every layer and without each: ``python bench/run.py --only memory``.

The words are scripted; threads, digests, facts, budget and tools' results are the product's own.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from bench.options import Options
from bench.tables import Table
from dazi.agent.asking import Ask
from dazi.agent.context import TurnRequest
from dazi.core.engine import (
    CallArgumentsDelta,
    CallDone,
    CallStarted,
    Done,
    EngineEvent,
    GenerateRequest,
    ModelProfile,
    TextDelta,
    Usage,
)
from dazi.core.principal import Principal
from dazi.core.turn import ContextReport, TurnFinished
from dazi.main.runtime import Runtime, open_runtime
from dazi.main.settings import Settings, demo_folder
from dazi.prompt.budget import Shares

TODAY = date(2025, 4, 3)
TURNS = 300
THREAD = "long"
FIRST = "ORD12345"
QUESTION = "我最早买的那个手机到哪了?寄到我的收货地址,发票和座位照旧,会议还是那一间"
PLANTED: Mapping[int, tuple[str, str]] = {
    3: (f"我刚才买手机的订单号是 {FIRST}", FIRST),
    40: ("我的收货地址是上海市浦东新区张江路88号3幢", "张江路88号3幢"),
    120: ("我比较喜欢靠窗的座位", "靠窗的座位"),
    200: ("请记住我的发票抬头是临江贸易有限公司", "临江贸易有限公司"),
    TURNS - 1: ("会议就定在那间朝南的蓝色房间吧", "朝南的蓝色房间"),
}
"""By the number of the turn: what is said, and what of it has to be known at the end."""
LIVE = "2025-04-04"
"""What the last turn's own call finds, if the model knows which order is meant."""
ELSEWHERE = 200
"""The turn that is said in a thread of its own."""
OFF = (None, "live", "short", "middle", "long")
SUMMARY = "用户在聊天,也查过订单。"
_TALK = (
    "今天的天气怎么样,适合出门吗",
    "讲讲你能做哪些事情",
    "ORD67890 到哪了",
    "谢谢,先这样",
    "我再想想,{n} 元有点贵",
    "周{n}有空,到时候再说",
)


def said_at(turn: int) -> str:
    """What the person says in turn ``turn``, from 1."""
    if turn in PLANTED:
        return PLANTED[turn][0]
    return _TALK[turn % len(_TALK)].format(n=turn)


@dataclass
class Words:
    """Says what has to be said, calls for orders, and keeps every request."""

    profile: ModelProfile = field(
        default_factory=lambda: ModelProfile("scripted", 8_192, thinks=False)
    )
    requests: list[GenerateRequest] = field(default_factory=list)

    async def generate(self, request: GenerateRequest) -> AsyncIterator[EngineEvent]:
        self.requests.append(request)
        offered = {t.name for t in request.tools}
        said = next(m.content for m in reversed(request.messages) if m.role == "user")
        known = said + "".join(m.content for m in request.messages[1:] if "最早" in said)
        asked = [o for o in (FIRST, "ORD67890") if o in known]
        if not request.tools and not self.profile.concise and request.tool_choice == "none":
            yield TextDelta(SUMMARY)
        elif asked and request.messages[-1].role == "user" and "get_order_status" in offered:
            arguments = json.dumps({"order_id": asked[0]})
            yield CallStarted(0, "get_order_status")
            yield CallArgumentsDelta(0, arguments)
            yield CallDone(0, "get_order_status", arguments)
            yield Done("tool_calls", Usage(self.count_tokens(request), 20))
            return
        else:
            yield TextDelta("好的。")
        yield Done("stop", Usage(self.count_tokens(request), 4))

    def count_tokens(self, request: GenerateRequest) -> int:
        """A token a character: no tokenizer of Chinese is as wasteful for long."""
        calls = sum(len(c.name) + len(c.arguments) for m in request.messages for c in m.calls)
        tools = sum(len(t.description) + len(json.dumps(t.parameters)) for t in request.tools)
        return sum(len(m.content) + 4 for m in request.messages) + calls + tools

    async def warm(self, request: GenerateRequest) -> None:
        return None

    async def close(self) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Given:
    """What the last round was given before the question, and behind it, where this turn's results
    are."""

    before: str
    behind: str
    report: ContextReport


async def converse(runtime: Runtime, principal: Principal, turns: int = TURNS) -> None:
    """All of the conversation up to its last question."""
    for turn in range(1, turns):
        ask = Ask(principal, THREAD if turn != ELSEWHERE else "other", said_at(turn))
        async for _ in runtime.service.ask(ask):
            pass
        await runtime.service.remembering.settle()


async def given(runtime: Runtime, principal: Principal, words: Words, question: str) -> Given:
    """Ask in the thread without leaving anything in it."""
    words.requests.clear()
    recalled = await runtime.service.remembering.recalled(THREAD, principal)
    request = TurnRequest(
        principal,
        THREAD,
        "turn_last",
        question,
        "zh",
        TODAY,
        recalled.history,
        recalled=recalled,
        show_context=True,
    )
    report: ContextReport | None = None
    async for event in runtime.service.agent.run(request, []):
        if isinstance(event, TurnFinished):
            report = event.context
    assert report is not None
    texts = [m.content for m in words.requests[-1].messages]
    at = texts.index(question)
    return Given("\n".join(texts[1:at]), "\n".join(texts[at + 1 :]), report)


def without(runtime: Runtime, layer: str | None) -> None:
    """Give ``layer`` no room at all, and the others theirs."""
    agent = runtime.service.agent
    shares = Shares() if layer is None else replace(Shares(), **{layer: 0.0})
    agent.budget = replace(agent.budget, context=replace(agent.budget.context, shares=shares))


def run(options: Options) -> list[Table]:
    return [asyncio.run(_ablation(TURNS))]


async def _ablation(turns: int) -> Table:
    names = [f"turn {n}" for n in PLANTED]
    table = Table(
        "memory",
        f"A conversation of {turns} turns: what the model is given in its last",
        ("layer left out", *names, "this turn's result", "tokens", "limit"),
    )
    with tempfile.TemporaryDirectory(prefix="dazi-bench-") as folder:
        words = Words()
        settings = Settings(company=demo_folder(), data=Path(folder), today=TODAY)
        runtime = await open_runtime(settings, engine=words)
        try:
            principal = runtime.access.people.principal("customer", "bench")
            await converse(runtime, principal, turns)
            for layer in OFF:
                without(runtime, layer)
                found = await given(runtime, principal, words, QUESTION)
                known = ["yes" if v in found.before else "no" for _, v in PLANTED.values()]
                live = "yes" if LIVE in found.behind else "no"
                row = (layer or "none", *known, live, found.report.tokens, found.report.limit)
                table.rows.append(row)
        finally:
            await runtime.close()
    table.notes.append(
        "Planted: an order number, an address and a preference told in passing; something to be "
        "remembered, said in another thread (turn 200); what was said in the turn before. The question "
        "names none of them, and the result is there only if the order is known."
    )
    table.notes.append(
        "A token is a character here. Layers: live = this turn's results, short = the last turns "
        "word for word, middle = older turns, long = facts. Turns that leave the short layer are "
        "folded into the middle one."
    )
    return table
