"""How times of day are said in English, and the written forms."""

from __future__ import annotations

import re

from dazi.router.normalise.clock import Clock, clock
from dazi.router.normalise.grammar import LEFT, RIGHT, Rules, S, rule
from dazi.router.normalise.numerals import whole
from dazi.router.normalise.times_zh import AM_PM, BOUND, PART

HOUR_WORDS = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
HOUR = rf"(?:\d{{1,2}}|{HOUR_WORDS})"
_HALVES = r"(?:morning|afternoon|evening|night)"
_BEFORE = rf"(?P<before>tonight|(?:(?:this|in the) )?{_HALVES}),?(?: (?:at|from|around|between))? "
_AFTER = rf",? (?P<after>(?:in the|this) {_HALVES}|at night|tonight)"
_OCLOCK = r" ?o'? ?clock"
_MINUTE = r"(?P<min>fifteen|thirty|forty[- ]five|twenty|forty|fifty|oh[- ]five)"
_END = rf"(?:{_OCLOCK})?(?:{AM_PM}|{_AFTER})?{RIGHT}"


def _said(m: re.Match[str], _: None) -> Clock:
    hour = m["h"]
    minute = (m.groupdict().get("min") or "0").removeprefix("oh").strip(" -")
    return clock(_part(m), whole(hour), whole(minute), padded=hour[0] == "0")


def _part(m: re.Match[str]) -> str | None:
    groups = m.groupdict()
    return next((p for k in ("ap", "part", "before", "after") if (p := groups.get(k))), None)


def _past(m: re.Match[str], _: None) -> Clock:
    return clock(_part(m), whole(m["h"]), _amount(m["amount"]))


def _to(m: re.Match[str], _: None) -> Clock:
    return clock(_part(m), whole(m["h"])).less(_amount(m["amount"]))


def _amount(text: str) -> int:
    return 30 if text == "half" else 15 if "quarter" in text else whole(text)


def _compact(m: re.Match[str], _: None) -> Clock:
    return clock(None, int(m["h"]), int(m["min"] or 0), padded=len(m["h"]) == 2)


_QUARTER = r"(?:a )?quarter"
_COUNT = r"(?:\d{1,2}|five|ten|twenty(?:[- ]five)?)"

DIGITAL: Rules[None, Clock] = Rules(
    r"[0-9a-z凌清大一早上中正午下傍晚夜深半]",
    (
        rule(
            rf"(?:{LEFT}{_BEFORE}|{PART}|{BOUND})(?P<h>\d{{1,2}}){S}:{S}(?P<min>\d\d)"
            rf"(?::\d\d(?:\.\d{{1,6}})?z?)?(?:{AM_PM}|{_AFTER})?"
            rf"(?![0-9_@]|[a-z](?!\d\d)|:[0-9a-z]|\.\d)",
            _said,
        ),
    ),
)
RULES: Rules[None, Clock] = Rules(
    rf"{BOUND}[0-9a-z]",
    (
        rule(rf"(?:{_BEFORE})?(?P<h>\d{{1,2}})\.(?P<min>[0-5]\d){AM_PM}{RIGHT}", _said),
        rule(
            rf"(?:{_BEFORE})?(?P<h>{HOUR})(?:[ -]{_MINUTE})?(?:{_OCLOCK})?"
            rf"(?:{AM_PM}|{_AFTER}){RIGHT}",
            _said,
        ),
        rule(rf"(?:{_BEFORE})?(?P<h>{HOUR}){_OCLOCK}{RIGHT}", _said),
        rule(rf"{_BEFORE}(?P<h>{HOUR})(?:[ -]{_MINUTE})?{RIGHT}(?![:.]\d)", _said),
        rule(
            rf"(?P<h>{HOUR_WORDS})[ -]{_MINUTE}{RIGHT}(?!-| ?(?:days?|people|minutes?))",
            _said,
        ),
        rule(
            rf"(?:{_BEFORE})?(?P<amount>half|{_QUARTER}) (?:past|after) (?P<h>{HOUR}){_END}",
            _past,
        ),
        rule(
            rf"(?:{_BEFORE})?(?P<amount>{_QUARTER}) (?:to|before|of|till) (?P<h>{HOUR}){_END}",
            _to,
        ),
        rule(
            rf"(?:{_BEFORE})?(?P<amount>{_COUNT})(?: min(?:ute)?s?)? past (?P<h>{HOUR}){_END}",
            _past,
        ),
        rule(
            rf"(?:{_BEFORE})?(?P<amount>{_COUNT}) min(?:ute)?s? (?:to|before) (?P<h>{HOUR}){_END}",
            _to,
        ),
        rule(rf"(?:12 )?(?:noon|mid-?day){RIGHT}", lambda m, _: Clock(12)),
        rule(rf"(?:12 )?mid-?night{RIGHT}", lambda m, _: Clock(0)),
        rule(rf"(?P<h>[01]?\d|2[0-3])h(?P<min>[0-5]\d)?{RIGHT}", _compact, searched=False),
        rule(rf"(?P<h>[01]\d|2[0-4])(?P<min>[0-5]\d) ?h(?:rs?|ours)?{RIGHT}", _compact),
    ),
)
BARE: Rules[None, Clock] = Rules(
    r"[0-9a-z]",
    (
        rule(r"(?P<h>\d{1,2})(?P<min>[0-5]\d)", _compact),
        rule(rf"(?P<h>{HOUR})", _said),
    ),
)
"""What is a time only beside another time, or as the whole of a value."""
