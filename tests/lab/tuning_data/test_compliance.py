"""Stage 3: nobody who has not agreed, nothing past its time, no personal data, no evaluation."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

import pytest

from dazi.guard.engine import Guard
from dazi.guard.pseudonyms import Pseudonyms
from dazi.lab.tuning.data.leaks import Cases, read_cases, without
from dazi.lab.tuning.data.personal import Personal, replaced
from dazi.lab.tuning.data.rights import Rights, permitted
from dazi.lab.tuning.data.samples import Call
from tests.lab.tuning_data.making_kit import draft, lines, recipe, stepped

RECIPE = """
name: a
sources:
  - {kind: file, path: a.jsonl, licence: CC-BY-4.0}
  - kind: file
    path: a.jsonl
    consent: {basis: 员工手册第八条, agreed: agreed.txt, refused: refused.txt}
  - {kind: threads, consent: {basis: 服务条款, everybody: true}}
compliance: {licences: [internal, CC-BY-4.0]}
"""


@pytest.fixture
def rights(tmp_path: Path) -> Rights:
    lines(tmp_path, "a.jsonl", [{"question": "a", "answer": "b"}])
    (tmp_path / "agreed.txt").write_text("lin\nwang, 2026-01-02\n# he\nerased\n", "utf-8")
    (tmp_path / "refused.txt").write_text("wang\n", "utf-8")
    erased = {"erased": 1_000.0}
    return Rights(recipe(tmp_path, RECIPE), erased.get, 500.0)


@pytest.mark.parametrize(
    ("of", "more", "why"),
    [
        (0, {}, ""),
        (0, {"user": "lin"}, "consent"),  # the source says nothing of consent
        (1, {"user": "lin", "at": 900.0}, ""),
        (1, {"user": "wang", "at": 900.0}, "consent"),
        (1, {"user": "he", "at": 900.0}, "consent"),
        (1, {"user": "erased", "at": 900.0}, "erased"),
        (1, {"user": "erased"}, "erased"),  # nobody knows when it was said
        (1, {"user": "erased", "at": 2_000.0}, ""),
        (1, {"user": "lin", "at": 400.0}, "expired"),
        (2, {"user": "anybody", "at": 900.0, "source": "thread"}, ""),
        (2, {"user": "anybody", "at": 499.0, "source": "thread"}, "expired"),
        (2, {"user": "anybody", "source": "thread"}, "expired"),
    ],
)
def test_who_may_be_used(rights: Rights, of: int, more: dict[str, object], why: str) -> None:
    one = draft("问题", "回答", of=of, **more)
    assert rights.fault(one) == why
    if not why:
        assert one.sample.source.licence in ("internal", "CC-BY-4.0")
        assert one.sample.source.consent == ("", "员工手册第八条", "服务条款")[of]


def test_a_licence_of_the_sample_counts_before_the_sources(rights: Rights) -> None:
    one = draft("问题", "回答")
    one.sample.source.licence = "proprietary"
    kept, counts = stepped(permitted(rights), [one, draft("问题", "回答")])
    assert len(kept) == 1 and counts == {"licence:proprietary": 1}


MOBILE, OTHER, MAIL = "13812345678", "13987654321", "li.na@corp.cn"


def personal(*, replace: bool = True) -> Personal:
    return Personal(Guard(), lambda user: f"m-{user}", replace=replace)


def test_the_same_value_has_the_same_stand_in_all_through_a_conversation() -> None:
    one = draft(
        f"我的电话是 {MOBILE},也可以打 {OTHER}", f"好的,{MOBILE} 已登记。", conversation="c"
    )
    one.sample.messages[1].tool_calls = [
        Call("note", {"phone": MOBILE, "more": [{"mail": MAIL}], "n": int(OTHER)})
    ]
    two = draft(f"{OTHER} 打不通", "抱歉。", conversation="c", ref="f:2")
    third = draft(f"打 {OTHER}", "好的。", conversation="d", ref="f:3")
    kept, counts = stepped(replaced(personal()), [one, two, third])
    assert len(kept) == 3 and not counts
    first, answer = (m.content for m in one.sample.messages)
    assert first == "我的电话是 [手机1],也可以打 [手机2]" and answer == "好的,[手机1] 已登记。"
    given = one.sample.messages[1].tool_calls[0].arguments
    assert given == {"phone": "[手机1]", "more": [{"mail": "[邮箱1]"}], "n": "[手机2]"}
    assert two.sample.messages[0].content == "[手机2] 打不通"
    assert third.sample.messages[0].content == "打 [手机1]"
    everything = str([d.sample for d in kept])
    assert not re.search(f"{MOBILE}|{OTHER}|{MAIL}", everything)


def test_a_name_behind_its_label_is_found_in_arguments() -> None:
    one = draft("请登记", "", conversation="c")
    one.sample.messages[1].tool_calls = [Call("note", {"收货人": "王小明"})]
    assert personal().fault(one) == ""
    assert "王小明" not in str(one.sample)


def test_what_looks_personal_and_is_not_stays_word_for_word() -> None:
    texts = (
        "订单 ORD12345 共 1234.50 元,2026-11-30 发出,热线时间 9:00",
        "型号 A-301-22 有货,编号 SKU-1001。",
    )
    one = draft(*texts)
    assert personal().fault(one) == ""
    assert tuple(m.content for m in one.sample.messages) == texts


def test_refusing_in_place_of_replacing() -> None:
    both = [
        draft(f"电话 {MOBILE}", "好的。", user="lin"),
        draft("问题", "回答", ref="f:2", user="lin"),
    ]
    kept, counts = stepped(replaced(personal(replace=False)), both)
    assert counts == {"personal": 1} and kept[0].sample.source.user == "m-lin"


def test_what_a_broken_replacement_leaves_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pseudonyms, "hide", lambda self, text, places, alike=False: text)
    kept, counts = stepped(replaced(personal()), [draft(f"电话 {MOBILE}", "好的。")])
    assert not kept and counts == {"personal_left": 1}


CASES = [
    {
        "id": "1",
        "messages": [{"role": "user", "content": "帮我查一下上个月销售额前十的地区有哪些"}],
    },
    {"id": "2", "turns": [{"user": "给订单 ORD12345 退款,原因是仓库漏发了两件商品"}]},
    {
        "question": "What is the hotel limit for business trips to Beijing and Shanghai?",
        "answer": "500",
    },
    {"messages": [{"role": "user", "content": "你好"}]},
]


@pytest.mark.parametrize(
    ("said", "leaks"),
    [
        ("帮我查一下上个月销售额前十的地区有哪些", True),
        ("请帮我查一下,上个月销售额前十的地区有哪些?谢谢", True),
        ("麻烦帮我查一下上个月销售额前十的地区都有哪些", True),
        ("What is the hotel limit for business trips to Beijing or Shanghai?", True),
        ("你好!", True),
        ("你好,我想问一下退货的政策", False),
        ("帮我查一下上个月各产品的退货率", False),
        ("给订单 ORD54321 开发票,抬头是云杉商贸", False),
        ("What is the meal allowance for business trips?", False),
    ],
)
def test_what_holds_a_case_of_an_evaluation(tmp_path: Path, said: str, leaks: bool) -> None:
    cases = Cases(read_cases([lines(tmp_path, "cases.jsonl", CASES)]), 0.6)
    both = [draft("别的什么问题呢", "嗯"), draft(said, "好的。", ref="f:2")]
    kept, counts = stepped(without(cases), both)
    assert counts == ({"evaluation": 1} if leaks else {})
    assert len(kept) == 2 - leaks


def test_what_very_many_cases_begin_with_tells_nothing() -> None:
    opening = "请根据公司的规定回答下面这个问题:"
    cases = Cases((f"{opening}{w}怎么办理" for w in map(chr, range(0x4E00, 0x4F00))), 0.6)
    assert not cases.in_them([[f"{opening}年假有几天"]]).any()


def test_no_cases_no_leaks() -> None:
    assert not Cases([], 0.6).in_them([["什么"]]).any()


def test_an_id_and_a_conversation_tell_nothing_of_what_was_replaced() -> None:
    ids, talks = set(), set()
    hidden = Personal(Guard(), lambda user: sha256(user.encode()).hexdigest(), replace=True)
    for n, number in enumerate((MOBILE, OTHER)):
        one = draft(f"我的电话是 {number}", "好的。", conversation=f"a.csv#{number}")
        two = draft("还有一个问题", "好的。", conversation=f"a.csv#{number}", ref=f"f:{n + 2}")
        assert hidden.fault(one) == hidden.fault(two) == ""
        assert number not in one.sample.conversation == two.sample.conversation
        ids.add(one.sample.id)
        talks.add(one.sample.conversation)
    assert len(ids) == 1 and len(talks) == 2
    named = draft("问题", "回答", conversation="a.csv#lin", user="lin")
    assert personal().fault(named) == "" and named.sample.conversation != "a.csv#lin"
    plain = draft("问题", "回答", conversation="a.csv#c7", user="lin")
    assert personal().fault(plain) == "" and plain.sample.conversation == "a.csv#c7"
