"""``bfcl-turns``: BFCL v4's conversations with simulated systems, judged by the state of those.

The systems and the verdict are those of the published package, in a process of an environment that has it
(``bfcl.systems``). To the assistant they are the tools of a caller who runs them himself, as a client of
``/v1/chat/completions`` does: each of its steps ends with calls, and goes on with what they gave.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec

from dazi.agent.asking import Ask
from dazi.core.engine import Usage
from dazi.core.errors import CallerError, DaziError
from dazi.core.language import Text
from dazi.core.messages import CallText, Message
from dazi.core.principal import Principal
from dazi.core.turn import TurnFinished
from dazi.lab.evals.bfcl.conversations import Conversation, Turn, files, parts, read
from dazi.lab.evals.bfcl.systems import CALL_S, Made, Refused, Systems, Verdict, check, opened
from dazi.lab.evals.runner import Runner
from dazi.lab.evals.runs import DataOf
from dazi.lab.evals.suite import Bench, Item, Loaded, Outcome, Source, data_of
from dazi.lab.evals.suites.turned import call_of
from dazi.lab.evals.turns import MadeCall, TurnWatch
from dazi.memory.threads import Kept

STEPS = 20
"""So often the model may call in one turn; whoever still calls then has failed, as in the published runner."""
NOTE = Text(
    "系统和判定是软件包 bfcl-eval {version} 的。数字用来比较这里的模型,不是排行榜的成绩。",
    "Systems and verdicts are those of the package bfcl-eval {version}. Figures compare models here; they are "
    "not the leaderboard's.",
)


@dataclass(frozen=True, slots=True)
class Asked:
    conversation: Conversation
    python: str


class BfclTurns:
    name = "bfcl-turns"
    about = Text(
        "BFCL v4 的多轮对话:模拟系统真的在跑,按官方判分器判系统的状态",
        "BFCL v4's conversations: simulated systems at work, their state judged by the published checker",
    )
    shared = True

    def load(self, source: Source) -> Loaded:
        folder = source.public("bfcl")
        found = files(folder)
        if not found:
            raise CallerError(
                "no_data",
                f"{folder} 里没有 BFCL_v4_multi_turn_*.json",
                f"there is no BFCL_v4_multi_turn_*.json in {folder}",
            )
        items = tuple(
            Item(c.id, category, "en", Asked(c, source.bfcl_python))
            for category, path in found.items()
            for c in read(category, path)
        )
        version = check(source.bfcl_python)
        data = data_of("BFCL v4 multi_turn", parts(folder), "Apache-2.0")
        # Another version of the package may judge otherwise.
        judged = hashlib.sha256(f"{data.sha256} {version}".encode()).hexdigest()
        note = Text(NOTE.zh.format(version=version), NOTE.en.format(version=version))
        return Loaded(items, DataOf(data.name, judged, data.licence), (note,))

    async def ask(self, item: Item, bench: Bench) -> Outcome:
        asked: Asked = item.asked
        conversation = asked.conversation
        runner = await bench.still()
        async with _begun(asked) as systems:
            talk = _Talk(conversation, runner, systems)
            await talk.run()
        verdict = None if talk.error else await _judged(asked, talk)
        made = talk.calls
        scores: dict[str, float | None] = {
            "turns_reached": verdict.turns / len(conversation.turns) if verdict else None,
            "schema_valid": sum(c.valid for c in made) / len(made) if made else None,
        }
        why = talk.error or talk.stopped or (verdict.why if verdict else "")
        return Outcome(
            scores,
            verdict is not None and verdict.valid and not talk.stopped,
            (why,) if why else (),
            talk.usage,
            talk.ms,
            talk.error,
            {
                "turns": talk.shown,
                "verdict": msgspec.to_builtins(verdict),
                "truth": [list(t) for t in conversation.truth],
            },
        )


@asynccontextmanager
async def _begun(asked: Asked) -> AsyncIterator[Systems]:
    conversation = asked.conversation
    async with opened(asked.python) as systems:
        await systems.begin(conversation.id, conversation.classes, conversation.config)
        yield systems


async def _judged(asked: Asked, talk: _Talk) -> Verdict:
    """Of the turns that ended, by systems that nothing else was asked of: those of the conversation may
    hang in a call."""
    async with _begun(asked) as systems:
        return await systems.judge(talk.turns, asked.conversation.truth[: len(talk.turns)])


@dataclass(slots=True)
class _Talk:
    """One conversation. ``turns``: of each that has ended its steps, of each the calls that systems were
    asked for; ``stopped``: why it ended before its end."""

    conversation: Conversation
    runner: Runner
    systems: Systems
    history: list[Kept] = field(default_factory=list)
    turns: list[list[list[Made]]] = field(default_factory=list)
    calls: list[MadeCall] = field(default_factory=list)
    shown: list[dict[str, Any]] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    ms: float = 0.0
    stopped: str = ""
    error: str = ""
    thread: str = field(default_factory=lambda: f"eval_{secrets.token_hex(10)}")

    @property
    def principal(self) -> Principal:
        """What one conversation wants remembered is nothing that another is told."""
        return Principal(f"eval-{self.conversation.id}", frozenset(), channel="eval")

    async def run(self) -> None:
        for number, turn in enumerate(self.conversation.turns):
            self.shown.append({"said": turn.said, "calls": [], "reply": ""})
            steps = await self._turn(turn)
            if self.error or self.stopped:
                self.stopped = self.stopped and f"turn {number}: {self.stopped}"
                return
            self.turns.append(steps)

    async def _turn(self, turn: Turn) -> list[list[Made]]:
        steps: list[list[Made]] = []
        said = turn.said
        while True:
            finished = await self._step(turn, said)
            if finished is None or not finished.client_calls:
                return steps
            if len(steps) == STEPS:
                self.stopped = f"still calling after {STEPS} steps"
                return steps
            steps.append([])
            for call in finished.client_calls:
                await self._carried_out(call, steps[-1])
                if self.stopped:
                    return steps
            said = ""

    async def _step(self, turn: Turn, said: str) -> TurnFinished | None:
        """What the assistant does next; ``None`` where it could not. It goes into the history."""
        ask = Ask(
            self.principal,
            self.thread,
            said,
            history=tuple(self.history),
            client_tools=turn.tools,
            own_tools=False,
        )
        watch = TurnWatch(self.runner.service.agent.company, {t.name: t for t in turn.tools})
        finished: TurnFinished | None = None
        try:
            async with aclosing(self.runner.service.ask(ask)) as events:
                async for event in events:
                    watch.see(event)
                    if isinstance(event, TurnFinished):
                        finished = event
        except DaziError as e:
            self.error = e.message("en")
        seen = watch.seen()
        self.usage += seen.usage
        self.ms += seen.ms
        self.calls += seen.calls
        shown = self.shown[-1]
        shown["calls"] += [call_of(c) for c in seen.calls if c.outcome != "client"]
        shown["reply"] = "\n".join(t for t in (shown["reply"], seen.reply) if t)
        if said:
            self.history.append(Kept(Message("user", said)))
        if finished is not None:
            words = Message("assistant", finished.answer, finished.client_calls)
            self.history.append(Kept(words))
        return finished

    async def _carried_out(self, call: CallText, step: list[Made]) -> None:
        result = "Error: the arguments are no JSON object."
        made = _made(call)
        if made is not None:
            try:
                result = await self.systems.call(made)
                step.append(made)
            except Refused as e:
                result = f"Error: {e}"
            except TimeoutError:
                self.stopped = f"{call.name} did not end within {CALL_S:g} s"
                result = self.stopped
        arguments = made.arguments if made is not None else {"text": call.arguments}
        self.shown[-1]["calls"].append(
            {"name": call.name, "arguments": arguments, "result": result}
        )
        self.history.append(Kept(Message("tool", result, call_id=call.id)))


def _made(call: CallText) -> Made | None:
    try:
        arguments = json.loads(call.arguments)
    except ValueError:
        return None
    return Made(call.name, arguments) if isinstance(arguments, dict) else None
