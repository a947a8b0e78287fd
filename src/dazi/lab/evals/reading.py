"""Reads cases from JSON Lines.

A line is a single case (``messages`` and ``expect``) or a dialogue (``turns``). A line that cannot
be used is left out and reported with its number; the others still run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from dazi.core.errors import CallerError
from dazi.core.language import Language, Text
from dazi.core.messages import CallText, Message, Role, dumps
from dazi.lab.evals.cases import Approval, Case, CaseTurn, Earlier, ExpectedCall
from dazi.lab.evals.matchers import MATCHERS, is_matcher


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a line; ``skipped`` when the line is not used because of it."""

    where: str
    text: Text
    skipped: bool

    def message(self, language: Language) -> str:
        return f"{self.where}: {self.text(language)}"


@dataclass(frozen=True, slots=True)
class CaseFile:
    cases: tuple[Case, ...]
    problems: tuple[Problem, ...]


class _Call(msgspec.Struct):
    name: str
    arguments: dict[str, Any] = {}


class _Message(msgspec.Struct):
    role: Role
    content: str | None = None
    name: str = ""
    tool_call_id: str = ""
    tool_calls: list[dict[str, Any]] = []
    calls: list[dict[str, Any]] = []


class _Turn(msgspec.Struct, kw_only=True):
    user: str = ""
    expect: list[_Call]
    alternative: list[Any] | None = None
    optional: list[str] = []
    forbidden: bool = False
    approval: Approval | None = None
    reply_has: list[str | list[str]] = []
    reply_lacks: list[str | list[str]] = []


class _Line(msgspec.Struct, kw_only=True):
    role: str
    id: str = ""
    today: date | None = None
    messages: list[_Message] = []
    turns: list[_Turn] = []


class _Bad(Exception):
    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.text = Text(zh, en)


def read_cases(path: Path) -> CaseFile:
    """Raises ``CallerError`` when there is no such file or not one usable line in it."""
    try:
        lines = path.read_bytes().removeprefix(b"\xef\xbb\xbf").splitlines()
    except OSError as e:
        reason = e.strerror or str(e)
        raise CallerError(
            "no_cases", f"读不了 {path}:{reason}", f"cannot read {path}: {reason}"
        ) from None
    cases: dict[str, Case] = {}
    problems: list[Problem] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        try:
            data = json.loads(line)
            case = _case(data, where, number)
            if case.id in cases:
                raise _Bad(f"id “{case.id}” 用过了", f"the id “{case.id}” is used already")
            problems += (Problem(where, text, False) for text in _oddities(data))
            cases[case.id] = case
        except _Bad as e:
            problems.append(Problem(where, e.text, True))
        except (ValueError, RecursionError) as e:  # json, unicode and msgspec errors
            problems.append(Problem(where, Text(f"不合格式:{e}", f"not a case: {e}"), True))
    if not cases:
        first = problems[0].text if problems else Text("文件是空的", "the file is empty")
        raise CallerError(
            "no_cases",
            f"{path} 里没有可用的用例:{first.zh}",
            f"{path} holds no usable case: {first.en}",
        )
    return CaseFile(tuple(cases.values()), tuple(problems))


def _case(data: Any, where: str, number: int) -> Case:
    line = msgspec.convert(data, _Line)
    name = line.id or f"line-{number}"
    if bool(line.messages) == bool(line.turns):
        raise _Bad("要有 messages 或 turns,只能有一个", "needs messages or turns, one of them")
    if line.turns:
        turns = tuple(_turn(t, t.user) for t in line.turns)
        return Case(name, line.role, line.today, turns, dialogue=True, source=where)
    *before, last = line.messages
    if last.role != "user" or not last.content:
        raise _Bad("最后一条消息要是用户的", "the last message must be the user's")
    return Case(
        name,
        line.role,
        line.today,
        (_turn(msgspec.convert(data, _Turn), last.content),),
        history=tuple(_earlier(m for m in before if m.role != "system")),
        instructions="\n\n".join(m.content or "" for m in before if m.role == "system"),
        source=where,
    )


def _turn(turn: _Turn, said: str) -> CaseTurn:
    if not said.strip():
        raise _Bad("这一轮没有用户的话(user)", "a turn without the user's words (user)")
    accepted = [_expected(turn.expect)]
    if turn.alternative is not None:
        several = bool(turn.alternative) and all(isinstance(a, list) for a in turn.alternative)
        for calls in turn.alternative if several else [turn.alternative]:
            accepted.append(_expected(msgspec.convert(calls, list[_Call])))
    return CaseTurn(
        said,
        tuple(accepted),
        frozenset(turn.optional),
        turn.forbidden,
        turn.approval,
        tuple((t,) if isinstance(t, str) else tuple(t) for t in turn.reply_has),
        tuple(s for t in turn.reply_lacks for s in ([t] if isinstance(t, str) else t)),
    )


def _expected(calls: Sequence[_Call]) -> tuple[ExpectedCall, ...]:
    return tuple(ExpectedCall(c.name, c.arguments) for c in calls)


def _earlier(messages: Iterator[_Message]) -> Iterator[Earlier]:
    names: dict[str, str] = {}
    for m in messages:
        calls = tuple(
            _call_text(c, f"call_{len(names) + i}") for i, c in enumerate(m.tool_calls or m.calls)
        )
        names.update({c.id: c.name for c in calls})
        if m.role != "tool":
            yield Earlier(Message(m.role, m.content or "", calls))
            continue
        call = m.tool_call_id or next(reversed(names), "")
        try:
            result = json.loads(m.content or "null")
        except ValueError:
            result = None
        message = Message("tool", m.content or "", call_id=call)
        yield Earlier(message, m.name or names.get(call, ""), result)


def _call_text(call: Mapping[str, Any], default_id: str) -> CallText:
    """A call as OpenAI writes it, or plainly with ``name`` and ``arguments``."""
    inner = call.get("function", call)
    arguments = inner.get("arguments", {})
    text = arguments if isinstance(arguments, str) else dumps(arguments)
    return CallText(str(call.get("id", default_id)), str(inner.get("name", "")), text)


def _oddities(data: Mapping[str, Any]) -> Iterator[Text]:
    """What is probably a slip: keys and matchers that nothing reads."""
    turns = data.get("turns", [])
    known = {f for s in (_Line, _Turn) for f in s.__struct_fields__}
    for key in sorted({*data, *(k for t in turns for k in t)} - known):
        yield Text(f"不认识 “{key}”,没有用到", f"no such key “{key}”; it was not used")
    for turn in turns or [data]:
        for call in _flat([turn.get("expect"), turn.get("alternative")]):
            for name, value in call.get("arguments", {}).items():
                if isinstance(value, dict) and not is_matcher(value):
                    kinds = ", ".join(sorted(MATCHERS))
                    yield Text(
                        f"{name} 的值按普通对象比较;匹配方式有 {kinds}",
                        f"{name} is compared as a plain object; the matchers are {kinds}",
                    )


def _flat(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, list):
        for v in value:
            yield from _flat(v)
    elif isinstance(value, dict):
        yield value
