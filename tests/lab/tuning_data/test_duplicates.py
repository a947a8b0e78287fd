"""Duplicates and near-duplicates: found, and only they; what belongs together stays together."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from dazi.lab.tuning.data.cleaning import deduplicated
from dazi.lab.tuning.data.duplicates import Text, _dropped, find
from dazi.lab.tuning.data.hashing import PLACES, folded, numbers, shingles, signatures
from tests.lab.tuning_data.making_kit import draft, stepped

SENTENCES = [
    "一线城市出差住宿标准为每晚五百元,超出部分须事先批准,事后不再报销。",
    "签收后七天内可以无理由退货,商品要保持完好,赠品一并退回。",
    "会议室提前十四天开放预订,迟到十五分钟自动释放,不再保留。",
    "The travel desk books trains and flights; receipts are handed in within a month.",
    "Passwords are changed once a year and are never sent by mail or in a chat.",
]
HANZI = [chr(c) for c in range(0x4E00, 0x5A00)]


def one(text: str, together: str = "") -> Text:
    return Text(text, text, together or text)


def prose(r: random.Random, length: int) -> str:
    return "".join(r.choices(HANZI, k=length))


def edited(text: str, share: float, r: random.Random) -> str:
    out = list(text)
    for at in r.sample(range(len(out)), max(1, int(len(out) * share))):
        out[at] = r.choice(HANZI)
    return "".join(out)


def test_the_estimate_is_the_jaccard_similarity() -> None:
    r = random.Random(1)
    for share in (0.2, 0.5, 0.8):
        errors = []
        for _ in range(20):
            common = prose(r, int(400 * share))
            a, b = (common + prose(r, 400 - len(common)) for _ in range(2))
            sets = [{t[i : i + 5] for i in range(len(t) - 4)} for t in (a, b)]
            exact = len(sets[0] & sets[1]) / len(sets[0] | sets[1])
            made = signatures(shingles([a, b]))
            errors.append(float((made[0] == made[1]).mean()) - exact)
        assert abs(np.mean(errors)) < 0.04  # unbiased
        assert max(map(abs, errors)) < 4 * (0.25 / PLACES) ** 0.5


def test_a_text_has_the_same_signature_in_any_company() -> None:
    alone = signatures(shingles([folded(SENTENCES[1])]))
    among = signatures(shingles([folded(s) for s in ("a", *SENTENCES, "")]))
    assert (among[2] == alone[0]).all()
    assert not (among[1] == alone[0]).all()


def test_more_shingles_than_are_worked_on_at_once() -> None:
    long = prose(random.Random(7), 90_000)
    apart = [signatures(shingles([t])) for t in (SENTENCES[0], long, SENTENCES[1])]
    together = signatures(shingles([SENTENCES[0], long, SENTENCES[1]]))
    assert (together == np.concatenate(apart)).all()


def test_width_case_and_punctuation_make_no_difference(tmp_path: Path) -> None:
    texts = ["请 问,订单怎么退?ABC", "别的问题是什么呢", "请问,订单怎么退？ａｂｃ"]
    found = find(map(one, texts), tmp_path, 0.7)
    assert found.same.tolist() == [False, False, True]
    assert not list(tmp_path.iterdir())


def test_small_edits_of_long_texts_are_near_and_others_are_not(tmp_path: Path) -> None:
    r = random.Random(2)
    base = [prose(r, 300) for _ in range(40)]
    texts = [*map(one, base), *(one(edited(b, 0.01, r)) for b in base)]
    found = find(texts, tmp_path, 0.7)
    assert not found.near[:40].any()
    assert found.near[40:].sum() >= 38


def test_another_number_is_no_duplicate_but_stays_in_the_group(tmp_path: Path) -> None:
    long = "".join(SENTENCES[:3])
    texts = [
        one(long + "报销须在 30 天内提交。"),
        one(long + "报销须在 15 天内提交。"),
        one("别的" * 30),
    ]
    found = find(texts, tmp_path, 0.6)
    assert not found.near.any() and not found.same.any()
    assert found.group.tolist() == [0, 0, 2]
    assert numbers("30 天") != numbers("15 天") and numbers("一下") == numbers("看看")


def test_what_is_alike_only_to_one_that_goes_does_not_go() -> None:
    pairs = np.array([(0 << 32) | 1, (1 << 32) | 2, (2 << 32) | 3], np.uint64)
    none = np.zeros(4, np.bool_)
    assert _dropped(pairs, none).tolist() == [False, True, False, True]
    third = np.array([False, False, True, False])
    assert _dropped(pairs, third).tolist() == [False, True, False, False]


def test_a_conversation_is_one_group_whatever_it_says(tmp_path: Path) -> None:
    texts = [one(s, "c1" if n in (1, 4) else f"own{n}") for n, s in enumerate(SENTENCES)]
    assert find(texts, tmp_path, 0.7).group.tolist() == [0, 1, 2, 3, 1]


@pytest.mark.parametrize("count", [0, 1])
def test_few_and_none(tmp_path: Path, count: int) -> None:
    found = find([one("只有这一条")] * count, tmp_path, 0.7)
    assert len(found.same) == len(found.near) == len(found.group) == count


def test_the_step_counts_both_kinds(tmp_path: Path) -> None:
    long = "".join(SENTENCES[:3])
    drafts = [
        draft("怎么规定的?", long, ref="f:1"),
        draft("怎么规定的?", long, ref="f:2"),
        draft("怎么规定的?", long + "完。", ref="f:3"),
        draft("别的问题", "别的回答在这里", ref="f:4"),
    ]
    kept, counts = stepped(deduplicated(tmp_path, 0.7, grouping=True), drafts)
    assert [d.sample.source.ref for d in kept] == ["f:1", "f:4"]
    assert counts == {"duplicate": 1, "near_duplicate": 1}
    assert [d.group for d in kept] == [0, 3]


def test_without_near_duplicates(tmp_path: Path) -> None:
    long = "".join(SENTENCES[:3])
    found = find(map(one, (long, long + "完。", long)), tmp_path, 0)
    assert found.same.tolist() == [False, False, True] and not found.near.any()


def test_a_point_makes_another_number(tmp_path: Path) -> None:
    asked = "年利率是多少呢"
    answers = ("年利率是1.5%", "年利率是15%", "年利率是 1.5 %。")
    drafts = [draft(asked, a, ref=f"f:{n}") for n, a in enumerate(answers)]
    kept, counts = stepped(deduplicated(tmp_path, 0.6), drafts)
    assert [d.sample.source.ref for d in kept] == ["f:0", "f:1"] and counts == {"duplicate": 1}
