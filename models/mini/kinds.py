"""The kinds of conversations and how often each occurs."""

from __future__ import annotations

import re
from collections.abc import Callable

from dialogues import asks_back, chained, confirmed, followed, leant_on
from material import Material
from phrasing import BadPhrasing
from transcript import Segment, Transcript

from dazi.core.language import Language


def single(maker: Material, language: Language) -> list[Segment]:
    """One request, one call; often the result and the answer too."""
    name = maker.pick(maker.requested)
    text, call = maker.request(name, language)
    script = Transcript(maker, language, maker.offered([name]))
    script.user(maker.around(text, language))
    script.calls([call])
    if name in maker.tools and maker.rng.random() < 0.25:
        script.says(script.resolved([call]))
    return script.segments


def no_tool(maker: Material, language: Language) -> list[Segment]:
    """Nothing fits: a plain sentence and no call."""
    script = Transcript(maker, language, maker.offered([]))
    script.small_talk("no_tool")
    return script.segments


NEAR_ALL = {"create_ticket", "search_knowledge", "send_email"}
"""Tools that another company's requests may well be meant for."""


def foreign(maker: Material, language: Language) -> list[Segment]:
    """Something that some other company's assistant could do."""
    if not maker.others or not set(maker.names) <= set(maker.tools):
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
    elsewhere = here <= set(maker.others)
    name = maker.rng.choice(
        [n for n in maker.tools if n not in here and not (elsewhere and n in NEAR_ALL)]
    )
    text, _ = maker.request(name, language)
    script = Transcript(maker, language, maker.offered([], absent=[name]))
    script.user(maker.around(text, language))
    script.says(maker.rng.choice(UNFIT[language]))
    return script.segments


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
    if len(maker.requested) < 2:
        raise BadPhrasing("one tool alone")
    first, second = maker.rng.sample(maker.requested, 2)
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
    script.says(maker.failure(error, language))
    if name in maker.tools and maker.rng.random() < 0.4:
        leant_on(maker, script, language, call)
    return script.segments


KINDS: dict[str, tuple[Callable[[Material, Language], list[Segment]], float]] = {
    "single": (single, 42.0),
    "no_tool": (no_tool, 16.0),
    "absent": (absent, 4.0),
    "foreign": (foreign, 5.0),
    "asks_back": (asks_back, 10.0),
    "two_calls": (two_calls, 8.0),
    "joined": (joined, 8.0),
    "followed": (followed, 10.0),
    "chained": (chained, 12.0),
    "confirmed": (confirmed, 4.0),
    "failed": (failed, 4.0),
    "charted": (charted, 22.0),
}
"""Each kind with its share; ``chained`` conversations are the longest."""

FOR_OTHERS = ("single", "single", "single", "single", "joined", "no_tool", "absent")
"""Kinds for tools of which only the declaration is known."""
