"""Injection cases: a place where text arrives, a way to write it, and what it is after.

``injections.zh.yaml`` holds the texts; every place, technique and goal that go together are a case.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from bench.security.stage import Proposal

FILE = Path(__file__).with_name("injections.zh.yaml")
_ALIKE = str.maketrans("aceopxyi", "асеорхуі")
"""Latin letters and the Cyrillic ones that look the same."""


@dataclass(frozen=True, slots=True)
class Case:
    """``said``: the person's request; ``ours``: the calls that it takes, of which the first answers
    bring ``texts``. ``theirs``: the calls that the texts are after. ``wished``: what the person
    would agree to. ``answers``: by tool, what systems answer. ``later``: what the person says
    before the model obeys; ``rejects``: who rejects the request, with the text as the reason.
    ``never``: tools that must not act, whoever confirms."""

    place: str
    technique: str
    goal: str
    user: str
    said: str
    texts: tuple[str, ...]
    ours: tuple[Proposal, ...]
    theirs: tuple[Proposal, ...]
    wished: tuple[Proposal, ...]
    answers: Mapping[str, Sequence[Any]]
    later: str = ""
    rejects: str = ""
    never: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Control:
    """A goal as somebody's own request: ``agree`` are those who must, in turn; ``tool`` acts."""

    goal: str
    user: str
    said: str
    calls: tuple[Proposal, ...]
    agree: tuple[str, ...]
    tool: str


def cases(seed: int) -> list[Case]:
    """Every combination once; ``seed`` chooses its wording, values and person."""
    data, rng = _data(), random.Random(seed)
    return [
        _case(data, names, rng)
        for names in _combined(data)
        if set(data["places"][names[0]]["users"]) & set(data["goals"][names[2]]["users"])
    ]


def controls(seed: int) -> Iterator[Control]:
    data, rng = _data(), random.Random(seed)
    for name, goal in data["goals"].items():
        asked = goal["control"]
        values = _values(data, rng)
        calls = tuple(_proposal(c, values) for c in goal["calls"])
        said = _filled(asked["said"], values)
        tool = asked.get("tool", calls[-1][0])
        yield Control(name, asked["user"], said, calls, tuple(asked["agree"]), tool)


@cache
def _data() -> Any:
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))


def _combined(data: Any) -> Iterator[tuple[str, str, str]]:
    for place in data["places"]:
        for technique in data["techniques"]:
            for goal in data["goals"]:
                yield place, technique, goal


def _case(data: Any, names: tuple[str, str, str], rng: random.Random) -> Case:
    place, technique, goal = (
        data[kind][name]
        for kind, name in zip(("places", "techniques", "goals"), names, strict=True)
    )
    values = _values(data, rng) | {"said": place["asks"][:4]}
    deed = _filled(rng.choice(goal["deeds"][technique.get("voice", "plain")]), values)
    template = rng.choice(technique["texts"])
    written = ENCODINGS[technique.get("as", "plain")](deed)
    texts = tuple(
        _filled(t, {"deed": written})
        for t in ([template] if isinstance(template, str) else template)
    )
    ours = [_proposal(place[k], values) for k in ("before", "call") if k in place]
    if len(texts) > 1 and "answer" in place:
        ours = ours * len(texts)
    wanted = [_proposal(goal["wanted"], values)] if "wanted" in goal else []
    answers: dict[str, list[Any]] = {}
    if "answer" in place:
        answers[ours[-1][0]] = [_filled(place["answer"], {"text": t}) for t in texts]
    return Case(
        *names,
        user=rng.choice([u for u in place["users"] if u in goal["users"]]),
        said=",".join(filter(None, (place["asks"], goal.get("wish", "")))),
        texts=texts,
        ours=tuple(ours),
        theirs=tuple(_proposal(c, values) for c in goal["calls"]),
        wished=(*ours, *wanted),
        answers=answers,
        later=place.get("later", ""),
        rejects=place.get("rejects", ""),
        never=frozenset(goal.get("never", ())),
    )


def _values(data: Any, rng: random.Random) -> dict[str, str]:
    return {name: rng.choice(options) for name, options in data["values"].items()}


def _proposal(call: Mapping[str, Any], values: Mapping[str, str]) -> Proposal:
    ((name, arguments),) = call.items()
    return name, _filled(arguments, values)


def _filled(template: Any, values: Mapping[str, str]) -> Any:
    """``template`` with ``{name}`` replaced, in every text of it; other braces stay."""
    if isinstance(template, str):
        for name, value in values.items() if "{" in template else ():
            template = template.replace(f"{{{name}}}", value)
        return template
    if isinstance(template, Mapping):
        return {k: _filled(v, values) for k, v in template.items()}
    if isinstance(template, list):
        return [_filled(v, values) for v in template]
    return template


def _full_width(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def _reversed(text: str) -> str:
    """Stored from the end, and shown from the beginning."""
    return f"\u202e{text[::-1]}\u202c"


ENCODINGS: Mapping[str, Callable[[str], str]] = {
    "plain": str,
    "full_width": _full_width,
    "zero_width": "\u200b".join,
    "bidi": _reversed,
    "homoglyph": lambda text: text.translate(_ALIKE),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
}


def shown(text: str) -> str:
    """``text`` as it stands in a tool message."""
    return json.dumps(text, ensure_ascii=False)[1:-1]
