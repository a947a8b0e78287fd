"""Contracts in other hands: other numbering, other words, other order; what they mean decides."""

from __future__ import annotations

from pathlib import Path

import pytest

from dazi.apps.contracts.fields import fields_of
from dazi.apps.contracts.findings import Finding
from dazi.apps.contracts.polarity import turned
from dazi.apps.contracts.review import review
from dazi.apps.contracts.rules import load_policy
from dazi.core.errors import ConfigError
from tests.apps.contracts.texts import changed, contract, write

RENTAL = """# 设备租用合同

出租方（以下简称甲方）：王建明

承租方（以下简称乙方）：云杉商贸有限公司

## 第一条 设备

甲方将两台叉车出租给乙方使用，乙方不得转租。

## 第二条 期限

租期自2026年5月1日起至2027年4月30日止，共12个月。乙方续租的，应在期满前45日书面通知甲方。

## 第三条 租金

（一）租金总额为人民币玖万陆仟元整（￥96,000.00），乙方在收到发票后20日内按季支付。

（二）运费和保险费由甲方承担，燃料费由乙方承担。

## 第四条 维修

设备故障的，甲方在接到通知后24小时内派人维修，维修费用由甲方承担；因乙方使用不当造成的损坏，不属于免费维修范围。

## 第五条 违约与责任

（一）乙方逾期付款的，每逾期一日按逾期金额的0.05%支付违约金。

（二）任何一方的赔偿责任以租金总额为限，故意或者重大过失除外。

## 第六条 保密

双方对租金等商业条件保密，期限至合同终止后三年。

## 第七条 解除

任何一方提前30日书面通知对方，可以解除本合同。

## 第八条 争议

本合同适用中华人民共和国法律，争议提交上海仲裁委员会仲裁。
"""

SAME_IN_OTHER_WORDS = """# 叉车租赁协议书

甲方（出租人）王建明，身份证号310101197001010011

乙方（承租人）云杉商贸有限公司

壹、租赁物

1. 甲方两台叉车租与乙方使用；转租须经甲方同意。

贰、租期

1. 租期十二个月，从2026年5月1日开始，到2027年4月30日结束。乙方打算续租的，应于届满四十五日之前以书面方式告知甲方。

叁、费用

1. 全部租金总额人民币96,000元（大写：玖万陆仟元整），每季支付一次，乙方自收到发票之日起二十日之内付清。

2. 甲方负担运费及保险费；燃料由乙方负担。

肆、保密与争议

1. 租金等商业条件，双方均应保密，直至合同终止后满三年。

2. 本协议适用中华人民共和国法律。如有争议，由上海仲裁委员会仲裁。

伍、维修

1. 设备发生故障，甲方应自接到通知起二十四小时之内派人修理，费用由甲方负担。乙方使用不当导致的损坏不在免费维修之列。

陆、违约、解除

1. 乙方迟延付款，按迟延金额每日万分之五支付违约金。

2. 除故意或者重大过失外，一方的赔偿责任最高为租金总额。

3. 双方均可提前三十天书面通知对方解除协议。
"""


def grave(text: str, template: str = RENTAL) -> list[Finding]:
    return [f for f in review(contract(text), contract(template)).findings if f.severity != "low"]


def test_another_order_other_numbers_and_other_words_are_no_deviation() -> None:
    assert grave(SAME_IN_OTHER_WORDS) == []


def test_fields_are_the_same_in_both() -> None:
    one, other = (
        {n: f.value for n, f in fields_of(contract(t)).items()}
        for t in (RENTAL, SAME_IN_OTHER_WORDS)
    )
    assert one == other
    assert (
        one["party_a"] == "王建明"
        and one["renewal_notice_days"] == 45
        and one["penalty_rate"] == 0.05
    )


CHANGES = [
    ("乙方不得转租", "乙方可以自行转租"),
    ("运费和保险费由甲方承担", "运费和保险费由乙方承担"),
    ("在接到通知后24小时内派人维修", "尽快派人维修"),
    ("不属于免费维修范围", "甲方同样免费维修"),
    ("任何一方提前30日书面通知对方，可以解除", "甲方提前30日书面通知乙方，可以解除"),
    ("期限至合同终止后三年", "期限至合同终止时止"),
    ("上海仲裁委员会", "厦门仲裁委员会"),
    ("收到发票后20日内", "收到发票后50日内"),
    ("乙方逾期付款的", "甲方有权随时变更附件。乙方逾期付款的"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new"), CHANGES)
def test_what_changes_rights_is_found(old: str, new: str) -> None:
    found = [f for f in grave(changed(RENTAL, old, new)) if f.quote]
    assert found, (old, new)
    text = new.split("。")[0]
    assert any(text[:6] in f.quote or f.quote in new for f in found), [f.quote for f in found]


CONTRADICTIONS = [
    ("共12个月", "共18个月", "term_length"),
    ("（二）任何一方的赔偿责任", "（二）乙方拖欠租金的，按日千分之三支付违约金。任何一方的赔偿责任", "penalties_differ"),
    ("争议提交上海仲裁委员会仲裁。", "争议提交上海仲裁委员会仲裁。\n\n## 第九条 其他\n\n因付款发生的争议由上海市浦东新区人民法院管辖。", "two_forums"),
    ("争议提交", "乙方（即云衫商贸有限公司）的争议提交", "party_name"),
    ("期限至合同终止后三年。", "期限至合同终止后三年。保密期限为合同终止后一年。", "periods_differ"),
    ("（二）运费", "乙方应在收到发票后35日内付清当季租金。\n\n（二）运费", "payment_terms_differ"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "rule"), CONTRADICTIONS)
def test_what_is_said_twice_and_differently(old: str, new: str, rule: str) -> None:
    assert rule in [f.rule for f in grave(changed(RENTAL, old, new))]


def test_a_clause_is_pointed_at_for_what_it_is_not_about() -> None:
    wrong = changed(RENTAL, "可以解除本合同", "可以解除本合同，第四条保密义务继续有效")
    assert [f.rule for f in grave(wrong)] == ["clause_wrong_number"]
    right = changed(RENTAL, "可以解除本合同", "可以解除本合同，第六条保密义务继续有效")
    assert "clause_wrong_number" not in [f.rule for f in grave(right)]


def test_shares_in_a_table_that_do_not_come_to_a_hundred() -> None:
    table = "| 指标 | 权重 |\n| --- | --- |\n| 响应 | 50% |\n| 完好 | 30% |\n| 报告 | 20% |"
    assert grave(f"{RENTAL.strip()}\n\n{table}") == []
    assert [f.rule for f in grave(f"{RENTAL.strip()}\n\n{table.replace('30%', '40%')}")] == [
        "instalments"
    ]


@pytest.mark.parametrize(
    ("ours", "theirs", "language", "word"),
    [
        ("未经甲方同意，乙方不得更换人员。", "人员的更换须先经甲方同意。", "zh", ""),
        ("未经甲方同意，乙方不得更换人员。", "乙方可根据需要更换人员。", "zh", "更换"),
        ("甲方应当提前通知乙方。", "甲方无须通知乙方。", "zh", "通知"),
        ("Supplier shall not subcontract the work.", "Supplier may subcontract the work.", "en", "subcontract"),
        ("Supplier shall not subcontract without consent.", "Subcontracting requires the consent of Customer.", "en", ""),
        ("The work does not infringe rights.", "The work infringes no rights.", "en", ""),
    ],
)  # fmt: skip
def test_denials_are_told_by_their_verbs(ours: str, theirs: str, language: str, word: str) -> None:
    assert turned(ours, theirs, language) == word


def test_what_the_template_says_too_is_low_unless_the_policy_is_ones_own() -> None:
    strict = changed(RENTAL, "收到发票后20日内", "收到发票后90日内")
    told = [
        f
        for f in review(contract(strict), contract(strict)).findings
        if f.rule == "payment-term-long"
    ]
    assert [f.severity for f in told] == ["low"] and "范本" in told[0].message.zh
    alone = [f for f in review(contract(strict)).findings if f.rule == "payment-term-long"]
    assert [f.severity for f in alone] == ["medium"]
    own = review(contract(strict), contract(strict), own_policy=True).findings
    assert [f.severity for f in own if f.rule == "payment-term-long"] == ["medium"]


def test_words_of_a_policy_stand_for_many(tmp_path: Path) -> None:
    policy = write(
        tmp_path, "p.yaml",
        "words:\n  machine: [叉车, 吊车]\nrules:\n  - id: m\n    check: forbid\n    message: x\n    pattern: ['{party}[^。]{0,6}两台{machine}', 没有]\n",
    )  # fmt: skip
    assert [f.rule for f in review(contract(RENTAL), None, load_policy(policy)).findings] == ["m"]
    wrong = write(
        tmp_path, "w.yaml", "rules:\n  - {id: a, check: forbid, message: x, pattern: '{moon}'}"
    )
    with pytest.raises(ConfigError, match="moon"):
        load_policy(wrong)


ENGLISH = [
    ("between Alder Freight (Suzhou) Co., Ltd. 12 Dock Road (\"Customer\") and Birch Systems GmbH, Bonn (\"Supplier\")", "Alder Freight (Suzhou) Co., Ltd.", "Birch Systems GmbH"),
    ("(1) ALDER FREIGHT (SUZHOU) CO., LTD., whose office is in Suzhou (the \"Customer\"); and (2) BIRCH SYSTEMS AS, Oslo (the \"Supplier\").", "ALDER FREIGHT (SUZHOU) CO., LTD.", "BIRCH SYSTEMS AS"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "first", "second"), ENGLISH)
def test_parties_however_they_are_named(text: str, first: str, second: str) -> None:
    found = fields_of(
        contract(f"# Agreement\n\nThis Agreement is made {text}\n\n1. Term. It runs for two years.")
    )
    assert [found["party_a"].value, found["party_b"].value] == [first, second]
