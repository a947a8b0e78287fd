"""What a person plainly said and a model that can only copy left out of its call.

Passages: it often stops a few words early, 「门口有狗」 of 「门口有狗狗小心」. What people say ends where their
clause ends, so the rest of it is taken along, unless it is part of the request itself (「给我退了吧」) or no
more than politeness; in English it begins, likewise, with the clause's first word that is none of the
request. Choices: 「按地区」 names one of an argument's declared values; if the model gave none, that one is
meant.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from dazi.core.messages import CallText, dumps
from dazi.core.tools import Parameter, Tool
from dazi.router.content import names_of, own_words, says_something

_END = re.compile(
    r"[,;!?，。；！？、\n「」『』“”\"《》()（）]|\.(?:\s|$)|(?<=\S)['’](?:[\s,.;!?]|$)"
)
_WORD = re.compile(r"[\w'-]+")
_QUOTED = re.compile(
    r"[「『“\"‘'《](?P<text>[^「」『』“”\"‘’《》]{3,}?)[」』”\"’'》]\s*[。.!]?\s*$"
)


def quoted_at_end(text: str) -> str | None:
    """What stands in quotation marks at the end of a message: the very words that are meant."""
    found = _QUOTED.search(text)
    return found["text"].strip() if found else None


def completed(call: CallText, tool: Tool, words: Sequence[str], today: date) -> CallText:
    """``call`` with its passages whole and the choices that were named. ``words``: messages, latest first."""
    try:
        arguments = json.loads(call.arguments)
    except ValueError:
        return call
    if not isinstance(arguments, dict):
        return call
    mended = dict(arguments)
    for p in tool.parameters:
        value = arguments.get(p.name)
        if p.prose and isinstance(value, str) and value:
            mended[p.name] = _whole(value, tool, words, today)
        elif p.items and isinstance(value, list):
            mended[p.name] = [v for v in p.items if v in (*value, *_named(p, p.items, words))]
        elif value is None and p.default is None:
            named = _named(p, p.enum or p.items, words)
            if p.items and named:
                mended[p.name] = named
            elif len(named) == 1:
                mended[p.name] = named[0]
    mended = {p.name: mended[p.name] for p in tool.parameters if p.name in mended} | mended
    return call if mended == arguments else replace(call, arguments=dumps(mended))


def _named(p: Parameter, values: Sequence[str], words: Sequence[str]) -> list[str]:
    """Those of ``values`` that the latest message names, in the words of their labels."""
    text = unicodedata.normalize("NFKC", words[0]).casefold() if words else ""
    return [v for v in values if any(_telling(w) and occurs(w, text) for w in p.names(v))]


def _telling(word: str) -> bool:
    """A single hanzi or a very short word stands in too many messages to name anything by itself."""
    return len(word) > (3 if word.isascii() else 1)


def occurs(word: str, text: str) -> bool:
    """Is ``word`` in ``text``, in any case, and in English as a word of its own?"""
    folded, within = word.casefold(), text.casefold()
    if not word.isascii():
        return folded in within
    return re.search(rf"(?<![a-z]){re.escape(folded)}(?![a-z])", within) is not None


def _whole(value: str, tool: Tool, words: Sequence[str], today: date) -> str:
    for text in words:
        folded = unicodedata.normalize("NFKC", text)
        at = folded.rfind(value)
        if at < 0:
            continue
        rest = folded[at + len(value) :]
        end = _END.search(rest)
        more = rest[: end.start()] if end else rest
        after = more.rstrip() if says_something(more, tool, today) else ""
        return _beginning(folded[:at], tool) + value + after
    return value


def _beginning(text: str, tool: Tool) -> str:
    """What of the clause before a passage belongs to it: from its first word that is none of the request.

    Of English alone: hanzi are no words, and 「送」 of 「送货师傅」 would be taken for the request's.
    """
    clause = _END.split(text)[-1]
    if not clause.isascii():
        return ""
    words = [m for m in _WORD.finditer(clause.casefold()) if m[0].isalpha() or "'" in m[0]]
    names, own = names_of(tool), own_words(tool)
    asked = max((m.end() for m in words if m[0] in names), default=0)
    told = (m.start() for m in words if m.start() >= asked and m[0] not in own)
    first = next(told, None)
    return "" if first is None else clause[first:]
