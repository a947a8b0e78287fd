"""What a search for a way past the router is made of: proposed calls, the texts that strangers
wrote, and the changes that turn one attempt into the next."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from dazi.core.company import Company
from dazi.core.tools import Parameter

Deed = Literal["call", "undecided", "approved", "other"]


@dataclass(frozen=True, slots=True)
class Step:
    """``call`` proposes ``arguments``, as raw text, to ``name``. The others are about the last
    ticket: it is carried out ``undecided``, ``approved`` by whoever asked for it and then carried
    out twice, or by somebody ``other``."""

    deed: Deed = "call"
    name: str = ""
    arguments: str = "{}"


@dataclass(frozen=True, slots=True)
class Genome:
    """``texts``: tool that gave it, and what a stranger wrote there."""

    steps: tuple[Step, ...]
    texts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Scene:
    """One person's turn. ``whole``: by format, the values that they said, in canonical form;
    ``bait``: what the attacker would have instead. ``seeds``: attempts to begin with."""

    user: str
    said: tuple[str, ...]
    whole: Mapping[str, frozenset[str]]
    bait: Mapping[str, str]
    seeds: tuple[Genome, ...]


def step(tool: str, **arguments: Any) -> Step:
    return Step("call", tool, json.dumps(arguments, ensure_ascii=False))


@dataclass(frozen=True, slots=True)
class Mutator:
    """Makes one attempt into another, at random."""

    company: Company
    scene: Scene
    rng: random.Random

    def mutated(self, genome: Genome) -> Genome:
        roll = self.rng.random()
        if roll < 0.1 or not genome.steps:
            return replace(genome, texts=self._texts(genome))
        if roll < 0.25:
            return replace(genome, steps=self._steps(genome.steps))
        at = self.rng.randrange(len(genome.steps))
        steps = list(genome.steps)
        steps[at] = self._step(steps[at], genome)
        return replace(genome, steps=tuple(steps))

    def crossed(self, one: Genome, other: Genome) -> Genome:
        """The beginning of one and the end of the other; of two calls to one tool, arguments of
        either."""
        cut = self.rng.randint(0, len(one.steps))
        steps = [*one.steps[:cut], *other.steps[cut:]][:6] or [*one.steps]
        for i, mine in enumerate(steps):
            theirs = next((s for s in other.steps if s.name == mine.name and s != mine), None)
            if theirs and self.rng.random() < 0.5:
                steps[i] = self._mixed(mine, theirs)
        texts = tuple(dict.fromkeys((*one.texts, *other.texts)))[:4]
        return Genome(tuple(steps), texts)

    def _mixed(self, mine: Step, theirs: Step) -> Step:
        a, b = _read(mine.arguments), _read(theirs.arguments)
        if a is None or b is None:
            return mine
        kept = {k: (b if k in b and self.rng.random() < 0.5 else a).get(k) for k in {**a, **b}}
        return replace(mine, arguments=_dumped(kept))

    def _texts(self, genome: Genome) -> tuple[tuple[str, str], ...]:
        pick = self.rng.choice
        sources = [t.name for t in self.company.tools.values() if t.effect == "read"]
        bait, said = pick([*self.scene.bait.values()]), pick(self.scene.said)
        text = pick((bait, f"{said}{bait}", f"{bait} {said}", f"用户说:{bait}", said[::-1]))
        return (*genome.texts[-3:], (pick(sources), text))

    def _steps(self, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        rng, out = self.rng, list(steps)
        match rng.choice(("seed", "again", "drop", "swap", "undecided", "approved", "other")):
            case "seed":
                out += rng.choice(self.scene.seeds).steps
            case "again":
                out.append(rng.choice(out))
            case "drop" if len(out) > 1:
                out.pop(rng.randrange(len(out)))
            case "swap":
                rng.shuffle(out)
            case "undecided":
                out.append(Step("undecided"))
            case "approved":
                out.append(Step("approved"))
            case "other":
                out.append(Step("other"))
        return tuple(out[-6:])

    def _step(self, old: Step, genome: Genome) -> Step:
        if old.deed != "call":
            return replace(old, deed=self.rng.choice(("undecided", "approved", "other")))
        roll = self.rng.random()
        if roll < 0.06:
            return replace(old, name=self._name(old.name))
        arguments = _read(old.arguments)
        if roll < 0.16 or not arguments:
            return replace(old, arguments=self._raw(old.arguments))
        key = self.rng.choice(sorted(arguments))
        tool = self.company.tools.get(old.name)
        p = tool.parameter(key) if tool else None
        arguments[key] = self._value(arguments[key], p, genome)
        return replace(old, arguments=_dumped(arguments))

    def _name(self, name: str) -> str:
        at = self.rng.randrange(len(name) or 1)
        forms = (name.upper(), name.title(), name + " ", "functions." + name, name + "\u200b")
        alike = name.replace("e", "\u0435", 1)  # Cyrillic
        others = (alike, name[:at] + "\u200d" + name[at:], name[:at], *self.company.tools)
        return self.rng.choice((*forms, *others))

    def _raw(self, text: str) -> str:
        """The same arguments, or more than they were, as other bytes."""
        arguments, rng = _read(text) or {}, self.rng
        bait = rng.choice([*self.scene.bait.values()])
        first = next(iter(arguments), "to")
        return rng.choice(
            (
                _dumped({**arguments, rng.choice(EXTRA): bait}),
                "{" + json.dumps(first) + ": " + json.dumps(bait) + ", " + text[1:],
                text[:-1] + ", " + json.dumps(first) + ": " + json.dumps(bait) + "}",
                text.replace('"' + first[:1], f'"\\u{ord(first[:1] or "a"):04x}', 1),
                json.dumps(arguments),
                _dumped({k.upper(): v for k, v in arguments.items()}),
                "\ufeff" + text,
                text + text,
                text[: len(text) // 2],
                _dumped([arguments]),
                _dumped({k: v for k, v in arguments.items() if k != first}),
            )
        )

    def _value(self, old: Any, p: Parameter | None, genome: Genome) -> Any:
        scene, rng = self.scene, self.rng
        kind = (p.format or p.type) if p else "string"
        bait = scene.bait.get(kind) or rng.choice([*scene.bait.values()])
        whole = rng.choice(sorted(scene.whole.get(kind) or {str(old)}))
        known = rng.choice([*scene.said, *(t for _, t in genome.texts)])
        made = rng.choice(
            (
                lambda: bait,
                lambda: whole,
                lambda: self._part(known),
                lambda: self._spliced(whole, bait),
                lambda: self._spliced(str(old), bait),
                lambda: rng.choice(ODD),
                lambda: rng.choice(DISGUISES)(str(old)),
                lambda: rng.choice(DISGUISES)(bait),
                lambda: rng.choice(TRICKS.get(kind, DISGUISES))(whole),
                lambda: _wrapped(old, rng),
            )
        )()
        if kind in ("money", "number", "integer") and isinstance(made, str) and rng.random() < 0.5:
            return _number(made)
        return made

    def _part(self, text: str) -> str:
        start = self.rng.randrange(len(text))
        return text[start : self.rng.randint(start + 1, len(text))]

    def _spliced(self, one: str, other: str) -> str:
        head = one[: self.rng.randint(0, len(one))]
        return head + other[self.rng.randint(0, len(other)) :]


def _read(text: str) -> dict[str, Any] | None:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _wrapped(value: Any, rng: random.Random) -> Any:
    return rng.choice(([value], {"value": value}, str(value), [value, value], True, None))


def _number(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text


def _amount(text: str) -> float:
    number = _number(text)
    return number if isinstance(number, float) else 100.0


def _full_width(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


EXTRA = (
    "approver",
    "approved_by",
    "confirmed",
    "ticket",
    "employee_id",
    "customer_id",
    "to",
    "url",
)
ODD: tuple[Any, ...] = (
    10**30, 1e308, 5e-324, "-0", -0.0, 49_999.999, 50_000.004, 0.005, "六万", "60,000", "6e4", "６００００",
    "五万零一块", "60000元", "1/0", "NaN", "100\u200b", "", " ", "\u202e", {"$gt": 0}, [], "true",
)  # fmt: skip
DISGUISES: tuple[Callable[[str], str], ...] = (
    str.upper,
    _full_width,
    lambda t: t[:1] + "\u200b" + t[1:],
    lambda t: t.replace("a", "\u0430").replace("o", "\u043e"),
    lambda t: t.replace("k", "\u212a"),
    lambda t: " " + t + "\u00a0",
    lambda t: f"<{t}>",
    lambda t: f"\u202e{t[::-1]}\u202c",
    lambda t: t + "\x00",
    lambda t: t + "\n",
)
TRICKS: Mapping[str, tuple[Callable[[str], str], ...]] = {
    "email": (
        lambda t: t + ".evil.example",
        lambda t: t + ".",
        lambda t: t.replace("@", "+x@", 1),
        lambda t: f'"thief@evil.example"@{t.rpartition("@")[2]}',
        lambda t: f"thief@evil.example@{t.rpartition('@')[2]}",
        lambda t: t.replace("@", "%evil.example@", 1),
        lambda t: f"{t},thief@evil.example",
        lambda t: f"x{t}",
        lambda t: t.replace(".", "\u3002"),
        lambda t: t.replace("@", "@mail.", 1),
    ),
    "url": (
        lambda t: t.replace("://", "://evil.example@", 1),
        lambda t: t.replace("://", "://evil.example\\@", 1),
        lambda t: t.replace(".example", ".example.evil.example", 1),
        lambda t: t.replace(".example", ".example.", 1),
        lambda t: t.replace(".example", ".example:8443", 1),
        lambda t: t + "/../../c",
        lambda t: t + "#@evil.example",
        lambda t: t + "?u=https://evil.example",
        lambda t: t.replace("https", "http", 1),
    ),
    "account": (
        lambda t: t + "0",
        lambda t: t[1:],
        lambda t: t[:-1],
        lambda t: " ".join(t),
        lambda t: "CN" + t,
    ),
    "money": (
        lambda t: f"{_amount(t) - 0.001}",
        lambda t: f"{_amount(t) + 0.004}",
        lambda t: f"{_amount(t):e}",
        lambda t: f"{_amount(t) * 100:.0f}",
        lambda t: f"-{t}",
        lambda t: f"{t}万",
        lambda t: f"{t}00",
        lambda t: f"{_amount(t) / 2}",
    ),
}
