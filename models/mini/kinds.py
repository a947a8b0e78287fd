"""The kinds of conversations and how often each occurs."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import slots
from material import Material, completed
from phrasing import BadPhrasing, Call, fixed_arguments
from transcript import Segment, Transcript

from dazi.core.language import Language
from dazi.router.wording import outcome_text


def single(maker: Material, language: Language) -> list[Segment]:
    """One request, one call; often the result and the answer too."""
    name = maker.rng.choice(_requested(maker))
    text, call = maker.request(name, language)
    script = Transcript(maker, language, maker.offered([name]))
    script.user(maker.around(text, language))
    script.calls([call])
    if name in maker.tools and maker.rng.random() < 0.25:
        script.says(script.resolved([call]))
    return script.segments


def _requested(maker: Material) -> list[str]:
    """Tools of the list that a message can ask for by itself."""
    return [n for n in maker.names if n != "generate_comparison_chart"]


def no_tool(maker: Material, language: Language) -> list[Segment]:
    """Nothing fits: a plain sentence and no call."""
    script = Transcript(maker, language, maker.offered([]))
    _small_talk(maker, script, language, "no_tool")
    return script.segments


def _small_talk(maker: Material, script: Transcript, language: Language, file: str) -> None:
    """A message of ``file`` that wants no call, and its plain reply."""
    text, _, reply = maker.line(file, language).partition("=>")
    text = text.strip()
    script.user(text if maker.rng.random() < 0.75 else maker.around(text, language))
    script.says(reply.strip())


NEAR_ALL = {"create_ticket", "search_knowledge", "send_email"}
"""Tools that another company's requests may well be meant for."""


def foreign(maker: Material, language: Language) -> list[Segment]:
    """Something that some other company's assistant could do."""
    if not maker.others or not set(maker.names) <= set(maker.tools) or NEAR_ALL & set(maker.names):
        raise BadPhrasing("out of scope")
    text, _ = maker.request(maker.rng.choice(sorted(maker.others)), language)
    script = Transcript(maker, language, maker.offered([]))
    script.user(maker.around(text, language))
    script.says(maker.rng.choice(UNFIT[language]))
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


def absent(maker: Material, language: Language) -> list[Segment]:
    """The tool that would fit is not offered: say so rather than call a similar one."""
    here = set(maker.names)
    everywhere = here <= set(maker.others) and bool(here)
    if not everywhere and maker.scope is None:
        here = set()
    name = maker.rng.choice(
        [n for n in maker.tools if n not in here and not (everywhere and n in NEAR_ALL)]
    )
    text, _ = maker.request(name, language)
    script = Transcript(maker, language, maker.offered([], absent=[name]))
    script.user(maker.around(text, language))
    script.says(maker.rng.choice(UNFIT[language]))
    return script.segments


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
        _small_talk(maker, script, language, "cancels")
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


JOINTS: dict[Language, tuple[str, ...]] = {
    "zh": (
        ",顺便",
        ",还有",
        "。另外",
        ",再",
        ";",
        ",然后",
        "。对了,",
        ",顺手",
        " ",
        ",同时",
        ",以及",
        "?再就是",
    ),
    "en": (", and ", ". Also ", ", also ", "; ", " and then ", ". Oh and ", ", plus ", ". ", " & "),
}
_ENDING = re.compile(r"[。.!,,\s]+$")
LONGEST_JOINED = {"zh": 45, "en": 110}


def joined(maker: Material, language: Language) -> list[Segment]:
    """Two requests about different things in one message: two calls in one turn."""
    first, second = maker.rng.sample(_requested(maker), 2)
    (text, one), (more, two) = maker.request(first, language), maker.request(second, language)
    if max(len(text), len(more)) > LONGEST_JOINED[language]:
        raise BadPhrasing("too long")
    joint = maker.rng.choice(JOINTS[language])
    text = _ENDING.sub("", text)
    script = Transcript(maker, language, maker.offered([first, second]))
    script.user(maker.around(text + joint + more, language))
    script.calls([one, two])
    if {first, second} <= set(maker.tools) and maker.rng.random() < 0.15:
        script.says(script.resolved([one, two]))
    return script.segments


def two_calls(maker: Material, language: Language) -> list[Segment]:
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
    if maker.rng.random() < 0.3 or drawn:
        answer = script.resolved(calls)
        if drawn:
            script.calls([drawn])
            gap = "" if language == "zh" else " "
            answer = answer + gap + script.resolved([drawn])
        script.says(answer)
    return script.segments


CHARTED = ("query_sales_data", "fetch_department_budget", "search_product", "get_leave_balance")


def charted(maker: Material, language: Language) -> list[Segment]:
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
    if name == "book_room" and "room" not in said.values:
        first = "book_room"
    return name, first, {**said.values, **fixed}, said.text


def _carried(maker: Material, name: str, before: Call, own: dict[str, Any]) -> Call:
    """The follow-up's call: what the call before had, and what the person now says instead."""
    known = {p.name for p in maker.tools[name].parameters}
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
    script = Transcript(maker, language, maker.offered(_requested(maker)[:1]))
    before: Call | None = None
    for _ in range(rng.choice((2, 3, 3, 4))):
        roll = rng.random()
        if before is not None and roll < 0.3:
            _small_talk(maker, script, language, "acks" if rng.random() < 0.8 else "no_tool")
        elif before is not None and roll < 0.6:
            before = _leaning(maker, script, language, before)
        elif roll < 0.7:
            _ask_back(maker, script, language, missing_request(maker, language))
            before = None
        elif before is None and roll < 0.78:
            _small_talk(maker, script, language, "no_tool")
        else:
            text, before = maker.request(rng.choice(_requested(maker)), language)
            script.user(maker.around(text, language))
            script.calls([before])
            script.says(script.resolved([before]))
    return script.segments


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
    _small_talk(maker, script, language, "acks" if maker.rng.random() < 0.7 else "no_tool")
    return script.segments


def failed(maker: Material, language: Language) -> list[Segment]:
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


KINDS: dict[str, tuple[Callable[[Material, Language], list[Segment]], float]] = {
    "single": (single, 42.0),
    "no_tool": (no_tool, 9.0),
    "absent": (absent, 4.0),
    "foreign": (foreign, 4.0),
    "asks_back": (asks_back, 9.0),
    "two_calls": (two_calls, 5.0),
    "joined": (joined, 6.0),
    "followed": (followed, 6.0),
    "chained": (chained, 12.0),
    "confirmed": (confirmed, 2.0),
    "failed": (failed, 2.0),
    "charted": (charted, 8.0),
}
"""Each kind with its share; ``chained`` conversations are the longest."""

FOR_OTHERS = ("single", "single", "single", "single", "joined", "no_tool", "absent")
"""Kinds for tools of which only the declaration is known."""
