"""Endless training conversations for the bundled model.

Hand-written phrasings (``phrasings/``) are multiplied by openers, closers, slots from large random
pools, shuffled and varying tool lists, and results that pass through the product's own code.

    python models/mini/generate.py --show 5       # print a few
    python models/mini/generate.py --check        # name phrasings that cannot be used, and why
"""

from __future__ import annotations

import argparse
import random
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT / "src")]

import scenes  # noqa: E402
import slots  # noqa: E402

from dazi.core.language import Language, Text  # noqa: E402
from dazi.core.tools import Tool  # noqa: E402
from dazi.inference import template as t  # noqa: E402
from dazi.prompt.system import system_text  # noqa: E402
from dazi.router.declare import load_tools  # noqa: E402
from dazi.router.derive import compare, derive  # noqa: E402
from dazi.router.normalise.find import find_values  # noqa: E402
from dazi.router.view import model_view  # noqa: E402

BOILERPLATE: list[str] = list(t.BOILERPLATE)
Segment = tuple[str, float]
LANGUAGES: tuple[Language, ...] = ("zh", "en")
VALUE_WEIGHT = 2.0

SIMILAR = (
    ("get_order_status", "list_orders", "update_order_note", "request_refund"),
    ("query_meeting_room", "book_room", "get_weather"),
    ("get_inventory", "search_product", "get_order_status"),
    ("query_sales_data", "fetch_department_budget", "generate_comparison_chart"),
    ("create_ticket", "search_knowledge", "request_refund"),
    ("get_leave_balance", "search_knowledge", "fetch_department_budget"),
    ("send_email", "create_ticket", "update_order_note"),
    ("assess_transaction", "request_refund", "get_order_status"),
)
ALIASES = {
    "get_order_status": ("order_status", "lookup_order", "track_order", "query_order"),
    "list_orders": ("search_orders", "orders", "get_orders"),
    "update_order_note": ("add_order_note", "set_note", "annotate_order"),
    "request_refund": ("refund", "create_refund", "refund_order"),
    "create_ticket": ("open_ticket", "new_ticket", "report_issue"),
    "get_inventory": ("check_stock", "stock_level", "inventory"),
    "search_product": ("find_product", "product_search", "lookup_product"),
    "query_sales_data": ("get_sales", "sales_report", "sales_by_month"),
    "fetch_department_budget": ("get_budget", "department_budget", "budget_lookup"),
    "query_meeting_room": ("find_room", "list_rooms", "search_rooms"),
    "book_room": ("reserve_room", "room_booking", "create_booking"),
    "get_leave_balance": ("leave_balance", "vacation_days", "my_leave"),
    "get_weather": ("weather", "weather_forecast", "forecast"),
    "search_knowledge": ("knowledge_search", "search_docs", "find_policy"),
    "send_email": ("send_mail", "email", "mail_to"),
    "assess_transaction": ("check_transaction", "risk_check", "transaction_risk"),
    "generate_comparison_chart": ("draw_chart", "plot_results", "make_chart"),
}

_SLOT = re.compile(r"\{(\w+)\}|\[\[(\w+):(.+?)\]\]")
_FIXED = re.compile(r"\s\|\s*(\w+\s*=\s*(?:\[[^\]]*\]|[^,\]]+)(?:\s*,\s*\w+\s*=.*)?)$")
_CALL = re.compile(r"(\w+)\(([^)]*)\)")


@dataclass(frozen=True)
class Said:
    """A message and the values of its slots (numbered slots keep their number)."""

    text: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Call:
    name: str
    arguments: Mapping[str, Any]


class BadPhrasing(ValueError):
    """A phrasing that cannot become a training sample."""


def fixed_arguments(line: str) -> tuple[str, dict[str, Any]]:
    """Split ``text | key=value, key=[a,b]``."""
    match = _FIXED.search(line)
    if not match:
        return line, {}
    out: dict[str, Any] = {}
    for key, value in re.findall(r"(\w+)\s*=\s*(\[[^\]]*\]|[^,]+)", match[1]):
        value = value.strip()
        out[key] = [v.strip() for v in value[1:-1].split(",")] if value.startswith("[") else value
        if isinstance(out[key], str) and out[key].isdigit():
            out[key] = int(out[key])
    return line[: match.start()].rstrip(), out


class Maker:
    """Makes conversations from one stream of randomness."""

    def __init__(self, seed: int, worker: int = 0) -> None:
        self.rng = random.Random(f"{seed}/{worker}")
        self.tools, _ = load_tools(ROOT / "examples" / "yunshan")
        self.company = Text("云杉商贸", "Yunshan Trading")
        self.files = {language: self._read(language) for language in LANGUAGES}
        self.problems: Counter[str] = Counter()
        self.scope: Scope | None = None

    @property
    def names(self) -> list[str]:
        """Tools that a request may be about: all, or those of the list now in use."""
        return [x.name for x in self.scope.tools] if self.scope else list(self.tools)

    def _read(self, language: Language) -> dict[str, Any]:
        base = slots.PHRASINGS
        answers: dict[str, list[tuple[str, str]]] = {}
        for name in (*self.tools, "errors"):
            answers[name] = []
            for line in slots.lines(base / "answers" / f"{name}.{language}.txt"):
                condition, found, text = line.partition(":")
                known = found and re.fullmatch(r"[\w|]+", condition)
                answers[name].append((condition, text.strip()) if known else ("", line))
        asks: dict[str, list[str]] = {}
        for line in slots.lines(base / f"ask.{language}.txt"):
            slot, _, question = line.partition(":")
            asks.setdefault(slot.strip(), []).append(question.strip())
        named = {
            kind: slots.lines(base / f"{kind}.{language}.txt")
            for kind in ("no_tool", "openers", "closers", "followups", "two_calls")
        }
        requests = {n: slots.lines(base / f"{n}.{language}.txt") for n in self.tools}
        missing = {n: slots.lines(base / "missing" / f"{n}.{language}.txt") for n in self.tools}
        return {"answers": answers, "ask": asks, "requests": requests, "missing": missing, **named}

    # --- what people say -------------------------------------------------------------------

    def fill(self, text: str, language: Language, noisy: bool = True) -> Said:
        rng = self.rng
        values: dict[str, Any] = {}
        start, end = slots.times(rng, language)
        pair = {"start": start, "end": end}
        out, at = [], 0
        style = rng.random() if noisy else 1.0

        def plain(part: str) -> str:
            if style < 0.12:
                part = re.sub(r"[,。!?、,.!?]", " " if language == "zh" else "", part)
            if language == "en" and style < 0.3:
                part = part.lower()
            if 0.3 < style < 0.36 and len(part) > 5:
                i = rng.randrange(1, len(part) - 2)
                part = part[:i] + rng.choice(
                    (part[i + 1 :], part[i] + part[i:], part[i + 1] + part[i] + part[i + 2 :])
                )
            return part

        for match in _SLOT.finditer(text):
            out.append(plain(text[at : match.start()]))
            at = match.end()
            slot, inline, literal = match[1], match[2], match[3]
            if inline:
                values[inline] = literal
                out.append(literal)
                continue
            base = slot.rstrip("0123456789")
            if base not in slots.FILL and base not in pair:
                raise BadPhrasing(f"unknown slot {slot}")
            filled = pair[base] if base in pair else slots.FILL[base](rng, language)
            for _ in range(9):
                if filled.value not in values.values() or base in pair:
                    break
                filled = slots.FILL[base](rng, language)
            values[slot] = filled.value
            glued = (
                out
                and out[-1][-1:].isalnum()
                and out[-1][-1:].isascii()
                and filled.said[:1].isascii()
            )
            out.append(" " * bool(glued) + filled.said)
        out.append(plain(text[at:]))
        return Said("".join(out).strip(), values)

    def around(self, text: str, language: Language) -> str:
        """The request with the small talk people put around it."""
        rng, files = self.rng, self.files[language]
        gap = "," if language == "zh" else ", "
        if rng.random() < 0.2 and files["openers"]:
            opener = rng.choice(files["openers"])
            text = (
                opener
                + (
                    rng.choice((gap, " ", "。" if language == "zh" else ". "))
                    if opener[-1].isalnum()
                    else " "
                )
                + text
            )
        if rng.random() < 0.13 and files["closers"]:
            text += (gap if text[-1].isalnum() else " ") + rng.choice(files["closers"])
        return text.replace("  ", " ").strip()

    # --- tools -------------------------------------------------------------------------------

    def offered(self, needed: Sequence[str], absent: Sequence[str] = ()) -> list[Tool]:
        if self.scope is not None:
            here = set(self.names)
            if not set(needed) <= here or here & set(absent):
                raise BadPhrasing("out of scope")
            return list(self.scope.tools)
        rng = self.rng
        names = list(dict.fromkeys(needed))
        size = max(len(names), rng.choice((3, 4, 4, 4, 4, 5)))
        near = [n for group in SIMILAR if set(group) & {*needed, *absent} for n in group]
        rng.shuffle(near)
        far = list(self.tools)
        rng.shuffle(far)
        for name in (near[:2] if rng.random() < 0.7 else []) + far:
            if len(names) < size and name not in names and name not in absent:
                names.append(name)
        rng.shuffle(names)
        return [self.tools[n] for n in names]

    def call(self, name: str, values: Mapping[str, Any]) -> Call:
        tool = self.tools[name]
        unknown = [k for k in values if tool.parameter(k) is None]
        if unknown:
            raise BadPhrasing(f"{name} takes no {unknown[0]}")
        arguments = {p.name: values[p.name] for p in tool.parameters if p.name in values}
        lacking = [p.name for p in tool.parameters if p.required and p.name not in arguments]
        if lacking:
            raise BadPhrasing(f"{name} needs {lacking[0]}")
        for p in tool.parameters:
            value = arguments.get(p.name)
            if p.enum and value is not None and value not in p.enum:
                raise BadPhrasing(f"{name}.{p.name} cannot be {value}")
            if (
                p.items
                and value is not None
                and (not isinstance(value, list) or set(value) - set(p.items))
            ):
                raise BadPhrasing(f"{name}.{p.name} cannot be {value}")
        return Call(name, arguments)

    def request(self, name: str, language: Language, noisy: bool = True) -> tuple[str, Call]:
        lines = self.files[language]["requests"][name]
        if not lines:
            raise BadPhrasing(f"no phrasings of {name} in {language}")
        line = self.rng.choice(lines)
        text, fixed = fixed_arguments(line)
        said = self.fill(text, language, noisy)
        try:
            call = self.call(name, {**said.values, **fixed})
            self.findable(call, said.text)
            return said.text, call
        except BadPhrasing as e:
            raise BadPhrasing(f"{name}.{language}: {line}: {e}") from None

    def findable(self, call: Call, text: str) -> None:
        """What is to be copied must be among what the product will offer for copying."""
        for p in self.tools[call.name].parameters:
            if p.format is None or p.name not in call.arguments:
                continue
            spans = [s.text for s in find_values(p.format, text, date(2025, 6, 2))]
            if str(call.arguments[p.name]) not in spans:
                raise BadPhrasing(f"{call.arguments[p.name]} is not found")

    def two(self, language: Language) -> tuple[str, list[Call]]:
        lines = self.files[language]["two_calls"]
        if not lines:
            raise BadPhrasing(f"no two_calls in {language}")
        line = self.rng.choice(lines)
        text, _, right = line.partition("=>")
        said = self.fill(text.strip(), language)
        calls = []
        for name, inside in _CALL.findall(right):
            arguments: dict[str, Any] = {}
            for key, value in re.findall(r"(\w+)\s*=\s*([^,]+)", inside):
                arguments[key] = said.values.get(value.strip().strip("{}"), value.strip())
            if name not in self.tools:
                raise BadPhrasing(f"two_calls.{language}: {line}: no tool {name}")
            calls.append(self.call(name, arguments))
        if len(calls) < 2:
            raise BadPhrasing(f"two_calls.{language}: {line}: fewer than two calls")
        return said.text, calls

    # --- answers -----------------------------------------------------------------------------

    def result(self, call: Call, language: Language, today: date) -> dict[str, Any] | None:
        raw = scenes.raw_result(call.name, call.arguments, self.rng, language, today)
        if raw is None:
            return None
        return derive(self.tools[call.name], raw, {}, language, today)

    def answer(self, name: str, result: Mapping[str, Any], language: Language) -> str:
        tool = self.tools[name]
        fields = dict(result)
        rows = result.get(tool.result.rows) if tool.result.shape == "many" else None
        conditions = {""}
        if isinstance(rows, list):
            conditions.add(("none", "one")[len(rows)] if len(rows) < 2 else "many")
            fields |= {f"first.{k}": v for k, v in (rows[0] if rows else {}).items()}
            if len(rows) > 1 and name == "search_product":
                conditions = {"", "one"}
            fields |= {r["kind"]: r["days"] for r in rows if "kind" in r}
            if name == "get_leave_balance" and len(rows) == 1:
                fields |= {"kind_text": rows[0]["kind_text"], "days": rows[0]["days"]}
        if "status" in result:
            conditions.add(str(result["status"]))
        if name == "get_inventory":
            conditions.add("some" if result["quantity"] else "none")
        if name == "fetch_department_budget":
            conditions = {"over"} if result.get("over") else {"one"}
        return self._answer(name, conditions, fields, language)

    def compared(self, name: str, results: Sequence[Mapping[str, Any]], language: Language) -> str:
        tool = self.tools[name]
        rows = [r[tool.result.rows][0] if tool.result.shape == "many" else r for r in results]
        fields = {
            f"{which}.{k}": v for which, row in zip("ab", rows, strict=True) for k, v in row.items()
        }
        difference = compare(tool, results)
        better = next((v for k, v in difference.items() if k.startswith("higher_")), None)
        if better is not None:
            fields["better"] = better
        return self._answer(name, {"compare"}, fields | difference, language)

    def _answer(
        self, name: str, conditions: set[str], fields: Mapping[str, Any], language: Language
    ) -> str:
        fitting = [
            text
            for condition, text in self.files[language]["answers"][name]
            if (set(condition.split("|")) & conditions if condition else "" in conditions)
            and all(fields.get(m) not in (None, "") for m in re.findall(r"\{([\w.]+)\}", text))
        ]
        if not fitting:
            raise BadPhrasing(f"no answer of {name} in {language} for {sorted(conditions)}")
        return re.sub(r"\{([\w.]+)\}", lambda m: str(fields[m[1]]), self.rng.choice(fitting))

    # --- conversations -------------------------------------------------------------------------

    def document(self) -> list[Segment]:
        """A whole conversation."""
        while True:
            kind = self.rng.choices(list(KINDS), [weight for _, weight in KINDS.values()])[0]
            language: Language = "zh" if self.rng.random() < 0.55 else "en"
            # With a given tool list most phrasings of a rare kind do not fit: try for a while, or
            # those kinds would hardly occur.
            for _ in range(40 if self.scope else 4):
                try:
                    return KINDS[kind][0](self, self.scope.language if self.scope else language)
                except BadPhrasing as e:
                    self.problems[str(e)] += 1

    def family(self, branches: int) -> tuple[str, list[list[Segment]]]:
        """One system turn with its tools, and several independent conversations that follow it.

        A trainer that lets every branch see only the system turn and itself reads the tools once
        instead of once a conversation, which saves more than half of all tokens.
        """
        language: Language = "zh" if self.rng.random() < 0.55 else "en"
        self.scope = None
        needed = [self.rng.choice(list(self.tools))]
        if self.rng.random() < 0.15:  # a chart is asked for only where it is offered
            needed = ["generate_comparison_chart"]
        if needed[0] == "generate_comparison_chart":
            needed.append(self.rng.choice(CHARTED))
        tools = self.offered(needed)
        start = Transcript(self, language, tools)
        prefix = start.segments[0][0].removesuffix("\n")
        self.scope = Scope(tuple(tools), language, start.names)
        try:
            return prefix, [_branch(self.document()) for _ in range(branches)]
        finally:
            self.scope = None


@dataclass(frozen=True)
class Scope:
    """The tool list that a family of conversations shares; ``names`` are the tools' names in it."""

    tools: tuple[Tool, ...]
    language: Language
    names: Mapping[str, str]


def _branch(segments: list[Segment]) -> list[Segment]:
    """A conversation without its system turn, beginning with the line break after that."""
    rest = [("\n", 0.0), *segments[1:]]
    return rest[:-1] if rest[-1][0] == "\n" else rest


class Transcript:
    """A conversation being written: context has no loss, what the assistant says has."""

    def __init__(self, maker: Maker, language: Language, tools: Sequence[Tool]) -> None:
        self.maker, self.language = maker, language
        self.today = date(2025, 1, 1) + timedelta(days=maker.rng.randrange(900))
        self.names = {tool.name: tool.name for tool in tools}
        if maker.scope is not None:
            self.names = dict(maker.scope.names)
        for tool in tools:
            if maker.scope is None and maker.rng.random() < 0.07:
                self.names[tool.name] = maker.rng.choice(ALIASES[tool.name])
        system = system_text(language, maker.company, self.today, frozenset(), concise=True)
        listed = "".join(
            "\n"
            + t.tool_json(
                self.names[x.name], x.description(language), x.schema(language, concise=True)
            )
            for x in tools
        )
        self.segments: list[Segment] = [
            (f"{t.START}system\n{system}\n\n{t.TOOLS_HEAD}{listed}{t.TOOLS_TAIL}{t.END}\n", 0.0)
        ]

    def user(self, text: str) -> None:
        self.segments.append((f"{t.START}user\n{text}{t.END}\n", 0.0))

    def says(self, text: str) -> None:
        self.segments += [(f"{t.START}assistant\n", 0.0), (f"{text}{t.END}", 1.0), ("\n", 0.0)]

    def calls(self, calls: Sequence[Call]) -> None:
        self.segments.append((f"{t.START}assistant\n", 0.0))
        for i, call in enumerate(calls):
            self.segments += [
                ("\n" * bool(i) + t.CALL_HEAD, 1.0),
                (self.names[call.name], VALUE_WEIGHT),
                (t.CALL_MIDDLE, 1.0),
                (t.dumps(dict(call.arguments)), VALUE_WEIGHT),
                (t.CALL_TAIL, 1.0),
            ]
        self.segments += [(t.END, 1.0), ("\n", 0.0)]

    def responses(self, contents: Sequence[Any]) -> None:
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
                else maker._answer("errors", {"not_found"}, {}, language)
                for c, r in zip(calls, results, strict=True)
            ]
            answer = ("" if language == "zh" else " ").join(parts)
        self.responses(views)
        return answer


def single(maker: Maker, language: Language) -> list[Segment]:
    """One request, one call; often the result and the answer too."""
    name = maker.rng.choice([n for n in maker.names if n != "generate_comparison_chart"])
    text, call = maker.request(name, language)
    script = Transcript(maker, language, maker.offered([name]))
    script.user(maker.around(text, language))
    script.calls([call])
    if maker.rng.random() < 0.35:
        script.says(script.resolved([call]))
    return script.segments


def no_tool(maker: Maker, language: Language) -> list[Segment]:
    """Nothing fits: a plain sentence and no call."""
    lines = maker.files[language]["no_tool"]
    if not lines:
        raise BadPhrasing(f"no no_tool in {language}")
    text, _, reply = maker.rng.choice(lines).partition("=>")
    script = Transcript(maker, language, maker.offered([]))
    script.user(text.strip() if maker.rng.random() < 0.6 else maker.around(text.strip(), language))
    script.says(reply.strip())
    return script.segments


UNFIT = {
    "zh": (
        "抱歉,这件事我没有可用的工具,或者您没有权限。",
        "抱歉,这件事我帮不了,请联系有权限的同事。",
    ),
    "en": (
        "Sorry, I have no tool for that, or you are not allowed to use it.",
        "Sorry, I can't help with that; please ask a colleague who has access.",
    ),
}


def absent(maker: Maker, language: Language) -> list[Segment]:
    """The tool that would fit is not offered: say so rather than call a similar one."""
    name = maker.rng.choice([n for n in maker.tools if not maker.scope or n not in maker.names])
    text, _ = maker.request(name, language)
    script = Transcript(maker, language, maker.offered([], absent=[name]))
    script.user(maker.around(text, language))
    script.says(maker.rng.choice(UNFIT[language]))
    return script.segments


def _missing_request(maker: Maker, language: Language) -> tuple[str, str, dict[str, Any], str]:
    files = maker.files[language]
    name = maker.rng.choice(
        [n for n, lines in files["missing"].items() if lines and n in maker.names] or [""]
    )
    if not name:
        raise BadPhrasing("no missing phrasings")
    line, fixed = fixed_arguments(maker.rng.choice(files["missing"][name]))
    said = maker.fill(line, language)
    given = {**said.values, **fixed}
    tool = maker.tools[name]
    unknown = [k for k in given if tool.parameter(k) is None]
    lacking = [p.name for p in tool.parameters if p.required and p.name not in given]
    if unknown or not lacking or lacking[0] not in files["ask"]:
        raise BadPhrasing(f"missing/{name}.{language}: {line}: {unknown} {lacking}")
    return name, said.text, given, lacking[0]


def asks_back(maker: Maker, language: Language) -> list[Segment]:
    """A required argument is missing: one short question; then, often, the answer to it."""
    name, text, given, slot = _missing_request(maker, language)
    script = Transcript(maker, language, maker.offered([name]))
    script.user(maker.around(text, language))
    script.says(maker.rng.choice(maker.files[language]["ask"][slot]))
    tool = maker.tools[name]
    lacking = [p.name for p in tool.parameters if p.required and p.name not in given]
    if maker.rng.random() < 0.6 and len(lacking) == 1 and slot not in ("start", "end"):
        filled = slots.FILL[slot](maker.rng, language)
        frames = (
            ("{}", "{}", "是{}", "{}这个", "就{}吧")
            if language == "zh"
            else ("{}", "{}", "it's {}", "{} please")
        )
        script.user(maker.rng.choice(frames).format(filled.said))
        script.calls([maker.call(name, {**given, slot: filled.value})])
    return script.segments


def two_calls(maker: Maker, language: Language) -> list[Segment]:
    text, calls = maker.two(language)
    chart = all(c.name == calls[0].name for c in calls) and maker.rng.random() < 0.25
    chart = chart and calls[0].name in (
        "fetch_department_budget",
        "query_sales_data",
        "search_product",
    )
    needed = [c.name for c in calls] + ["generate_comparison_chart"] * chart
    script = Transcript(maker, language, maker.offered(needed))
    drawn = None
    if chart:
        asked, drawn = maker.request("generate_comparison_chart", language)
        text += (",再" if language == "zh" else ", and then ") + asked
    script.user(maker.around(text, language))
    script.calls(calls)
    if maker.rng.random() < 0.5 or drawn:
        answer = script.resolved(calls)
        if drawn:
            script.calls([drawn])
            gap = "" if language == "zh" else " "
            answer = answer + gap + script.resolved([drawn])
        script.says(answer)
    return script.segments


CHARTED = ("query_sales_data", "fetch_department_budget", "search_product", "get_leave_balance")


def charted(maker: Maker, language: Language) -> list[Segment]:
    """Data first, then a chart of it: the second call is proposed when the results are there."""
    here = [n for n in CHARTED if n in maker.names]
    if not here or "generate_comparison_chart" not in maker.names:
        raise BadPhrasing("out of scope")
    name = maker.rng.choice(here)
    text, call = maker.request(name, language)
    calls = [call]
    if maker.rng.random() < 0.4:
        other, second = maker.request(name, language)
        text += (
            maker.rng.choice(
                (",还有", ";", ",再看 ") if language == "zh" else (", and ", "; also ")
            )
            + other
        )
        calls.append(second)
    asked, drawn = maker.request("generate_comparison_chart", language)
    joint = (
        (",", ",再", ",然后", "。", ",并")
        if language == "zh"
        else (", and ", ", then ", ". ", " and ")
    )
    text = (
        f"{asked}{',' if language == 'zh' else ', '}{text}"
        if maker.rng.random() < 0.15
        else text + maker.rng.choice(joint) + asked
    )
    script = Transcript(maker, language, maker.offered([name, "generate_comparison_chart"]))
    script.user(maker.around(text, language))
    script.calls(calls)
    script.resolved(calls)
    script.calls([drawn])
    if maker.rng.random() < 0.6:
        script.says(script.resolved([drawn]))
    return script.segments


def followed(maker: Maker, language: Language) -> list[Segment]:
    """A second message that leans on the first call."""
    lines = maker.files[language]["followups"]
    if not lines:
        raise BadPhrasing(f"no followups in {language}")
    line, fixed = fixed_arguments(maker.rng.choice(lines))
    name, _, rest = line.partition(":")
    name = name.strip()
    if name not in maker.tools:
        raise BadPhrasing(f"followups.{language}: {line}: no tool {name}")
    said = maker.fill(rest.strip(), language)
    first = {
        "book_room": "query_meeting_room",
        "generate_comparison_chart": "query_sales_data",
    }.get(name, name)
    if name == "book_room" and "room" not in said.values:
        first = "book_room"
    text, call = maker.request(first, language)
    known = {p.name for p in maker.tools[name].parameters}
    carried = {k: v for k, v in call.arguments.items() if k in known}
    if name == "get_leave_balance" and not fixed:
        carried = {}
    second = maker.call(name, {**carried, **said.values, **fixed})
    script = Transcript(maker, language, maker.offered([name, first]))
    script.user(maker.around(text, language))
    script.calls([call])
    script.says(script.resolved([call]))
    script.user(said.text)
    script.calls([second])
    if maker.rng.random() < 0.3:
        script.says(script.resolved([second]))
    return script.segments


def changed(maker: Maker, language: Language) -> list[Segment]:
    """A second message about something else altogether."""
    names = [n for n in maker.names if n != "generate_comparison_chart"]
    first, second = maker.rng.sample(names, 2)
    text, call = maker.request(first, language)
    script = Transcript(maker, language, maker.offered([first, second]))
    script.user(maker.around(text, language))
    script.calls([call])
    script.says(script.resolved([call]))
    text, call = maker.request(second, language)
    script.user(maker.around(text, language))
    script.calls([call])
    return script.segments


def failed(maker: Maker, language: Language) -> list[Segment]:
    """The router or the system refuses: a plain sentence."""
    name = maker.rng.choice([n for n in maker.names if n != "generate_comparison_chart"])
    text, call = maker.request(name, language)
    error = maker.rng.choice(
        (
            "not_found",
            "not_found",
            "not_found",
            "forbidden",
            "forbidden",
            "invalid",
            "timeout",
            "unavailable",
            "rejected",
        )
    )
    script = Transcript(maker, language, maker.offered([name]))
    script.user(maker.around(text, language))
    script.calls([call])
    script.responses([{"error": error}])
    script.says(maker._answer("errors", {error}, {}, language))
    return script.segments


KINDS = {
    "single": (single, 50.0),
    "no_tool": (no_tool, 9.0),
    "absent": (absent, 5.0),
    "asks_back": (asks_back, 10.0),
    "two_calls": (two_calls, 9.0),
    "followed": (followed, 8.0),
    "changed": (changed, 4.0),
    "failed": (failed, 5.0),
    "charted": (charted, 10.0),
}


def families(
    seed: int, worker: int = 0, branches: int = 6
) -> Iterator[tuple[str, list[list[Segment]]]]:
    """An endless stream of shared system turns with the conversations that follow each."""
    maker = Maker(seed, worker)
    while True:
        yield maker.family(branches)


def documents(seed: int, worker: int = 0) -> Iterator[list[Segment]]:
    """An endless stream of conversations as (text, loss weight) segments in order."""
    maker = Maker(seed, worker)
    while True:
        yield maker.document()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--show", type=int, default=0, metavar="N", help="print N conversations")
    parser.add_argument("--check", action="store_true", help="list phrasings that cannot be used")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    maker = Maker(options.seed)
    for _ in range(options.show):
        print("".join(text for text, _ in maker.document()), end="\n---\n")
    if options.check:
        for _ in range(60_000):
            maker.document()
        for problem, count in maker.problems.most_common():
            print(count, problem)
        print(f"{len(maker.problems)} kinds of problems")


if __name__ == "__main__":
    main()
