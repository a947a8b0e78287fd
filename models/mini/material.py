"""What a conversation can be made of: requests, tools, results, answers, drawn from one stream of randomness."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import scenes
import slots
from phrasing import CALL, SLOT, BadPhrasing, Call, Said, fixed_arguments, subject_of

from dazi.agent.taught import COMPARED, fields_of, fields_of_both, filled, holds
from dazi.core.engine import TaughtReply
from dazi.core.language import Language, Text
from dazi.core.tools import Tool
from dazi.prompt.choose import Request, ToolChooser
from dazi.router.declare import load_tools
from dazi.router.derive import derive
from dazi.router.normalise.find import find_durations, find_values

if TYPE_CHECKING:
    from transcript import Transcript

ROOT = Path(__file__).resolve().parents[2]
HARD = {
    "search_knowledge": 3.0,
    "create_ticket": 2.5,
    "search_product": 2.0,
    "send_email": 2.0,
    "update_order_note": 1.7,
    "request_refund": 1.7,
    "query_meeting_room": 1.3,
    "list_orders": 1.3,
}
"""How often a tool is asked for, where others are asked for once."""
PLAIN_FILES = (
    "no_tool",
    "openers",
    "closers",
    "followups",
    "two_calls",
    "acks",
    "cancels",
    "given",
    "hedges",
)
WHEN: dict[tuple[str, str], str] = {
    ("", ""): "",
    ("", "none"): "rows=0",
    ("", "one"): "rows=1",
    ("", "many"): "rows>1",
    ("", "compare"): COMPARED,
    ("search_product", "one"): "rows>0",
    ("get_inventory", "some"): "quantity>0",
    ("get_inventory", "none"): "quantity=0",
    ("fetch_department_budget", "over"): "over>0",
    ("fetch_department_budget", "one"): "remaining>0",
}
"""What the conditions in front of written answers mean of a result; others name a status."""
STATUSES = frozenset({"placed", "packed", "shipped", "delivered", "refunded"})
CONDITIONS = STATUSES | {condition for _, condition in WHEN if condition}
OUTCOMES = frozenset(
    {
        "not_found",
        "forbidden",
        "invalid",
        "timeout",
        "unavailable",
        "rejected",
        "needs_confirmation",
    }
)
LANGUAGES: tuple[Language, ...] = ("zh", "en")
OTHERS = Path(__file__).parent / "others"
"""Tools of other businesses, so that the model learns to read the list that it is given."""

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
PARAMETER_ALIASES = {
    "order_id": ("order_no", "order", "number"),
    "since": ("from_date", "after", "start_date"),
    "status": ("state", "stage"),
    "note": ("text", "remark", "comment"),
    "amount": ("sum", "money"),
    "reason": ("why", "cause", "explanation"),
    "title": ("problem", "summary", "issue"),
    "priority": ("urgency", "level"),
    "sku": ("item_no", "article", "code"),
    "name": ("product", "keyword", "item"),
    "month": ("period", "in_month"),
    "group_by": ("by", "dimension"),
    "top": ("limit", "count", "n"),
    "dept": ("department", "team", "unit"),
    "quarter": ("period", "q"),
    "location": ("office", "site", "city"),
    "date": ("day", "when", "on"),
    "features": ("equipment", "needs", "with"),
    "room": ("room_id", "room_no", "place"),
    "start": ("begin", "from_time", "starts"),
    "end": ("until", "to_time", "ends"),
    "kind": ("type", "sort"),
    "city": ("place", "town", "where"),
    "query": ("question", "topic", "q"),
    "to": ("recipient", "address", "mail_to"),
    "subject": ("heading", "topic"),
    "body": ("content", "message", "text"),
    "transaction_id": ("tx", "transaction", "payment_id"),
}


def completed(name: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """``values`` with what a request leaves to be understood: a mail's subject follows from its text."""
    if name == "send_email" and "body" in values and "subject" not in values:
        return {**values, "subject": subject_of(values["body"])}
    return values


class Material:
    """Makes conversations from one stream of randomness."""

    def __init__(self, seed: int, worker: int = 0) -> None:
        self.rng = random.Random(f"{seed}/{worker}")
        self.tools, _ = load_tools(ROOT / "examples" / "yunshan")
        self.others = load_tools(OTHERS)[0] if (OTHERS / "tools").exists() else {}
        self.every = {**self.others, **self.tools}
        self.chooser = ToolChooser(self.tools.values())
        self.company = Text("云杉商贸", "Yunshan Trading")
        self.files = {language: self._read(language) for language in LANGUAGES}
        self.scope: Scope | None = None
        self.script: Transcript | None = None
        """The conversation that was begun last."""
        self._near: dict[Language, tuple[list[str], list[list[str]]]] = {}

    @property
    def names(self) -> list[str]:
        """Tools that a request may be about: all of the demo company, or those of the list in use."""
        return [x.name for x in self.scope.tools] if self.scope else list(self.tools)

    def pick(self, names: Sequence[str]) -> str:
        """One of ``names``; tools that take free text, which are harder, more often."""
        return self.rng.choices(names, [HARD.get(n, 1.0) for n in names])[0]

    @property
    def requested(self) -> list[str]:
        """Those that a message can ask for by itself."""
        return [n for n in self.names if n != "generate_comparison_chart"]

    def _read(self, language: Language) -> dict[str, Any]:
        base = slots.PHRASINGS
        answers = {n: list(self._replies(n, language)) for n in (*self.tools, "errors")}
        asks: dict[str, list[str]] = {}
        for line in slots.lines(base / f"ask.{language}.txt"):
            slot, _, question = line.partition(":")
            asks.setdefault(slot.strip(), []).append(question.strip())
        named = {kind: slots.lines(base / f"{kind}.{language}.txt") for kind in PLAIN_FILES}
        requests = {n: slots.lines(base / f"{n}.{language}.txt") for n in self.tools} | {
            n: slots.lines(OTHERS / "phrasings" / f"{n}.{language}.txt") for n in self.others
        }
        missing = {n: slots.lines(base / "missing" / f"{n}.{language}.txt") for n in self.tools}
        return {"answers": answers, "ask": asks, "requests": requests, "missing": missing, **named}

    # --- what people say -------------------------------------------------------------------

    def fill(self, text: str, language: Language, tool: Tool | None = None) -> Said:
        """Put values into a line's slots. ``tool`` is needed where a slot is filled from a parameter's pattern."""
        rng = self.rng
        values: dict[str, Any] = {}
        start, end = slots.times(rng, language)
        pair = {"start": start, "end": end}
        out, at = [], 0
        style = rng.random()

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

        for match in SLOT.finditer(text):
            out.append(plain(text[at : match.start()]))
            at = match.end()
            slot, of, inline, literal = match[1], match[2], match[3], match[4]
            if inline:
                values[inline] = literal
                out.append(literal)
                continue
            base = of or slot.rstrip("0123456789")
            if base in pair:
                filled = pair[base]
            elif base == "id":
                filled = self._id(tool, slot)
            elif base in slots.FILL:
                filled = slots.FILL[base](rng, language)
            else:
                raise BadPhrasing(f"unknown slot {slot}")
            for _ in range(9):
                if filled.value not in values.values() or base in pair or base == "id":
                    break
                filled = slots.FILL[base](rng, language)
            if base == "duration":
                slot = "end"
            if filled.value is not None:
                values[slot] = filled.value
            before = "".join(out[-2:])[-1:]
            glued = before.isascii() and before.isalnum() and filled.said[:1].isascii()
            out.append(" " * glued + filled.said)
        out.append(plain(text[at:]))
        return Said("".join(out).strip(), values)

    def _id(self, tool: Tool | None, parameter: str) -> slots.Slot:
        p = tool.parameter(parameter) if tool else None
        if p is None or not p.pattern:
            raise BadPhrasing(f"{parameter} has no pattern")
        return slots.of_pattern(self.rng, p.pattern)

    def line(self, file: str, language: Language) -> str:
        """A line of one of the files that hold whole messages, about tools of the list in use."""
        lines: list[str] = self.files[language][file]
        if self.scope and file in ("two_calls", "followups"):
            here = set(self.names)
            lines = [line for line in lines if _tools_of(file, line) <= here]
        if self.scope and file == "no_tool" and self.rng.random() < 0.7:
            here = set(self.names)
            lines = [
                x for x, t in zip(*self.near(language), strict=True) if set(t) <= here
            ] or lines
        if not lines:
            raise BadPhrasing(f"no {file} in {language}")
        return self.rng.choice(lines)

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
        if rng.random() < 0.05 and files["hedges"]:
            text = rng.choice(files["hedges"]) + gap + text
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
        if needed and set(needed) <= set(self.others):
            names = list(needed) + rng.sample(
                sorted(set(self.others) - set(needed)), rng.choice((2, 3, 3, 4))
            )
            rng.shuffle(names)
            return [self.every[n] for n in names]
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

    def chosen(self, name: str, language: Language) -> list[Tool]:
        """The tools that the product would offer for some request about ``name``, whoever asks."""
        text, _ = self.request(name, language)
        role = self.rng.choice(sorted(self.tools[name].roles))
        return list(
            self.chooser.choose(
                Request(text), lambda t: role in t.roles, 5, narrow=self.rng.random() < 0.7
            ).offered
        )

    def near(self, language: Language) -> tuple[list[str], list[list[str]]]:
        """Messages that no tool is for, and the tools that the product would offer with each.

        Small talk alone is easy: its tools have nothing to do with it. In service the offered tools are always the
        nearest, so the model must learn to leave those alone too.
        """
        if language not in self._near:
            lines = self.files[language]["no_tool"]
            chosen = (
                self.chooser.choose(
                    Request(self.fill(line.partition("=>")[0], language).text),
                    lambda _: True,
                    5,
                    narrow=True,
                ).offered
                for line in lines
            )
            self._near[language] = lines, [[t.name for t in tools] for tools in chosen]
        return self._near[language]

    def call(self, name: str, values: Mapping[str, Any]) -> Call:
        tool = self.every[name]
        unknown = [k for k in values if tool.parameter(k) is None]
        if unknown:
            raise BadPhrasing(f"{name} takes no {unknown[0]}")
        values = completed(name, values)
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

    def request(self, name: str, language: Language, line: str = "") -> tuple[str, Call]:
        """A message that asks for tool ``name``, and the call that it means; made from ``line`` if one is given."""
        lines = self.files[language]["requests"][name]
        if not lines:
            raise BadPhrasing(f"no phrasings of {name} in {language}")
        line = line or self.rng.choice(lines)
        text, fixed = fixed_arguments(line)
        try:
            said = self.fill(text, language, self.every[name])
            call = self.call(name, {**said.values, **fixed})
            self.findable(call, said.text)
            return said.text, call
        except BadPhrasing as e:
            raise BadPhrasing(f"{name}.{language}: {line}: {e}") from None

    def findable(self, call: Call, text: str) -> None:
        """What is to be copied must be among what the product will offer for copying."""
        for p in self.every[call.name].parameters:
            # Amounts are copied as numbers, like any other; their words are found by value.
            if p.format in (None, "money") or p.name not in call.arguments:
                continue
            spans = [s.text for s in find_values(p.format, text, date(2025, 6, 2))]
            spans += [s.text for s in find_durations(text)] if p.after else []
            if str(call.arguments[p.name]) not in spans:
                raise BadPhrasing(f"{call.arguments[p.name]} is not found")

    def two(self, language: Language, line: str = "") -> tuple[str, list[Call]]:
        """A message that asks for two things at once, and both calls."""
        line = line or self.line("two_calls", language)
        text, _, right = line.partition("=>")
        said = self.fill(text.strip(), language)
        calls = []
        for name, inside in CALL.findall(right):
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

    def _replies(self, name: str, language: Language) -> Iterator[TaughtReply]:
        """The written answers about a tool, ``condition|condition: text`` a line, in the product's form."""
        for line in slots.lines(slots.PHRASINGS / "answers" / f"{name}.{language}.txt"):
            head, _, text = line.partition(":")
            known = OUTCOMES if name == "errors" else CONDITIONS
            if not set(head.split("|")) <= known:
                head, text = "", line
            for condition in head.split("|"):
                if name == "errors":
                    yield TaughtReply("", condition, text.strip())
                    continue
                own = (name, condition) if (name, condition) in WHEN else ("", condition)
                when = WHEN.get(own, f"status={condition}")
                yield TaughtReply(name, when, _by_kind(name, when, text))

    def answer(self, name: str, result: Mapping[str, Any], language: Language) -> str:
        fields = fields_of(self.tools[name], result)
        replies = [r for r in self.files[language]["answers"][name] if r.when != COMPARED]
        return self._pick([r.text for r in replies if holds(r.when, fields)], fields)

    def compared(self, name: str, results: Sequence[Mapping[str, Any]], language: Language) -> str:
        fields = fields_of_both(self.tools[name], *results)
        replies = self.files[language]["answers"][name]
        return self._pick([r.text for r in replies if r.when == COMPARED], fields)

    def failure(self, outcome: str, language: Language) -> str:
        """What is said about a call that came to nothing."""
        replies = self.files[language]["answers"]["errors"]
        return self._pick([r.text for r in replies if r.when == outcome], {})

    def _pick(self, texts: Sequence[str], fields: Mapping[str, Any]) -> str:
        fitting = [text for text in (filled(t, fields) for t in texts) if text is not None]
        if not fitting:
            raise BadPhrasing(f"no answer to {sorted(fields)}")
        return self.rng.choice(fitting)


@cache
def _tools_of(file: str, line: str) -> frozenset[str]:
    """The tools that a line of ``two_calls`` or ``followups`` speaks of."""
    if file == "followups":
        return frozenset({line.partition(":")[0].strip()})
    return frozenset(name for name, _ in CALL.findall(line.partition("=>")[2]))


def _by_kind(name: str, when: str, text: str) -> str:
    """Leave is written by its kinds: ``{annual}`` is the days of the row of that kind."""
    text = text.strip()
    if name == "get_leave_balance":
        text = re.sub(r"\{(annual|sick|parental)\}", r"{kind=\1.days}", text)
        if when == "rows=1":
            text = re.sub(r"\{(kind_text|days)\}", r"{first.\1}", text)
    return text


@dataclass(frozen=True)
class Scope:
    """The tool list that a family of conversations shares, with the tools' and parameters' names in it."""

    tools: tuple[Tool, ...]
    language: Language
    names: Mapping[str, str]
    parameters: Mapping[tuple[str, str], str]
