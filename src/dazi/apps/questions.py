"""A question as a job: asked once later, or again and again, with the rights of that moment."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from dazi.agent.asking import Ask
from dazi.agent.service import AssistantService
from dazi.core.errors import CallerError, ConnectorError
from dazi.core.language import Text, language_of
from dazi.core.principal import Principal
from dazi.core.turn import AnswerDelta, CallFinished, CallProposed, ConfirmationNeeded, TurnFinished
from dazi.store.jobs.work import Kind, Run

NAME = "ask"
TITLE = Text("定时提问", "A question")
ASKED = Text("已提问", "asked")
CALLED = Text("已查询:{name}", "looked up: {name}")
SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Answered:
    """``thread``: where question and answer are kept. ``waits``: something is to be confirmed
    there."""

    answer: str
    thread: str
    calls: tuple[str, ...]
    waits: bool


def question_kind(service: AssistantService, max_chars: int) -> Kind:
    """Arguments: ``{"question": text}``. What changes something is never proposed a second time: a
    try that broke off after that fails, and says so."""

    async def check(_: Principal, arguments: Any) -> Any:
        question = arguments.get("question") if isinstance(arguments, Mapping) else None
        if not isinstance(question, str) or not question.strip():
            raise CallerError(
                "question", "要有 question:要问的话", "question is needed: what to ask"
            )
        if len(question) > max_chars:
            raise CallerError(
                "message_too_long",
                f"问题有 {len(question)} 个字符,上限是 {max_chars}",
                f"the question has {len(question)} characters, the limit is {max_chars}",
            )
        return {"question": question.strip()}

    async def work(run: Run) -> Answered:
        question, thread = run.arguments["question"], f"job-{run.job.id}"
        ask = Ask(run.principal, thread, question, language_of(question))
        answer, waits, calls = "", False, list[str]()
        run.report(ASKED, 0.1)
        async with aclosing(service.ask(ask)) as events:
            async for event in events:
                match event:
                    case CallProposed():
                        await _only_once(run, service, event.name)
                    case CallFinished():
                        calls.append(event.record.name)
                        name = event.record.name
                        told = Text(CALLED.zh.format(name=name), CALLED.en.format(name=name))
                        run.report(told, min(0.1 + 0.2 * len(calls), 0.8))
                    case AnswerDelta():
                        answer += event.text
                    case ConfirmationNeeded():
                        waits = True
                    case TurnFinished():
                        answer = event.answer
        return Answered(answer, thread, tuple(calls), waits)

    return Kind(NAME, TITLE, check, work, seconds=SECONDS)


async def _only_once(run: Run, service: AssistantService, tool: str) -> None:
    """Raises ``ConnectorError`` where an earlier try of the job came as far as a call that changes
    something: nobody knows whether it was made."""
    declared = service.agent.company.tools.get(tool)
    if declared is None or declared.effect == "read":
        return
    mine = secrets.token_hex(8)

    async def mark() -> str:
        return mine

    if await run.step(f"change:{tool}", mark, str) != mine:
        raise ConnectorError(
            "broke_off",
            f"上一次在 {tool} 处中断了,不知道有没有做成;为免做两次没有再试,请先核对",
            f"an earlier try broke off at {tool}, and it is not known whether it was done; so that "
            "nothing is done twice it was not tried again: please check first",
            effect_possible=True,
        )
