"""A conversation being written down, turn by turn, with the weight of each piece in the loss."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from material import ALIASES, PARAMETER_ALIASES
from phrasing import Call

from dazi.core.language import Language
from dazi.core.tools import Tool
from dazi.inference import template as t
from dazi.prompt.system import system_text
from dazi.router.derive import compare
from dazi.router.view import model_view

if TYPE_CHECKING:
    from material import Material

Segment = tuple[str, float]
VALUE_WEIGHT = 2.0
DECISION_WEIGHT = 3.0
"""Whether there is a call or a sentence in its place, and whether another call follows."""


class Transcript:
    """A conversation being written: context has no loss, what the assistant says has.

    ``messages`` are the same as data, as datasets for tuning hold them."""

    def __init__(self, maker: Material, language: Language, tools: Sequence[Tool]) -> None:
        self.maker, self.language, self.tools = maker, language, tools
        self.messages: list[dict[str, Any]] = []
        maker.script = self
        self.today = date(2025, 1, 1) + timedelta(days=maker.rng.randrange(900))
        self.names = {tool.name: tool.name for tool in tools}
        self.parameters: dict[tuple[str, str], str] = {}
        if maker.scope is not None:
            self.names = dict(maker.scope.names)
            self.parameters = dict(maker.scope.parameters)
        else:
            self.rename(tools)
        system = system_text(language, maker.company, self.today, frozenset(), concise=True)
        listed = "".join(
            "\n" + t.tool_json(self.names[x.name], x.description(language), self._schema(x))
            for x in tools
        )
        self.segments: list[Segment] = [
            (f"{t.START}system\n{system}\n\n{t.TOOLS_HEAD}{listed}{t.TOOLS_TAIL}{t.END}\n", 0.0)
        ]

    def rename(self, tools: Sequence[Tool]) -> None:
        """Now and then other names for the same things, so that the list has to be read."""
        rng = self.maker.rng
        for tool in tools:
            if tool.name in ALIASES and rng.random() < 0.07:
                self.names[tool.name] = rng.choice(ALIASES[tool.name])
                for p in tool.parameters:
                    if p.name in PARAMETER_ALIASES and rng.random() < 0.6:
                        alias = rng.choice(PARAMETER_ALIASES[p.name])
                        if alias not in (q.name for q in tool.parameters):
                            self.parameters[tool.name, p.name] = alias
            same = [a for (n, _), a in self.parameters.items() if n == tool.name]
            if len(set(same)) < len(same):
                self.parameters = {k: v for k, v in self.parameters.items() if k[0] != tool.name}

    def _schema(self, tool: Tool) -> dict[str, Any]:
        schema = tool.schema(self.language, concise=True)
        said = {p.name: self.parameters.get((tool.name, p.name), p.name) for p in tool.parameters}
        return {
            **schema,
            "properties": {said[k]: v for k, v in schema["properties"].items()},
            "required": [said[k] for k in schema["required"]],
        }

    def _arguments(self, call: Call) -> dict[str, Any]:
        return {self.parameters.get((call.name, k), k): v for k, v in call.arguments.items()}

    def user(self, text: str) -> None:
        self.messages.append({"role": "user", "content": text})
        self.segments.append((f"{t.START}user\n{text}{t.END}\n", 0.0))

    def says(self, text: str) -> None:
        self.messages.append({"role": "assistant", "content": text})
        decided = not self.segments[-1][0].endswith(f"{t.RESPONSE_TAIL}{t.END}\n")
        self.segments += [
            (f"{t.START}assistant\n", 0.0),
            (text[:1], DECISION_WEIGHT if decided else 1.0),
            (f"{text[1:]}{t.END}", 1.0),
            ("\n", 0.0),
        ]

    def small_talk(self, file: str) -> None:
        """A message of ``file`` that wants no call, and its plain reply."""
        maker = self.maker
        text, _, reply = maker.line(file, self.language).partition("=>")
        text = maker.fill(text.strip(), self.language).text if "{" in text else text.strip()
        self.user(text if maker.rng.random() < 0.75 else maker.around(text, self.language))
        self.says(reply.strip())

    def told(self, text: str) -> None:
        """What the host says in the assistant's place: nothing to learn from."""
        self.messages.append({"role": "assistant", "content": text, "learn": False})
        self.segments.append((f"{t.START}assistant\n{text}{t.END}\n", 0.0))

    def calls(self, calls: Sequence[Call], learn: bool = True) -> None:
        one = float(learn)
        told = [{"name": c.name, "arguments": dict(c.arguments)} for c in calls]
        self.messages.append({"role": "assistant", "tool_calls": told, "learn": learn})
        self.segments.append((f"{t.START}assistant\n", 0.0))
        for i, call in enumerate(calls):
            self.segments += [
                ("\n" * bool(i) + t.CALL_HEAD, one * DECISION_WEIGHT),
                (self.names[call.name], one * VALUE_WEIGHT),
                (t.CALL_MIDDLE, one),
                (t.dumps(self._arguments(call)), one * VALUE_WEIGHT),
                (t.CALL_TAIL, one),
            ]
        self.segments += [(t.END, one * DECISION_WEIGHT), ("\n", 0.0)]

    def responses(self, contents: Sequence[Any]) -> None:
        self.messages += [{"role": "tool", "content": t.dumps(c)} for c in contents]
        body = "".join(f"\n{t.RESPONSE_HEAD}{t.dumps(c)}{t.RESPONSE_TAIL}" for c in contents)
        self.segments.append((f"{t.START}user{body}{t.END}\n", 0.0))

    def resolved(self, calls: Sequence[Call]) -> str:
        """Results of ``calls`` go in; the sentence about them comes back."""
        maker, language = self.maker, self.language
        results = [maker.result(c, language, self.today) for c in calls]
        views: list[Any] = [
            {"error": "not_found"}
            if r is None
            else model_view(maker.tools[c.name], r, concise=True)
            for c, r in zip(calls, results, strict=True)
        ]
        found = [r for r in results if r is not None]
        same = len(calls) == 2 and calls[0].name == calls[1].name and len(found) == 2
        tool = maker.tools[calls[0].name]
        filled = same and all(r.get(tool.result.rows, True) for r in found)
        if filled and tool.result.compare:
            difference = compare(tool, found)
            if difference:
                views[-1]["comparison"] = difference
            answer = maker.compared(tool.name, found, language)
        else:
            parts = [
                maker.answer(c.name, r, language)
                if r is not None
                else maker.failure("not_found", language)
                for c, r in zip(calls, results, strict=True)
            ]
            answer = ("" if language == "zh" else " ").join(parts)
        self.responses(views)
        return answer
