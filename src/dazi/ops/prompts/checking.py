"""What is wrong with a version before anybody is answered by it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from dazi.core.errors import CallerError
from dazi.core.language import Language, Text
from dazi.core.tools import Tool
from dazi.ops.prompts.model import LANGUAGES, Content
from dazi.prompt.system import PLACEHOLDERS

LONGEST = 8_000
"""Characters of a text."""
LONGEST_TOOL = 1_000
"""Characters of a tool's description."""
LONGEST_NOTE = 500
ROOM = 0.5
"""Of the model's context, what the text may take at the most: the rest is for the conversation."""
_BRACES = re.compile(r"\{\{|\}\}|\{([^{}\n]*)\}|[{}]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Control characters, those that turn the direction of what is seen, and ends of lines that no editor
shows."""

Measure = Callable[[str], int]
"""How many tokens a text has."""


@dataclass(frozen=True, slots=True)
class Limits:
    """``context``: of the model, 0 where it is not known."""

    tools: Mapping[str, Tool]
    context: int = 0
    measure: Measure = len


@dataclass(frozen=True, slots=True)
class Problem:
    """``part`` as in a ``Difference``; ``line`` from 1, 0: the whole."""

    part: str
    what: Text
    line: int = 0


def problems(content: Content, limits: Limits) -> list[Problem]:
    """All of them, in the order of the parts."""
    found: list[Problem] = []
    for language in LANGUAGES:
        text = content.zh if language == "zh" else content.en
        if text:
            found += _of_text(language, text, limits)
    for name, said in content.tools.items():
        found += _of_tool(name, said, limits)
    return found


def require(content: Content, note: str, limits: Limits) -> None:
    """Raises ``CallerError`` for the first problem, and says how many more there are."""
    found = problems(content, limits)
    if len(note) > LONGEST_NOTE:
        found.append(Problem("note", _too_long(len(note), LONGEST_NOTE)))
    if not found:
        return
    first, more = found[0], len(found) - 1
    where = Text(*(f"{first.part}" + (n.format(first.line) if first.line else "") for n in _AT))
    zh = f"{where.zh}:{first.what.zh}" + (f"(还有 {more} 处)" if more else "")
    en = f"{where.en}: {first.what.en}" + (f" ({more} more)" if more else "")
    raise CallerError("prompt", zh, en)


_AT = (" 第 {} 行", ", line {}")


def _of_text(language: Language, text: str, limits: Limits) -> Iterator[Problem]:
    if not text.strip():
        yield Problem(language, Text("是空的", "it is blank"))
        return
    if len(text) > LONGEST:
        yield Problem(language, _too_long(len(text), LONGEST))
    names = set()
    for number, line in enumerate(text.split("\n"), 1):
        for match in _BRACES.finditer(line):
            if match[1] is not None:
                names.add(match[1])
            wrong = _brace(match)
            if wrong is not None:
                yield Problem(language, wrong, number)
        yield from _control(language, line, number)
    if "today" not in names:
        yield Problem(
            language,
            Text(
                "没有 {today}:模型会不知道今天几号",
                "there is no {today}: the model would not know the date",
            ),
        )
    if limits.context:
        tokens, most = limits.measure(text), int(limits.context * ROOM)
        if tokens > most:
            yield Problem(
                language,
                Text(
                    f"有 {tokens} 个词元,模型的上下文是 {limits.context},最多 {most}",
                    f"it has {tokens} tokens; of the model's {limits.context} it may take {most}",
                ),
            )


def _brace(match: re.Match[str]) -> Text | None:
    if match[0] in ("{{", "}}"):
        return None
    if match[1] is None:
        return Text(
            f"单独的 {match[0]};要写括号本身就写两个",
            f"a lone {match[0]}; for the brace itself write two",
        )
    if match[1] in PLACEHOLDERS:
        return None
    known = ", ".join(f"{{{p}}}" for p in PLACEHOLDERS)
    return Text(f"不认识 {match[0]};可用:{known}", f"unknown {match[0]}; there are: {known}")


def _of_tool(name: str, text: Text, limits: Limits) -> Iterator[Problem]:
    part = f"tool:{name}"
    if name not in limits.tools:
        yield Problem(part, Text("没有这个工具", "there is no such tool"))
        return
    for language in LANGUAGES:
        # Nothing in one language would be told in the other.
        said, at = (text.zh if language == "zh" else text.en), f"{part}:{language}"
        if not said.strip():
            yield Problem(at, Text("是空的", "it is blank"))
        if len(said) > LONGEST_TOOL:
            yield Problem(at, _too_long(len(said), LONGEST_TOOL))
        for number, line in enumerate(said.split("\n"), 1):
            yield from _control(at, line, number)


def _control(part: str, line: str, number: int) -> Iterator[Problem]:
    found = _CONTROL.search(line)
    if found is not None:
        code = f"U+{ord(found[0]):04X}"
        what = Text(f"有看不见的控制字符 {code}", f"there is a control character {code}")
        yield Problem(part, what, number)


def _too_long(n: int, most: int) -> Text:
    return Text(f"有 {n} 个字,最多 {most}", f"it has {n} characters, {most} at the most")
