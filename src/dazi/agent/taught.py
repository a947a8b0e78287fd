"""Is a sentence one that the model was taught, holding this turn's values in their places?

A model that can only copy may put a share where a total belongs, or garble a product's name into
another one's. Such a model comes with the replies it was taught (``core.engine.TaughtReply``):
filled in from the turn's results they are all that it may say.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from dazi.agent.sentences import SentenceCutter
from dazi.core.engine import TaughtReply
from dazi.core.tools import Tool
from dazi.router.derive import compare

Shown = tuple[Tool, Mapping[str, Any], Mapping[str, Any]]
"""A tool, its canonical arguments and its derived result."""
Fields = Mapping[str, Any]

_SLOT = re.compile(r"\{([^{}]+)\}")
_WHEN = re.compile(r"([\w.]+)(=|>)(.*)")
COMPARED = "compare"


class Taught:
    """The replies of one model. Build it once."""

    def __init__(self, replies: Sequence[TaughtReply]) -> None:
        self.replies = replies
        self._by_tool: dict[str, list[TaughtReply]] = {}
        for reply in replies:
            self._by_tool.setdefault(reply.tool, []).append(reply)
        self._always = {s for r in self._by_tool.get("", ()) for s in sentences(r.text)}

    def sayable(self, results: Iterable[Shown]) -> frozenset[str]:
        """Every sentence that a turn with these results may show, folded as ``sentences`` does."""
        out = set(self._always)
        results = list(results)
        for tool, _, result in results:
            out.update(self._filled(tool, fields_of(tool, result), compared=False))
        for one, other in combinations(results, 2):
            if one[0].name == other[0].name:
                both = fields_of_both(one[0], one[2], other[2])
                out.update(self._filled(one[0], both, compared=True))
        return frozenset(out)

    def _filled(self, tool: Tool, fields: Fields, *, compared: bool) -> Iterator[str]:
        for reply in self._by_tool.get(tool.name, ()):
            if (reply.when == COMPARED) is compared and (compared or holds(reply.when, fields)):
                text = filled(reply.text, fields)
                if text is not None:
                    yield from sentences(text)


def sentences(text: str) -> list[str]:
    """The sentences of ``text``, each in the form that they are compared in."""
    cutter = SentenceCutter()
    return [folded(s) for s in (*cutter.feed(text), cutter.rest()) if s.strip()]


def folded(sentence: str) -> str:
    return unicodedata.normalize("NFKC", sentence).strip()


def filled(text: str, fields: Fields) -> str | None:
    """``text`` with its slots filled, or ``None`` where a value is missing."""
    names = _SLOT.findall(text)
    if any(fields.get(n) in (None, "", []) for n in names):
        return None
    return _SLOT.sub(lambda m: str(fields[m[1]]), text)


def holds(when: str, fields: Fields) -> bool:
    """``""``: always; else ``field=value`` or ``field>0``, of a field that is there."""
    match = _WHEN.fullmatch(when)
    if match is None:
        return not when
    value = fields.get(match[1])
    if isinstance(value, int | float):
        bound = float(match[3])
        return value > bound if match[2] == ">" else value == bound
    return value is not None and match[2] == "=" and str(value) == match[3]


def fields_of(tool: Tool, result: Mapping[str, Any]) -> dict[str, Any]:
    """What a reply about one result may speak of.

    Beside the result's own fields: ``rows``, how many there are; ``first.x`` of the first row; and
    of rows that differ in a word, ``key=value.x``: the x of the row whose key is that value.
    """
    out = dict(result)
    rows = result.get(tool.result.rows) if tool.result.shape == "many" else None
    if not isinstance(rows, list):
        return out
    out["rows"] = len(rows)
    if rows:
        out |= {f"first.{k}": v for k, v in rows[0].items()}
    for key in tool.result.values:
        for row in rows:
            if isinstance(row.get(key), str):
                out |= {f"{key}={row[key]}.{k}": v for k, v in row.items()}
    return out


def fields_of_both(tool: Tool, one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """What a reply about two results of one tool may speak of: ``a.x``, ``b.x``, what ``compare``
    found, and ``better``: whichever is higher in what counts."""
    name = tool.result.rows
    rows = [r.get(name) if tool.result.shape == "many" else [r] for r in (one, other)]
    if not all(isinstance(r, list) and r for r in rows):
        return {}
    difference = compare(tool, [one, other])
    out = {
        f"{side}.{k}": v
        for side, r in zip("ab", rows, strict=True)
        for k, v in (r or [{}])[0].items()
    }
    out |= difference
    better = next((v for k, v in difference.items() if k.startswith("higher_")), None)
    return out | ({} if better is None else {"better": better})
