"""The annexes' text: specifications, procedures, catalogues, levels and inventories, section after
section until a contract has the length that it should have. Nothing here is a fault, and nothing
settles a field."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

from bench.contracts import texts
from bench.contracts.blocks import Block, Draft
from bench.contracts.texts import Kind

_SLOT = re.compile(r"\{([a-z]+)2?\}")


def blank(draft: Draft) -> list[Block]:
    """Of a template: headings, and that they are to be filled in."""
    filled = texts.labels(draft.kind.language)["filled"]
    return [
        block
        for _, title in draft.annexes
        for block in (Block("annex", title), Block("text", filled))
    ]


def sections(draft: Draft, count: int, rng: Random) -> list[Block]:
    """``count`` sections in all, the first annex having the most."""
    pool = _pool(draft.kind)
    out: list[Block] = []
    shares = [0.5, *[0.5 / (len(draft.annexes) - 1)] * (len(draft.annexes) - 1)]
    for (_, title), annex, share in zip(draft.annexes, draft.kind.annexes, shares, strict=True):
        out.append(Block("annex", title))
        if annex.fill == "levels":
            levels = pool["levels"]
            out.append(Block("table", rows=(tuple(levels["head"]), *map(tuple, levels["rows"]))))
        fill = "procedures" if annex.fill == "levels" else annex.fill
        begins = len(out)
        for at in range(1, max(1, round(count * share)) + 1):
            out += _section(pool, fill, at, rng)
        for name, text in draft.annexed:
            if name == annex.id:
                after = [n for n in range(begins, len(out)) if out[n].kind == "text"]
                out.insert(rng.choice(after) + 1, Block("text", text, whole=True))
    return out


def _section(pool: Mapping[str, Any], fill: str, at: int, rng: Random) -> Iterator[Block]:
    words: Mapping[str, list[str]] = pool["words"]
    if fill == "procedures":
        yield Block("heading", f"{at}. {rng.choice(pool['titles'][fill])}")
        for text in rng.sample(pool["sentences"][fill], rng.randint(4, 7)):
            yield Block("text", _said(text, words, {}, rng), plain=True)
        return
    if fill == "inventory":
        yield Block("heading", f"{at}. {_capital(rng.choice(words['place']))}")
        rows = [_thing(words, pool, rng) for _ in range(rng.randint(6, 12))]
        yield Block("table", rows=(tuple(pool["labels"][fill]), *rows), plain=True)
        for text in rng.sample(pool["sentences"]["procedures"], 2):
            yield Block("text", _said(text, words, {}, rng), plain=True)
        return
    subject = rng.choice(words["task" if fill == "catalogue" else "product"])
    held = {"task" if fill == "catalogue" else "product": subject}
    code = f"{rng.choice(words['model'])}-{rng.randrange(10, 99)}0{rng.randrange(1, 9)}"
    yield Block("heading", f"{at}. {_capital(subject)} {code}", plain=True)
    head = tuple(pool["labels"][fill])
    if fill == "catalogue":
        rows = [
            (
                _said("{task}", words, {}, rng),
                rng.choice(words["often"]),
                rng.choice(words["record"]),
            )
            for _ in range(rng.randint(3, 6))
        ]
    else:
        chosen = rng.sample(range(len(words["property"])), rng.randint(5, 9))
        rows = [
            (
                words["property"][i],
                words["value"][i % len(words["value"])],
                rng.choice(words["method"]),
            )
            for i in chosen
        ]
    yield Block("table", rows=(head, *rows), plain=True)
    for text in rng.sample(pool["sentences"][fill], rng.randint(3, 5)):
        yield Block("text", _said(text, words, held, rng), plain=True)


def _pool(kind: Kind) -> Mapping[str, Any]:
    """Words and sentences, with those that what is sold asks for."""
    pool = texts.annex_texts(kind.language)
    own = pool.get(kind.table or "", {})
    return {
        **pool,
        **{part: {**pool[part], **own.get(part, {})} for part in ("words", "sentences")},
    }


def _thing(words: Mapping[str, list[str]], pool: Mapping[str, Any], rng: Random) -> tuple[str, ...]:
    model = rng.choice(words["model"])
    return (
        rng.choice(words["product"]),
        f"{model}-{rng.randrange(1000, 9999)}",
        rng.choice(words["place"]),
        f"{rng.randrange(1, 40)} {pool['labels']['quantity']}",
        rng.choice(words["state"]),
    )


def _said(text: str, words: Mapping[str, list[str]], held: Mapping[str, str], rng: Random) -> str:
    """``{part2}`` is another part than ``{part}``."""
    used: dict[str, str] = dict(held)

    def slot(found: re.Match[str]) -> str:
        name = found[1]
        if found[0].endswith("2}"):
            return rng.choice([word for word in words[name] if word != used.get(name)])
        if name not in used:
            used[name] = rng.choice(words[name])
        return used[name]

    out = _SLOT.sub(slot, text)
    out = re.sub(r"\b([Aa])n? (?=[aeiou])", r"\1n ", out)
    out = re.sub(r"\b([Aa])n (?=[^aeiou])", r"\1 ", out)
    return re.sub(r"(^|\. )([a-z])", lambda found: found[1] + found[2].upper(), out)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
