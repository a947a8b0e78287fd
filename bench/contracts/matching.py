"""When a finding speaks of a planted fault, and when a field is told right.

A finding has ``rule, kind, severity, page, quote, message, suggestion``; a plant is an entry of
``truth.json`` (see ``bench.contracts.generate``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import SequenceMatcher
from typing import Any

from bench.contracts.pages import bare

Finding = Mapping[str, Any]
PlantedFault = Mapping[str, Any]

PAGES_OFF = 1
SHARED = 0.6
SHORTEST = 3
NUMBERS = {"total_amount", "payment_days", "liability_cap", "penalty_rate", "renewal_notice_days"}
NAMES = {"governing_law", "seat"}
_CURRENCIES = {"RMB": "CNY", "人民币": "CNY", "YUAN": "CNY", "元": "CNY"}
_APART = ("hongkong", "香港", "macao", "macau", "澳门", "taiwan", "台湾")


def shared(a: str, b: str) -> int:
    """How many letters two quotes have in common in pieces that are no coincidence: of at least
    four hanzi or eight Latin letters, or the whole of the shorter one. Spaces, width, case and
    punctuation don't count."""
    a, b = bare(a), bare(b)
    short, long = sorted((a, b), key=len)
    if len(short) < SHORTEST:
        return 0
    if short in long:
        return len(short)
    least = 4 if re.search("[一-鿿]", short) else 8
    blocks = SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks if block.size >= least)


def overlap(a: str, b: str) -> bool:
    """At least three in five letters of the shorter quote are in the other."""
    shorter = min(len(bare(a)), len(bare(b)))
    return shorter >= SHORTEST and shared(a, b) >= SHARED * shorter


def quotes(finding: Finding, plant: PlantedFault) -> int:
    """How many letters of the plant's words the finding quotes, the page being within one; 0 where
    it doesn't. A Word file has no pages, and any is right there."""
    best = 0
    for place in plant["places"]:
        if _near(finding.get("page"), place["page"]):
            said = finding.get("quote") or ""
            if overlap(said, place["quote"]):
                best = max(best, shared(said, place["quote"]))
    return best


def mentions(finding: Finding, plant: PlantedFault) -> int:
    """The length of the longest of the plant's words that stands in the finding's rule, quote or
    message; 0 where none does. Latin words match at their beginning: "terminat" is one."""
    told = " ".join(str(finding.get(name) or "") for name in ("rule", "quote", "message"))
    told = " ".join(told.replace("_", " ").casefold().split())
    lengths = [0]
    for word in map(str.casefold, plant["words"]):
        pattern = re.escape(word) if re.search("[一-鿿]", word) else rf"\b{re.escape(word)}"
        if re.search(pattern, told):
            lengths.append(len(word))
    return max(lengths)


def weight(finding: Finding, plant: PlantedFault) -> int:
    """Above 0 where the finding hits the plant: the kind is the same, and it quotes the planted
    words or, where something is missing, says what. The more, the surer."""
    if finding.get("kind") not in (plant["kind"], *plant.get("also", ())):
        return 0
    return mentions(finding, plant) if plant["kind"] == "missing" else quotes(finding, plant)


def beside(finding: Finding, plant: PlantedFault) -> bool:
    """Another kind's view of the same fault, which is no false alarm: it quotes the planted words;
    it says that what the plant has replaced is missing; or, where something is missing, it says
    without a quote, as a rule of the policy or as a reference to it, what is not there."""
    if quotes(finding, plant):
        return True
    if not mentions(finding, plant):
        return False
    if plant["kind"] == "missing":
        return finding.get("kind") in {"policy", "reference"} or not finding.get("quote")
    return finding.get("kind") == "missing"


def _near(page: object, true: int | None) -> bool:
    return true is None or (
        isinstance(page, int) and not isinstance(page, bool) and abs(page - true) <= PAGES_OFF
    )


def right(name: str, told: object, true: object) -> bool:
    """Numbers and dates have the same value, parties the same name but for spaces and punctuation;
    a law or a seat is one of the names in the truth, or holds one."""
    if isinstance(true, Mapping):
        return any(_same(name, told, one) for one in true["any_of"]) and not _elsewhere(told, true)
    return _same(name, told, true)


def _same(name: str, told: object, true: object) -> bool:
    if told is None or true is None:
        return told is true
    if name in NUMBERS:
        number = isinstance(told, int | float) and not isinstance(told, bool)
        return number and abs(float(str(told)) - float(str(true))) < 0.005
    if name in NAMES:
        a, b = bare(str(told)), bare(str(true))
        return b in a or (len(a) > 1 and a in b)
    if name == "currency":
        code = str(told).strip().upper()
        return _CURRENCIES.get(code, code) == true
    return bare(str(told)).replace(".", "") == bare(str(true)).replace(".", "")


def _elsewhere(told: object, true: Mapping[str, Any]) -> bool:
    """ "Hong Kong, China" is not the law of the mainland."""
    said, names = bare(str(told)), "".join(bare(str(name)) for name in true["any_of"])
    return any(place in said and place not in names for place in _APART)
