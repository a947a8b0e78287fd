"""One thing is wrong in a contract that is otherwise right: it is found, with its words, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dazi.apps.contracts.clauses import read_contract
from dazi.apps.contracts.fields import NAMES, fields_of
from dazi.apps.contracts.findings import Finding
from dazi.apps.contracts.review import review
from dazi.apps.contracts.rules import load_policy
from dazi.apps.contracts.topics import kind_of
from dazi.core.errors import ConfigError
from dazi.knowledge.blocks import Block
from tests.apps.contracts.texts import NDA, SERVICE, changed, contract, write
from tests.main.test_commands import dazi

OURS = ("云杉商贸", "Yunshan Trading")


def grave(text: str, template: str | None = None) -> list[Finding]:
    done = review(contract(text), contract(template) if template else None, ours=OURS)
    return [f for f in done.findings if f.severity != "low"]


def test_what_is_right_has_no_findings() -> None:
    for text in (SERVICE, NDA):
        assert grave(text, text) == [] and grave(text) == []


def test_fields() -> None:
    found = {n: f.value for n, f in fields_of(contract(SERVICE)).items()}
    assert found == {
        "party_a": "云杉商贸有限公司", "party_b": "杭州启明信息技术有限公司", "total_amount": 480000,
        "currency": "CNY", "start_date": "2025-04-01", "end_date": "2026-03-31",
        "governing_law": "中华人民共和国", "seat": "上海仲裁委员会", "payment_days": 30,
        "liability_cap": 100, "penalty_rate": 0.05, "renewal_notice_days": 60,
    }  # fmt: skip
    english = {n: f.value for n, f in fields_of(contract(NDA)).items()}
    assert english == {
        "party_a": "Yunshan Trading Co., Ltd.", "party_b": "Harbour Analytics Pte. Ltd.", "currency": "CNY",
        "start_date": "2025-03-03", "end_date": "2027-03-02",
        "governing_law": "People's Republic of China",
        "seat": "Shanghai International Arbitration Center",
    }  # fmt: skip
    assert kind_of(contract(SERVICE)) == "service" and kind_of(contract(NDA)) == "nda"


SERVICE_FAULTS = [
    ("提交上海仲裁委员会在上海仲裁", "提交香港国际仲裁中心仲裁", "policy", "seat-abroad", "香港"),
    ("适用中华人民共和国法律", "适用新加坡法律", "policy", "foreign-law", "新加坡"),
    ("发票后30日内", "发票后90日内", "policy", "payment-term-long", "90日"),
    ("期满前60日", "期满前10日", "policy", "renewal-notice-short", "10日"),
    ("合同终止后三年", "合同终止后一年", "policy", "confidentiality-short", "一年"),
    ("每逾期一日按逾期金额的万分之五支付违约金", "按服务费总额的30%支付违约金", "policy", "penalty-high", "30%"),
    ("任何一方的赔偿责任以服务费总额为限，故意或者重大过失造成的损失除外。", "乙方的责任不设上限。", "policy", "liability-unlimited", "不设上限"),
    ("任何一方严重违约，经书面通知后30日内未改正的，对方可以解除合同", "乙方可以随时解除合同，甲方不得提前解除", "policy", "one-sided-termination", "随时解除"),
    ("￥480,000.00", "￥408,000.00", "contradiction", "sum_in_words", "408,000"),
    ("2026年3月31日止", "2024年3月31日止", "contradiction", "dates_out_of_order", "2024年"),
    ("对方可以解除合同", "对方可以按第十五条解除合同", "reference", "clause_not_there", "第十五条"),
    ("《服务清单》", "《服务清单》和附件三《价目表》", "reference", "annex_not_there", "附件三"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "kind", "rule", "quote"), SERVICE_FAULTS)
def test_one_fault_is_found_where_it_is(
    old: str, new: str, kind: str, rule: str, quote: str
) -> None:
    found = grave(changed(SERVICE, old, new))
    hit = [f for f in found if f.rule == rule]
    assert hit and hit[0].kind == kind and quote in hit[0].quote, [f.rule for f in found]
    assert hit[0].message.zh and hit[0].message.en and hit[0].suggestion.zh
    assert not [f for f in found if quote not in f.quote and f.quote], [f.rule for f in found]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("未经甲方书面同意，乙方不得将服务分包给第三方", "乙方可以将服务分包给第三方", "书面"),
        ("30日内未改正的", "90日内未改正的", "30"),
        (
            "双方对履行合同中知悉的对方商业秘密负有保密义务",
            "甲方对履行合同中知悉的乙方商业秘密负有保密义务",
            "一方",
        ),
    ],
)
def test_a_changed_duty_is_a_deviation(old: str, new: str, told: str) -> None:
    found = [f for f in grave(changed(SERVICE, old, new), SERVICE) if f.kind == "deviation"]
    assert len(found) == 1 and told in found[0].message.zh, found
    assert found[0].expected and found[0].severity in ("medium", "high")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("甲方应当在收到发票后30日内，按季度支付服务费。", "服务费按季度结算，甲方须于收到发票之日起30日内付清。"),
        ("未经甲方书面同意，乙方不得将服务分包给第三方。", "乙方须经甲方书面同意方可将服务分包给第三方。"),
        ("任何一方严重违约，经书面通知后30日内未改正的，对方可以解除合同。", "一方根本违约且在收到对方书面通知后30日内仍未纠正的，另一方有权解除本合同。"),
    ],
)  # fmt: skip
def test_the_same_in_other_words_is_nothing_grave(old: str, new: str) -> None:
    assert grave(changed(SERVICE, old, new), SERVICE) == []


def test_a_clause_that_is_gone_is_missing_and_one_that_moved_is_not() -> None:
    start, end = SERVICE.index("## 四、保密"), SERVICE.index("## 五、违约")
    gone = SERVICE[:start] + SERVICE[end:]
    missing = [f for f in grave(gone, SERVICE) if f.kind == "missing"]
    assert [f.rule for f in missing] == ["missing_confidentiality"]
    assert "保密" in missing[0].message.zh and not missing[0].quote
    moved = SERVICE[:start] + SERVICE[end : SERVICE.index("## 七")] + SERVICE[start:end]
    moved += SERVICE[SERVICE.index("## 七") :]
    assert [f for f in grave(moved, SERVICE) if f.kind in ("missing", "deviation")] == []


def test_a_clause_that_was_merged_into_another_is_not_missing() -> None:
    start, end = SERVICE.index("## 四、保密"), SERVICE.index("## 五、违约")
    sentence = "双方对履行合同中知悉的对方商业秘密负有保密义务，保密期限为合同终止后三年。"
    merged = changed(SERVICE[:start] + SERVICE[end:], "在上海仲裁。", f"在上海仲裁。{sentence}")
    assert [f for f in grave(merged, SERVICE) if f.kind == "missing"] == []


def test_items_that_do_not_add_up() -> None:
    rows = "| 项目 | 数量 | 单价 | 金额 |\n| --- | --- | --- | --- |\n| 巡检 | 4 | 100,000 | 400,000 |\n"
    table = rows + "| 备份 | 2 | 40,000 | 80,000 |\n| 合计 | | | 480,000 |"
    with_table = changed(SERVICE, "（二）甲方应当在", f"{table}\n\n（二）甲方应当在")
    assert grave(with_table) == []
    assert [f.rule for f in grave(changed(with_table, "| 40,000 |", "| 45,000 |"))] == [
        "line_amount"
    ]
    wrong = changed(with_table, "| 合计 | | | 480,000 |", "| 合计 | | | 580,000 |")
    assert [f.rule for f in grave(wrong)] == ["items_total"]


ENGLISH_FAULTS = [
    ("laws of the People's Republic of China", "laws of England and Wales", "foreign-law"),
    ("Shanghai International Arbitration Center for arbitration in Shanghai", "Singapore International Arbitration Centre", "seat-abroad"),
    ("three (3) years after", "one (1) year after", "confidentiality-short"),
    ("6. Remedies. A breach", "6. Remedies. Subject to Section 14, a breach", "clause_not_there"),
    ("Neither party may assign this Agreement without the prior written consent of the other", "Harbour may freely assign this Agreement without consent or notice", "assignment-without-consent"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "rule"), ENGLISH_FAULTS)
def test_faults_in_english(old: str, new: str, rule: str) -> None:
    assert rule in [f.rule for f in grave(changed(NDA, old, new))]


def test_what_typesetting_and_scans_do_to_a_text_changes_nothing() -> None:
    noisy = changed(SERVICE, "服务费总额为人民币", "服 务 费 总 额 为 人 民 币")
    noisy = changed(noisy, "自2025年4月1日", "自２０２５年 4 月 1 日")
    found = {n: f.value for n, f in fields_of(contract(noisy)).items()}
    assert found == {n: f.value for n, f in fields_of(contract(SERVICE)).items()}


def test_lines_that_break_in_a_sentence_are_one_clause() -> None:
    blocks = [
        Block("heading", "合同", 1),
        Block("text", "第一条 付款", 0, 1),
        Block("text", "1.1 甲方应当在收到乙方开具的增值税专用发票之后三十日内向", 0, 1),
        Block("text", "乙方付清全部货款。", 0, 2),
    ]
    made = read_contract(blocks)
    assert made.clauses[-1].text.endswith("之后三十日内向乙方付清全部货款。")
    assert made.clauses[-1].page == 1 and made.pages == 2


def test_the_other_sides_place_is_told_from_ones_own() -> None:
    own = changed(SERVICE, "争议提交上海仲裁委员会在上海仲裁", "争议向甲方所在地人民法院起诉")
    assert grave(own) == []
    theirs = changed(SERVICE, "争议提交上海仲裁委员会在上海仲裁", "争议向乙方所在地人民法院起诉")
    assert [f.rule for f in grave(theirs)] == ["jurisdiction-other-side"]
    unknown = review(contract(own), ours=())
    assert "jurisdiction-other-side" in [f.rule for f in unknown.findings]


# --- policy --------------------------------------------------------------------------------------


def test_the_built_in_policy_has_rules_of_every_check() -> None:
    rules = load_policy()
    assert len(rules) >= 25
    assert {r.check for r in rules} >= {"field", "present", "forbid", "period", "percent"}
    assert all(r.message.zh and r.message.en and r.suggestion.zh for r in rules)


def test_a_policy_of_ones_own(tmp_path: Path) -> None:
    text = """
rules:
  - id: short-payment
    check: field
    field: payment_days
    max: 14
    severity: high
    message: {zh: "付款 {value} 天,超过 {limit}", en: "payment in {value} days, over {limit}"}
    suggestion: 缩短
  - id: needs-audit
    check: require
    topics: [disputes]
    pattern: 审计
    message: 争议条款没有提到审计
"""
    rules = load_policy(write(tmp_path, "p.yaml", text))
    done = review(contract(SERVICE), None, rules)
    assert [(f.rule, f.severity) for f in done.findings] == [
        ("short-payment", "high"),
        ("needs-audit", "medium"),
    ]
    assert done.findings[0].message.zh == "付款 30 天,超过 14" and "30日" in done.findings[0].quote


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rules: []", "needs a list"),
        ("rules:\n  - {id: a, check: field, field: colour, message: x}", "field must be one of"),
        ("rules:\n  - {id: a, check: forbid, message: x}", "lacks pattern"),
        ("rules:\n  - {id: a, check: forbid, pattern: '(', message: x}", "no regular expression"),
        ("rules:\n  - {id: a, check: look, message: x}", "check must be one of"),
        ("rules:\n  - {id: a, check: present, topics: [moon], message: x}", "topics must be of"),
        ("rules:\n  - {id: a, check: present, colour: red, message: x}", "does not know colour"),
        ("rules:\n  - {id: a, check: present, severity: dire, message: x}", "severity must be"),
        ("rules:\n  - {id: a, check: present, message: x}\n  - {id: a, check: present, message: x}", "twice"),
        ("rules:\n  - [", "not valid YAML"),
    ],
)  # fmt: skip
def test_a_policy_that_is_wrong_says_where_and_how_to_mend_it(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        load_policy(write(tmp_path, "p.yaml", text))
    assert said in refused.value.text.en and "p.yaml" in refused.value.text.en


# --- the command ---------------------------------------------------------------------------------


def test_the_command_prints_what_programs_and_people_read(tmp_path: Path) -> None:
    where = {"DAZI_DATA": str(tmp_path / "d"), "DAZI_LANG": "en"}
    bad = changed(SERVICE, "发票后30日内", "发票后90日内")
    file, template = write(tmp_path, "c.md", bad), write(tmp_path, "t.md", SERVICE)
    done = dazi("review", str(file), "--template", str(template), "--json", **where)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["fields"]["payment_days"] == 90 and told["kind"] == "service"
    assert set(told["fields"]) == set(NAMES)
    rules = {(f["rule"], f["kind"], f["severity"]) for f in told["findings"]}
    assert ("payment-term-long", "policy", "medium") in rules
    shown = dazi("review", str(file), **where).stdout
    assert "payment in 90 days, over 60" in shown and "发票后90日内" in shown
    clean = dazi("review", str(template), **where).stdout
    assert "Nothing was found." in clean
    missing = dazi("review", str(tmp_path / "none.pdf"), **where)
    assert missing.returncode == 2 and "there is no file" in missing.stderr
