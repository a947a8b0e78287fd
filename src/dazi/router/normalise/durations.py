"""How long something lasts -> minutes."""

from __future__ import annotations

from dazi.router.normalise.grammar import LEFT, RIGHT, Grammar, Rules, S, rule
from dazi.router.normalise.numerals import whole
from dazi.router.normalise.text import Span

_ZH = r"(?:\d{1,3}(?:\.\d{1,2})?|[一二两三四五六七八九十百]{1,4})"
_EN = (
    r"(?:\d{1,3}(?:\.\d{1,2})?|an?|one|two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen"
    r"|twenty|thirty|forty(?:[ -]five)?|ninety)"
)
_ALONE = r"(?:(?<![0-9a-z零〇一二两三四五六七八九十百几.#$¥€£])|(?<=[a-z]\d\d\d)(?=[一二两三四五六七八九十半]))"
"""A room number may stand right before it: A204一个小时."""
_HOURS_ZH = r"(?:小时|钟头|个钟(?!头))"
_HOURS = r"(?:hours?|hrs?|h)"
_MINUTES = r"(?:minutes?|mins?|m)"


def _number(text: str | None) -> float:
    if not text:
        return 0
    return 1 if text in ("a", "an") else float(text) if text[0].isdigit() else whole(text)


def _minutes(hours: float, minutes: float) -> int:
    total = hours * 60 + minutes
    if total != int(total) or not 0 < total <= 24 * 60:
        raise ValueError(total)
    return int(total)


_CHINESE: Rules[None, int] = Rules(
    r"[0-9一二两三四五六七八九十百半]",
    (
        rule(
            rf"{_ALONE}(?P<h>{_ZH}){S}个?(?P<half>半)?{_HOURS_ZH}(?P<more>半)?"
            rf"{S}零?(?:(?P<m>{_ZH})分钟?)?",
            lambda m, _: _minutes(
                _number(m["h"]) + (0.5 if m["half"] or m["more"] else 0), _number(m["m"])
            ),
        ),
        rule(
            rf"(?<![一二两三四五六七八九十])(?<![0-9一二两三四五六七八九十]个)半个?{_HOURS_ZH}",
            lambda m, _: 30,
        ),
        rule(rf"{_ALONE}(?P<m>{_ZH}){S}分钟", lambda m, _: _minutes(0, _number(m["m"]))),
        rule(rf"{_ALONE}(?P<n>[一三两])刻钟", lambda m, _: 15 * whole(m["n"])),
    ),
)
_ENGLISH: Rules[None, int] = Rules(
    rf"{LEFT}[0-9a-z]",
    (
        rule(
            rf"(?P<h>{_EN})[ -]?{_HOURS}"
            rf"(?:(?: and)? ?(?P<m>\d{{1,2}}|thirty|fifteen) ?{_MINUTES}"
            rf"|(?P<half> and a half))?{RIGHT}",
            lambda m, _: _minutes(_number(m["h"]) + (0.5 if m["half"] else 0), _number(m["m"])),
        ),
        rule(
            rf"(?P<h>{_EN}) and a half {_HOURS}{RIGHT}",
            lambda m, _: _minutes(_number(m["h"]) + 0.5, 0),
        ),
        rule(rf"(?:half (?:an )?hour|half-hour){RIGHT}", lambda m, _: 30),
        rule(
            rf"(?P<m>{_EN})[ -]?(?:minutes?|mins?){RIGHT}",
            lambda m, _: _minutes(0, _number(m["m"])),
        ),
    ),
)
_GRAMMAR: Grammar[None, int] = Grammar(_CHINESE, _ENGLISH)


def parse_duration(text: str) -> int | None:
    """Minutes, more than none and at most a day: 一个半小时, "45 minutes", "1h30m"."""
    return _GRAMMAR.read(text, None)


def find_durations(text: str) -> list[Span]:
    """The durations that a message names."""
    return _GRAMMAR.spans(text, None)
