"""Conversations of several messages: questions back, follow-ups, thanks, changes of subject, confirmations."""

from __future__ import annotations

from typing import Any

import slots
from material import Material, completed
from phrasing import BadPhrasing, Call, Said, fixed_arguments
from transcript import Segment, Transcript

from dazi.core.language import Language
from dazi.router.wording import outcome_text


def missing_request(
    maker: Material, language: Language, written: tuple[str, str] | None = None
) -> tuple[str, str, dict[str, Any], str]:
    """A request that lacks something required: tool, message, what it gives, and the first thing lacking.

    Made from ``written``, a tool and a line of its file, if given.
    """
    files = maker.files[language]
    if written is None:
        name = maker.rng.choice(
            [n for n, lines in files["missing"].items() if lines and n in maker.names] or [""]
        )
        if not name:
            raise BadPhrasing("no missing phrasings")
        written = name, maker.rng.choice(files["missing"][name])
    name, whole = written
    line, fixed = fixed_arguments(whole)
    said = maker.fill(line, language)
    given = dict(completed(name, {**said.values, **fixed}))
    tool = maker.tools[name]
    unknown = [k for k in given if tool.parameter(k) is None]
    lacking = [p.name for p in tool.parameters if p.required and p.name not in given]
    if unknown or not lacking or lacking[0] not in files["ask"]:
        raise BadPhrasing(f"missing/{name}.{language}: {line}: {unknown} {lacking}")
    return name, said.text, given, lacking[0]


def asks_back(maker: Material, language: Language) -> list[Segment]:
    """A required argument is missing: one short question a time; then, often, the answers or a change of mind."""
    name, _, _, _ = request = missing_request(maker, language)
    script = Transcript(maker, language, maker.offered([name]))
    _ask_back(maker, script, language, request)
    return script.segments


def _ask_back(
    maker: Material,
    script: Transcript,
    language: Language,
    request: tuple[str, str, dict[str, Any], str],
) -> None:
    name, text, given, slot = request
    files = maker.files[language]
    script.user(maker.around(text, language))
    script.says(maker.rng.choice(files["ask"][slot]))
    roll = maker.rng.random()
    if roll < 0.15 and files["cancels"]:
        script.small_talk("cancels")
    elif roll < 0.75:
        _hand_over(maker, script, language, name, given)


def _hand_over(
    maker: Material, script: Transcript, language: Language, name: str, given: dict[str, Any]
) -> None:
    """The person gives what is lacking, all at once or piece by piece; then the call is made."""
    rng, files = maker.rng, maker.files[language]
    lacking = [p.name for p in maker.tools[name].parameters if p.required and p.name not in given]
    start, end = slots.times(rng, language)
    gap = "," if language == "zh" else ", "
    while lacking:
        count = len(lacking) if rng.random() < 0.35 else 1
        if lacking[:2] == ["start", "end"]:
            count = max(count, 2)
        if "start" in lacking[:count] and lacking[:count][-1] == "start":
            count += 1
        asked, lacking = lacking[:count], lacking[count:]
        if "end" in asked and "start" not in asked:
            raise BadPhrasing("an end without its start")
        said = []
        for slot in asked:
            if slot == "end":
                continue
            if slot == "start":
                joint = rng.choice(
                    ("到", "-", "至") if language == "zh" else (" to ", " - ", " until ")
                )
                said.append(start.said + joint + end.said)
                given = {**given, "start": start.value, "end": end.value}
                continue
            filled = slots.FILL[slot](rng, language)
            mark = rng.choice(MARKS[language].get(slot, ("{}",))) if len(asked) > 1 else "{}"
            said.append(mark.format(filled.said))
            given = {**given, slot: filled.value}
        text = gap.join(said)
        frame = rng.choice(files["given"]) if files["given"] and rng.random() < 0.6 else "{}"
        script.user(frame.replace("{}", text, 1))
        if lacking:
            script.says(rng.choice(files["ask"][lacking[0]]))
    call = maker.call(name, given)
    script.calls([call])


MARKS: dict[Language, dict[str, tuple[str, ...]]] = {
    "zh": {
        "subject": ("主题{}", "标题:{}", "标题是{}", "主题写{}"),
        "body": ("正文:{}", "内容写{}", "正文写:{}", "说{}", "内容是{}"),
        "reason": ("原因是{}", "理由:{}", "因为{}", "{}"),
        "note": ("备注{}", "写:{}", "写上{}", "{}"),
    },
    "en": {
        "subject": ("subject {}", "subject: {}", "title: {}"),
        "body": ("body: {}", "text: {}", "saying {}", "say {}"),
        "reason": ("reason: {}", "because {}", "{}"),
        "note": ("note: {}", "write {}", "it should say {}", "{}"),
    },
}


ABOUT_ORDERS = ("get_order_status", "update_order_note", "request_refund")
"""What is said of one order can lean on any of these."""


def _complete(maker: Material, name: str, said: Said) -> bool:
    """Is the order's number all that the message takes from before?"""
    required = {p.name for p in maker.tools[name].parameters if p.required}
    return required <= {"order_id", *said.values}


def followup(
    maker: Material, language: Language, line: str = ""
) -> tuple[str, str, dict[str, Any], str]:
    """A line that leans on a call before: the tool it calls, the tool that went before, its own values, its text."""
    line, fixed = fixed_arguments(line or maker.line("followups", language))
    name, _, rest = line.partition(":")
    name = name.strip()
    if name not in maker.tools:
        raise BadPhrasing(f"followups.{language}: {line}: no tool {name}")
    said = maker.fill(rest.strip(), language)
    first = {
        "book_room": "query_meeting_room",
        "generate_comparison_chart": "query_sales_data",
    }.get(name, name)
    if name == "book_room" and not {"room", "start", "end"} <= said.values.keys():
        first = "book_room"
    if name in ABOUT_ORDERS and "order_id" not in said.values and _complete(maker, name, said):
        first = maker.rng.choice((name, *ABOUT_ORDERS))
    return name, first, {**said.values, **fixed}, said.text


def _carried(maker: Material, name: str, before: Call, own: dict[str, Any]) -> Call:
    """The follow-up's call: what the call before had, and what the person now says instead."""
    known = {p.name for p in maker.tools[name].parameters}
    if name != before.name and name in ABOUT_ORDERS:
        known = {"order_id"}
    carried = {k: v for k, v in before.arguments.items() if k in known}
    if name == "get_leave_balance" and "kind" not in own:
        carried = {}
    return maker.call(name, {**carried, **own})


def followed(maker: Material, language: Language) -> list[Segment]:
    """A second message that leans on the first call."""
    name, first, own, said = followup(maker, language)
    text, call = maker.request(first, language)
    second = _carried(maker, name, call, own)
    script = Transcript(maker, language, maker.offered([name, first]))
    script.user(maker.around(text, language))
    script.calls([call])
    script.says(script.resolved([call]))
    script.user(said)
    script.calls([second])
    if maker.rng.random() < 0.2:
        script.says(script.resolved([second]))
    return script.segments


def chained(maker: Material, language: Language) -> list[Segment]:
    """Three to five messages: requests, what leans on them, thanks, questions back, changes of subject."""
    rng = maker.rng
    script = Transcript(maker, language, maker.offered(maker.requested[:1]))
    before: Call | None = None
    for _ in range(rng.choice((2, 3, 3, 4))):
        roll = rng.random()
        if before is not None and roll < 0.3:
            script.small_talk("acks" if rng.random() < 0.8 else "no_tool")
        elif before is not None and roll < 0.6:
            before = _leaning(maker, script, language, before)
        elif roll < 0.7:
            _ask_back(maker, script, language, missing_request(maker, language))
            before = None
        elif before is None and roll < 0.78:
            script.small_talk("no_tool")
        else:
            text, before = maker.request(rng.choice(maker.requested), language)
            script.user(maker.around(text, language))
            script.calls([before])
            script.says(script.resolved([before]))
    return script.segments


def leant_on(maker: Material, script: Transcript, language: Language, before: Call) -> bool:
    """Whatever came of ``before``, what is said next leans on it; not if nothing does."""
    try:
        _leaning(maker, script, language, before)
    except BadPhrasing:
        return False
    return True


def _leaning(maker: Material, script: Transcript, language: Language, before: Call) -> Call:
    for _ in range(60):
        name, first, own, said = followup(maker, language)
        if first == before.name and name in maker.names and name != "generate_comparison_chart":
            call = _carried(maker, name, before, own)
            script.user(said)
            script.calls([call])
            script.says(script.resolved([call]))
            return call
    raise BadPhrasing("nothing leans on it")


def confirmed(maker: Material, language: Language) -> list[Segment]:
    """A sensitive call waits for a person, who decides; the host speaks in between."""
    sensitive = [
        n for n in maker.names if n in maker.tools and maker.tools[n].effect == "sensitive"
    ]
    if not sensitive:
        raise BadPhrasing("out of scope")
    name = maker.rng.choice(sensitive)
    text, call = maker.request(name, language)
    script = Transcript(maker, language, maker.offered([name]))
    script.user(maker.around(text, language))
    script.calls([call])
    script.responses([{"error": "needs_confirmation"}])
    script.told(outcome_text("needs_confirmation", None, language))
    if maker.rng.random() < 0.6:
        script.user("确认" if language == "zh" else "Confirmed")
        script.calls([call], learn=False)
        script.says(script.resolved([call]))
    else:
        script.user("取消" if language == "zh" else "Cancelled")
        script.calls([call], learn=False)
        script.responses([{"error": "cancelled"}])
        script.told(outcome_text("cancelled", None, language))
    if not (maker.rng.random() < 0.4 and leant_on(maker, script, language, call)):
        script.small_talk("acks" if maker.rng.random() < 0.7 else "no_tool")
    return script.segments
