"""``knowledge``: questions about documents, answered with where it stands, or not at all.

A company's own questions are in ``knowledge/questions.jsonl`` of its folder, and asked of its documents: one
without a document has no answer there. CMRC 2018 (files in SQuAD's form): each passage becomes a document, in
place of the company's, and every tenth is kept out: to its questions the right answer is that nothing was
found. Figures of the reply follow CMRC's own measures (characters, without punctuation).
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections import Counter
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from dazi.agent.asking import Ask
from dazi.core.errors import CallerError, ConfigError, DaziError
from dazi.core.language import Text, language_of
from dazi.core.turn import Attachment, CallFinished, TurnFinished
from dazi.knowledge.rights import EVERYBODY
from dazi.lab.evals.suite import Bench, Item, Loaded, Outcome, Source, data_of
from dazi.lab.evals.suites.turned import turn_of
from dazi.lab.evals.turns import TurnWatch
from dazi.packs.layers import layers_of

ABSENT_EVERY = 10
FOUND, ABSENT = "cmrc found", "cmrc absent"
OWN_FOUND, OWN_ABSENT = "own found", "own absent"
OWN = Path("knowledge") / "questions.jsonl"
_FILE = re.compile(r"(.+)\.[A-Za-z]{2,5}(?![A-Za-z.])")
"""The name of a file in what a source is called, without its ending."""


@dataclass(frozen=True, slots=True)
class Asked:
    """``document``: the name of the file in which the answer stands, without its ending; empty: it stands
    in none. ``role``: who asks; empty: whoever comes first. ``own``: of the company's own documents."""

    question: str
    answers: tuple[str, ...]
    document: str
    role: str = ""
    own: bool = False


class Knowledge:
    name = "knowledge"
    about = Text(
        "知识问答(公司自己的问题、CMRC 2018):答得对不对、出处对不对、没有的有没有照实说",
        "answers from documents (the company's own questions, CMRC 2018): right, with the right source, or none",
    )
    shared = True

    def __init__(self) -> None:
        self.documents: dict[str, str] = {}

    def load(self, source: Source) -> Loaded:
        own = layers_of(source.company).find(OWN)
        items, parts, names = self._own(own), [], []
        if items:
            parts.append(own)
            names.append("own questions")
        given = source.given
        if given is not None or not items:
            folder = source.public("cmrc2018")
            paths = sorted(folder.glob("*.json"))
            if not paths and not items:
                raise CallerError(
                    "no_data", f"{folder} 里没有 *.json", f"there is no *.json in {folder}"
                )
            items += self._public(paths)
            parts += paths
            names += ["CMRC 2018"] if paths else []
        licence = "CC BY-SA 4.0" if "CMRC 2018" in names else ""
        return Loaded(tuple(items), data_of(" + ".join(names), parts, licence))

    def _own(self, path: Path) -> list[Item]:
        if not path.is_file():
            return []
        try:
            lines = [x for x in path.read_bytes().split(b"\n") if x.strip()]
            asked = [msgspec.json.decode(x, type=_Own) for x in lines]
        except (OSError, msgspec.MsgspecError) as e:
            raise ConfigError(path, None, f"写法不对:{e}", f"is written wrongly: {e}") from None
        return [
            Item(
                q.id,
                OWN_FOUND if q.document else OWN_ABSENT,
                language_of(q.question),
                Asked(
                    q.question,
                    (q.answer,) if q.answer else (),
                    q.document or "",
                    next((r for r in q.roles if r not in EVERYBODY), ""),
                    own=True,
                ),
            )
            for q in asked
        ]

    def _public(self, paths: Sequence[Path]) -> list[Item]:
        items: list[Item] = []
        self.documents = {}
        paragraphs = [p for path in paths for p in _paragraphs(path)]
        for number, paragraph in enumerate(paragraphs):
            absent = number % ABSENT_EVERY == ABSENT_EVERY - 1
            name = "" if absent else f"p{number:05}"
            if name:
                self.documents[f"{name}.txt"] = paragraph.context
            for qa in paragraph.qas:
                answers = tuple(dict.fromkeys(a.text for a in qa.answers))
                asked = Asked(qa.question, answers, name)
                group = FOUND if name else ABSENT
                items.append(Item(qa.id, group, language_of(qa.question), asked, paragraph.id))
        return items

    async def ask(self, item: Item, bench: Bench) -> Outcome:
        asked: Asked = item.asked
        runner = await bench.reading(None if asked.own else self.documents)
        company = runner.service.agent.company
        watch = TurnWatch(company)
        attachments: Sequence[Attachment] = ()
        results: list[Any] = []
        role = asked.role or next((r for u in company.users for r in u.roles), "")
        person = runner.principal_of(role or next(iter(company.roles)))
        ask = Ask(person, f"eval_{secrets.token_hex(10)}", asked.question)
        try:
            async with aclosing(runner.service.ask(ask)) as events:
                async for event in events:
                    watch.see(event)
                    if isinstance(event, CallFinished):
                        results.append(event.record.result)
                    elif isinstance(event, TurnFinished):
                        attachments = event.attachments
        except DaziError as e:
            watch.error = e.message("en")
        seen = watch.seen()
        cited = _cited(attachments)
        searched = bool(seen.calls)
        exact, f1, contains = measures(seen.reply, asked.answers)
        refused = not cited and not seen.error
        if asked.document:
            right = contains and asked.document in cited
            scores: dict[str, float | None] = {
                "exact": float(exact),
                "f1": f1,
                "contains": float(contains),
                "cited": float(asked.document in cited),
                "cited_first": float(bool(cited) and cited[0] == asked.document),
                "refused_absent": None,
            }
        else:
            right = refused
            scores = {"refused_absent": float(refused)}
        scores["searched"] = float(searched)
        why = []
        if not right:
            why.append(f"cites {', '.join(cited) or 'nothing'}, not {asked.document or 'nothing'}")
            if asked.document and not contains:
                why.append(f"reply lacks {' / '.join(asked.answers)}")
        return Outcome(
            scores,
            right and not seen.error,
            (*why, *([seen.error] if seen.error else ())),
            seen.usage,
            seen.ms,
            seen.error,
            {
                "turns": [turn_of(asked.question, seen)],
                "answers": list(asked.answers),
                "document": asked.document,
                "cited": cited,
            },
        )


def _cited(attachments: Sequence[Attachment]) -> list[str]:
    """Names of the files that the reply shows as its sources, without their endings, in their order."""
    passages = [
        p for a in attachments if a.kind == "sources" for p in _listed(a.data.get("passages"))
    ]
    found = (_FILE.match(str(p.get("source", ""))) for p in passages)
    return list(dict.fromkeys(m[1] for m in found if m is not None))


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def measures(reply: str, answers: Sequence[str]) -> tuple[bool, float, bool]:
    """Is it exactly one of ``answers``, the best F1 of characters, and does it contain one?"""
    said = squeezed(reply)
    wanted = [squeezed(a) for a in answers]
    return (
        said in wanted,
        max((f1_of(said, w) for w in wanted), default=0.0),
        any(w and w in said for w in wanted),
    )


def squeezed(text: str) -> str:
    """Letters, hanzi and digits alone, in small letters."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(c for c in folded if unicodedata.category(c)[0] in "LN")


def f1_of(said: str, wanted: str) -> float:
    """Of the characters that both have, as often as both have them."""
    both = sum((Counter(said) & Counter(wanted)).values())
    if not both:
        return 0.0
    precision, recall = both / len(said), both / len(wanted)
    return 2 * precision * recall / (precision + recall)


class _Own(msgspec.Struct):
    id: str
    question: str
    document: str | None = None
    answer: str | None = None
    roles: list[str] = []


class _Answer(msgspec.Struct):
    text: str


class _Question(msgspec.Struct):
    id: str
    question: str
    answers: list[_Answer]


class _Paragraph(msgspec.Struct):
    context: str
    qas: list[_Question]
    id: str = ""


class _Data(msgspec.Struct):
    paragraphs: list[_Paragraph]


class _Squad(msgspec.Struct):
    data: list[_Data]


def _paragraphs(path: Path) -> list[_Paragraph]:
    try:
        squad = msgspec.json.decode(path.read_bytes(), type=_Squad)
    except (OSError, msgspec.MsgspecError) as e:
        raise CallerError(
            "squad", f"{path} 不是 SQuAD 格式:{e}", f"{path} is not in SQuAD's form: {e}"
        ) from None
    return [p for d in squad.data for p in d.paragraphs]
