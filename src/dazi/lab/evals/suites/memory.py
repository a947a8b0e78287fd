"""``memory``: what was said before and is wanted later, in the same thread, in another, by somebody else.

Two things are judged apart: did the memory bring it back (``recalled``: it was in what the model was given,
or nothing was that should not have been), and did the reply use it (``used``)?
"""

from __future__ import annotations

import secrets
from contextlib import aclosing
from datetime import date
from typing import Annotated

import msgspec

from dazi.agent.asking import Ask
from dazi.core.errors import DaziError
from dazi.core.language import Text
from dazi.lab.evals.matchers import folded
from dazi.lab.evals.suite import Bench, Item, Loaded, Outcome, Source, data_of
from dazi.lab.evals.suites.declared import items_of, read_yaml
from dazi.lab.evals.suites.turned import error_of, ms_of, turn_of, usage_of
from dazi.lab.evals.turns import SeenTurn, TurnWatch

PATTERN = "memory*.yaml"


class Step(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """``thread``: a name; each is a conversation of its own. ``role``: who says it, where not the task's.
    ``knows`` and ``knows_not``: texts that have to be, or may not be, in what the model is given now;
    ``reply_has``: one of these has to be in the reply."""

    says: str
    thread: str = "a"
    role: str = ""
    knows: list[str] = []
    knows_not: list[str] = []
    reply_has: list[str] = []
    reply_lacks: list[str] = []


class Task(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    id: str
    role: str
    steps: Annotated[list[Step], msgspec.Meta(min_length=1)]
    today: date | None = None
    group: str = ""


class _File(msgspec.Struct, forbid_unknown_fields=True):
    tasks: list[Task]


class Memory:
    name = "memory"
    about = Text(
        "记忆:同一会话隔了几轮、换了会话、换了人之后还记得什么(evals/memory*.yaml)",
        "memory: what is known some turns later, in another thread, to somebody else (evals/memory*.yaml)",
    )
    shared = False

    def load(self, source: Source) -> Loaded:
        paths = source.own(PATTERN)
        files = {path: read_yaml(path, _File).tasks for path in paths}
        items = items_of(files, lambda t: t.steps[0].says)
        return Loaded(items, data_of(self.name, paths))

    async def ask(self, item: Item, bench: Bench) -> Outcome:
        task: Task = item.asked
        turns: list[SeenTurn] = []
        recalled: list[bool] = []
        answered: list[bool] = []
        why: list[str] = []
        mark = secrets.token_hex(8)
        async with bench.planted({}, task.today) as live:
            service = live.runner.service
            for number, step in enumerate(task.steps, 1):
                person = live.runner.principal_of(step.role or task.role)
                before = len(live.seen())
                watch = TurnWatch(service.agent.company)
                ask = Ask(person, f"eval_{mark}_{step.thread}", step.says, today=task.today)
                try:
                    async with aclosing(service.ask(ask)) as events:
                        async for event in events:
                            watch.see(event)
                except DaziError as e:
                    watch.error = e.message("en")
                await service.remembering.settle()
                seen = watch.seen()
                turns.append(seen)
                given = folded("\n".join(live.seen()[before:]))
                reply = folded(seen.reply)
                lost = [f"knew no {w}" for w in step.knows if folded(w) not in given]
                lost += [f"knew {w}" for w in step.knows_not if folded(w) in given]
                if step.knows or step.knows_not:
                    recalled.append(not lost and not seen.error)
                bad = [f"reply has {w}" for w in step.reply_lacks if folded(w) in reply]
                if step.reply_has and not any(folded(w) in reply for w in step.reply_has):
                    bad.append(f"reply lacks {' / '.join(step.reply_has)}")
                if step.reply_has or step.reply_lacks:
                    answered.append(not bad and not seen.error)
                why += [f"{number}: {w}" for w in (*lost, *bad)]
        error = error_of(turns)
        scores: dict[str, float | None] = {
            "recalled": sum(recalled) / len(recalled) if recalled else None,
            "used": sum(answered) / len(answered) if answered else None,
        }
        shown = [turn_of(s.says, t) for s, t in zip(task.steps, turns, strict=True)]
        return Outcome(
            scores,
            not why and not error,
            tuple(why),
            usage_of(turns),
            ms_of(turns),
            error,
            {"role": task.role, "turns": shown},
        )
