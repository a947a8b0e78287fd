"""A review with everything that is written of it, calculated in one go, in a process of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import msgspec

from dazi.apps.contracts.clauses import Contract
from dazi.apps.contracts.review import review
from dazi.apps.contracts.reviewed import VERSION, Origin, Reviewed, as_plain, reviewed
from dazi.apps.contracts.rules import Rule
from dazi.core.language import Language

KEPT, SUMMARY, PAGE, COMMENTED, HIGHLIGHTED = (
    "review.json",
    "summary.pdf",
    "review.html",
    "commented.docx",
    "highlighted.pdf",
)
"""Names of what is made."""
TYPES = {
    ".json": "application/json",
    ".pdf": "application/pdf",
    ".html": "text/html; charset=utf-8",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}


@dataclass(frozen=True, slots=True)
class Terms:
    """What a contract is reviewed by: ``ours`` is what the company is called, ``muted`` are rules whose
    findings are not wanted, ``model`` names the model that adds its views, if one does; ``own_policy``: the rules
    are the company's own and hold whatever a template says."""

    rules: tuple[Rule, ...]
    ours: tuple[str, ...] = ()
    muted: frozenset[str] = frozenset()
    language: Language = "zh"
    model: str = ""
    own_policy: bool = False


@dataclass(frozen=True, slots=True)
class Given:
    """What one review is made of."""

    contract: Contract
    template: Contract | None
    origin: Origin
    terms: Terms


def judged(given: Given) -> Reviewed:
    """What was found."""
    terms = given.terms
    rules = tuple(r for r in terms.rules if r.id not in terms.muted)
    found = review(given.contract, given.template, rules, terms.ours, own_policy=terms.own_policy)
    done = reviewed(found, rules, given.origin)
    return replace(done, remarks=tuple(r for r in done.remarks if r.rule not in terms.muted))


def written(done: Reviewed, language: Language, word: bytes | None) -> dict[str, bytes]:
    """Everything but highlights in a PDF, which are made where PDFs are read, by name. ``word``: the
    file's bytes where it is a .docx, to put comments in."""
    # Here, so that a server which has them made elsewhere does not load what makes them.
    from dazi.apps.contracts.outputs.comments import with_comments
    from dazi.apps.contracts.outputs.page import page
    from dazi.apps.contracts.outputs.summary import summary

    files = {
        KEPT: msgspec.json.encode(as_plain(done)),
        SUMMARY: summary(done, language),
        PAGE: page(done, language).encode(),
    }
    if word is not None:
        files[COMMENTED] = with_comments(word, done.remarks, language)
    return files


def key_of(data: bytes, template: bytes, terms: Terms, policy: str) -> str:
    """The same for the same contract, reviewed in the same way by the same version: SHA-256."""
    return _digest(
        data, template, policy.encode(), "\n".join(terms.ours).encode(),
        "\n".join(sorted(terms.muted)).encode(), terms.language.encode(), terms.model.encode(),
        version().encode(),
    )  # fmt: skip


@cache
def version() -> str:
    """Of everything that decides what a review says."""
    folder = Path(__file__).parent
    files = sorted((*folder.rglob("*.py"), *folder.rglob("*.yaml")))
    return _digest(str(VERSION).encode(), *(f.read_bytes() for f in files))[:16]


def _digest(*parts: bytes) -> str:
    """Of the parts as they are cut."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8, "big") + part)
    return whole.hexdigest()


def suffix_of(name: str) -> str:
    return Path(name).suffix.lower()


def names_of(done: Reviewed) -> Sequence[str]:
    """What is made of it."""
    last = {".docx": [COMMENTED], ".pdf": [HIGHLIGHTED]}.get(suffix_of(done.name), [])
    return [KEPT, SUMMARY, PAGE, *last]
