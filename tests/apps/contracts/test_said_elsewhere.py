"""What is said in other places and in other words: edits, annexes, tables, signatures, references."""

from __future__ import annotations

from pathlib import Path

import pytest

from dazi.apps.contracts.edits import edited
from dazi.apps.contracts.findings import Finding
from dazi.apps.contracts.policy import judge
from dazi.apps.contracts.review import review
from dazi.apps.contracts.risks.recogniser import RISKS, risk_of
from dazi.apps.contracts.rules import load_policy
from dazi.core.errors import ConfigError
from tests.apps.contracts.texts import NDA, SERVICE, contract, write


def rules_of(text: str, template: str | None = None) -> dict[str, list[Finding]]:
    """The findings that are not low, by rule."""
    out: dict[str, list[Finding]] = {}
    made = None if template is None else contract(template)
    for f in review(contract(text), made).findings:
        if f.severity != "low":
            out.setdefault(f.rule, []).append(f)
    return out


EDITS = [
    ("Ⓖ warrants that the Goods are new.", "Ⓖ does not warrant that the Goods are new.", True),
    ("The liability of each party is limited to 100% of the price.",
     "The liability of each party, that of Ⓖ excepted, is limited to 100% of the price.", True),
    ("Drawings that Ⓣ provides under this Agreement belong to Ⓣ.",
     "Drawings that Ⓣ provides under this Agreement belong to Ⓖ.", True),
    ("Ⓖ shall indemnify Ⓣ against claims of third parties that the Goods infringe their rights.",
     "Ⓣ shall indemnify Ⓖ against claims of third parties that the Goods infringe their rights.", True),
    ("Neither party shall assign this Agreement without the other party's written consent.",
     "Neither party shall assign this Agreement without informing the other party.", True),
    ("一方违约，经催告后15日内未改正的，守约方可以解除合同。", "一方违约，经催告后15日内未改正的，Ⓣ可以解除合同。", True),
    ("未经Ⓖ书面同意，Ⓣ不得转租。", "Ⓣ未经Ⓖ书面同意，不得转租。", False),
    ("Ⓣ提前30日书面通知Ⓖ，可以解除劳动合同。", "经提前30日书面通知，Ⓣ可以解除劳动合同。", False),
    ("Neither party is liable for an event that it could not avoid.",
     "A party is not liable for an event that it could not avoid.", False),
    ("Damages may not be an adequate remedy for a breach.", "Damages may be an inadequate remedy for a breach.", False),
]  # fmt: skip


@pytest.mark.parametrize(("ours", "theirs", "changed"), EDITS, ids=lambda v: str(v)[:30])
def test_a_few_words_put_in_or_exchanged_are_seen(ours: str, theirs: str, changed: bool) -> None:
    assert bool(list(edited(ours, theirs))) == changed


NOTE = "\n2. 因本附件发生的争议，提交深圳国际仲裁院仲裁。\n"


def test_an_annex_that_names_another_body_contradicts() -> None:
    assert "two_forums" not in rules_of(SERVICE, SERVICE)
    found = rules_of(SERVICE + NOTE, SERVICE)
    assert "深圳国际仲裁院" in found["two_forums"][0].quote


def test_two_laws_contradict() -> None:
    text = SERVICE.replace(
        "1. 日常巡检：每周一次。", "1. 日常巡检：每周一次。\n\n2. 本附件适用英国法律。"
    )
    assert "two_laws" in rules_of(text, SERVICE)


def test_who_seals_and_is_no_party_is_told() -> None:
    signed = "\n\n甲方（盖章）：云杉商贸有限公司\n\n乙方（盖章）：{}\n"
    assert "party_name" not in rules_of(SERVICE + signed.format("杭州启明信息技术有限公司"))
    found = rules_of(SERVICE + signed.format("宁波远帆网络科技有限公司"))
    assert "宁波远帆网络科技有限公司" in found["party_name"][0].quote


def test_a_term_counts_by_the_calendar() -> None:
    months = SERVICE.replace("本合同期限自", "本合同期限共{}，自")
    assert "term_length" not in rules_of(months.format("12个月"))
    assert "term_length" in rules_of(months.format("14个月"))


TABLE = "\n| 事项 | 时限 |\n| --- | --- |\n| 严重故障响应 | {} |\n| 一般故障响应 | 8小时 |\n"


def test_a_cell_that_differs_from_the_templates_is_a_deviation() -> None:
    ours = SERVICE + TABLE.format("30分钟内电话响应，2小时到场")
    assert "changed_cell" not in rules_of(ours, ours)
    found = rules_of(SERVICE + TABLE.format("30分钟内电话响应，12小时到场"), ours)
    assert "12小时" in found["changed_cell"][0].quote


SUMS = (
    "\n| 项目 | 金额（元） |\n| --- | --- |\n| 巡检 | 200,000.00 |\n| 备份 | {} |\n| 合计 | {} |\n"
)


@pytest.mark.parametrize(
    ("item", "total", "rule"),
    [
        ("280,000.00", "480,000.00", ""),
        ("260,000.00", "480,000.00", "items_total"),
        ("310,000.00", "510,000.00", "total_differs"),
    ],
)
def test_a_table_adds_up_to_the_contracts_total(item: str, total: str, rule: str) -> None:
    found = rules_of(SERVICE + SUMS.format(item, total))
    assert {"items_total", "total_differs"} & set(found) == ({rule} if rule else set())


@pytest.mark.parametrize(
    ("shares", "wrong"), [("占45%，A座占30%，B座占25%", False), ("占45%，A座占30%，B座占30%", True)]
)
def test_shares_in_one_sentence_come_to_a_hundred(shares: str, wrong: bool) -> None:
    assert ("instalments" in rules_of(SERVICE + f"\n2. 费用分摊：裙楼{shares}。\n")) == wrong


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("装修期内按第四条免收服务费用。", "clause_wrong_number"),
        ("按第五条支付违约金。", ""),
        ("按第三条第（五）项执行。", "clause_not_there"),
        ("按第三条第（二）项执行。", ""),
    ],
)
def test_a_clause_is_not_pointed_at_for_what_it_does_not_say(text: str, rule: str) -> None:
    found = rules_of(SERVICE + f"\n2. {text}\n")
    assert {"clause_wrong_number", "clause_not_there"} & set(found) == ({rule} if rule else set())


SHORT_NAMES = NDA + "\n9. Harbour owns any improvement or idea that comes up in the talks.\n"


def test_a_short_name_is_a_party() -> None:
    assert "ip-to-other-side" not in rules_of(NDA)
    assert "Harbour owns" in rules_of(SHORT_NAMES)["ip-to-other-side"][0].quote


def test_unlimited_liability_is_told_once() -> None:
    text = SERVICE.replace(
        "任何一方的赔偿责任以服务费总额为限，故意或者重大过失造成的损失除外。",
        "乙方的赔偿责任不受任何金额的限制。",
    )
    found = rules_of(text)
    assert "liability-unlimited" in found
    assert "no-liability-cap" not in found


BURDENS = [
    ("assignment_free", "服务方可以径行将本合同转给其关联企业，发一条短信告诉委托方就行。"),
    ("deemed_acceptance", "甲方三天之内不吭声的，就当活儿已经验收过了。"),
    ("forfeits", "定金无论什么原因一概不退。"),
    ("rights_waived", "The Customer may not withhold payment or set off any claim against the fees."),
]  # fmt: skip


def test_other_words_for_a_burden_are_recognised_and_harmless_ones_not() -> None:
    told = [risk_of(sentence)[0] for _, sentence in BURDENS]
    assert sum(a == b for a, (b, _) in zip(told, BURDENS, strict=True)) >= 3
    for harmless in (
        "未经对方书面同意，任何一方不得转让本合同。",
        "甲方签收仅表示收到货物，不视为对质量的认可。",
        "Either party may terminate this Agreement on sixty days' written notice.",
        "The fees are fixed for the term and change only by written agreement.",
    ):
        assert risk_of(harmless)[0] == "none"


def test_a_rule_of_ones_own_may_use_the_recogniser(tmp_path: Path) -> None:
    rule = "rules:\n  - id: free\n    check: forbid\n    recognised: {}\n    message: m\n"
    policy = write(tmp_path, "p.yaml", rule.format("assignment_free"))
    text = contract(SERVICE + f"\n2. {BURDENS[0][1]}\n")
    assert [f.rule for f in judge(load_policy(policy), text, "service", {})] == ["free"]
    write(tmp_path, "p.yaml", rule.format("bad_luck"))
    with pytest.raises(ConfigError) as told:
        load_policy(policy)
    assert all(risk in told.value.message("en") for risk in RISKS)


def test_a_rule_that_makes_another_needless_exists(tmp_path: Path) -> None:
    rule = "rules:\n  - id: cap\n    check: present\n    topics: [liability]\n    message: m\n"
    policy = write(tmp_path, "p.yaml", f"{rule}    unless_found: [no-such-rule]\n")
    with pytest.raises(ConfigError, match="no-such-rule"):
        load_policy(policy)
