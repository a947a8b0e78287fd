"""Facts that the template fixes and the contract has otherwise: whose law, which court, what currency."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from dazi.apps.contracts.evidence import Field
from dazi.apps.contracts.findings import Finding, at
from dazi.apps.contracts.likeness import essence, likeness
from dazi.apps.contracts.lines import blank
from dazi.apps.contracts.roles import Roles
from dazi.core.language import Text

SAME_MATTER = 0.2
_FIXED = {
    "governing_law": ("适用法律", "the governing law"),
    "seat": ("争议解决机构或地点", "the court or arbitration body"),
    "currency": ("币种", "the currency"),
    "payment_days": ("付款天数", "the payment term in days"),
    "liability_cap": ("责任上限(%)", "the limit of liability (%)"),
    "renewal_notice_days": ("续期通知天数", "the notice of renewal in days"),
}


def departures(
    template: Mapping[str, Field], contract: Mapping[str, Field], ours_as: Roles, theirs_as: Roles
) -> Iterator[Finding]:
    """One finding for each fact that differs; what the template leaves blank or does not say is no fact."""
    for name, (zh, en) in _FIXED.items():
        ours, theirs = template.get(name), contract.get(name)
        if ours is None or theirs is None or _same(ours.value, theirs.value):
            continue
        if name == "seat" and _same(
            ours_as.marked(str(ours.value)), theirs_as.marked(str(theirs.value))
        ):
            continue
        if blank(ours.quote) and name != "currency":
            continue
        if name.endswith("_days") and not _alike(ours.quote, theirs.quote):
            continue
        yield at(
            theirs.clause,
            f"other_{name}",
            "deviation",
            "medium",
            Text(
                f"{zh}是 {theirs.value},范本是 {ours.value}",
                f"{en} is {theirs.value}, in the template {ours.value}",
            ),
            Text(f"按范本改回 {ours.value}", f"restore {ours.value}"),
            theirs.quote,
            ours.quote,
        )


def _alike(ours: str, theirs: str) -> bool:
    """Whether they speak of the same payment or notice."""
    language = "zh" if re.search(r"[\u3400-\u9fff]", ours) else "en"
    bare = [re.sub(r"\d+", " ", essence(s, language)) for s in (ours, theirs)]
    return bool(likeness(bare[:1], bare[1:], language)[0, 0] >= SAME_MATTER)


def _same(ours: object, theirs: object) -> bool:
    """The same value; of names, one within the other or the same place."""
    if not isinstance(ours, str) or not isinstance(theirs, str):
        return ours == theirs
    one, other = (re.sub(r"[\W_]|有管辖权的|人民", "", s).lower() for s in (ours, theirs))
    if one in other or other in one:
        return True
    if all(_THE_PLACE.search(s) for s in (ours, theirs)):
        return True
    alike = set(_PLACES.findall(ours)) & set(_PLACES.findall(theirs))
    party = re.match(r"(?:甲方|乙方|原告|被告)|[\u3400-\u9fff]{2,8}(?:住所|所在|签订|履行)地", ours)
    return bool(alike) or bool(party and theirs.startswith(party[0]))


_THE_PLACE = re.compile(
    r"(?:铺|房|屋|厂|租赁物|租赁标的|场地|不动产|物业)[\u3400-\u9fff]{0,2}所在地"
)
_PLACES = re.compile(
    r"[\u3400-\u9fff]{2,3}?(?=市|区|仲裁|国际)|CIETAC|SHIAC|China International Economic"
)
