"""What is found in texts, made up and written by hand, and that it does not matter how."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from dazi.guard import hyperscan_anchors
from dazi.guard.anchors import class_anchors
from dazi.guard.engine import Guard
from dazi.guard.findings import Certainty, Finding, groups, resolve
from dazi.guard.folding import fold
from dazi.guard.recognisers import identity
from dazi.guard.recognisers.base import Recogniser
from dazi.guard.recognisers.registry import BUILT_IN, TYPES, registered
from dazi.guard.scanning import Scanner
from tests.guard.generate import Case, cases
from tests.guard.texts import texts
from tests.guard.written import written

FIXTURE = Path(
    os.environ.get("DAZI_SHARED", Path(__file__).resolve().parents[3] / "shared")
) / "evaldata" / "pii_zh_fixture" / "benchmark_zh.json"  # fmt: skip
FIXTURE_TYPES = {
    "phone": "mobile",
    "id_number": "resident_id",
    "license_plate": "plate",
}


def spans(found: Iterable[Finding]) -> set[tuple[int, int, str]]:
    return {(f.start, f.end, f.type) for f in found}


def compare(guard: Guard, given: Iterable[Case]) -> tuple[Counter[str], list[str]]:
    """How many of the expected spans were found exactly, missed and made up, and which differ."""
    counts: Counter[str] = Counter()
    differ = []
    for case in given:
        found, expected = spans(guard.scan(case.text)), set(case.expected)
        counts += Counter(
            found=len(found & expected), missed=len(expected - found), made_up=len(found - expected)
        )
        if found != expected:
            differ.append(f"{case.text!r}: {sorted(found ^ expected)}")
    return counts, differ


def test_made_up_cases_meet_the_bar(guard: Guard) -> None:
    counts, differ = compare(guard, cases(20_261_128, 10_000))
    assert counts["found"] + counts["missed"] > 10_000
    recall = counts["found"] / (counts["found"] + counts["missed"])
    precision = counts["found"] / (counts["found"] + counts["made_up"])
    assert recall >= 0.999 and precision >= 0.99, (recall, precision, differ[:10])


def test_without_its_check_a_recogniser_would_fail_the_bar(
    guard: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "_checks", lambda _: True)
    counts, _ = compare(guard, cases(20_261_128, 2_000))
    assert counts["found"] / (counts["found"] + counts["made_up"]) < 0.99


@pytest.mark.parametrize("case", written(), ids=lambda case: case.text[:40])
def test_written_cases(guard: Guard, case: Case) -> None:
    assert spans(guard.scan(case.text)) == set(case.expected)


def test_every_type_is_in_a_written_case() -> None:
    assert {type_ for case in written() for _, _, type_ in case.expected} == set(TYPES)


@pytest.mark.skipif(not FIXTURE.is_file(), reason="the shared fixture is not here")
def test_the_shared_fixture(guard: Guard) -> None:
    """By text: some of its places are off by a character or two."""
    for entry in json.loads(FIXTURE.read_text("utf-8")):
        text = entry["input"]
        expected = [(e["text"], FIXTURE_TYPES.get(e["type"], e["type"])) for e in entry["entities"]]
        found = [(text[f.start : f.end], f.type) for f in guard.scan(text)]
        assert found == expected, entry["id"]


# --- the same result however it is looked for ---------------------------------------------------


def everywhere(text: str) -> tuple[Finding, ...]:
    """Every pattern tried at every place: what anchors only make faster."""
    folded = fold(text).text
    return resolve(f for r in BUILT_IN for f in r.find(folded, 0, len(folded), len(folded)))


def near_anchors(text: str, monkeypatch: pytest.MonkeyPatch, *, hyperscan: bool) -> object:
    with monkeypatch.context() as m:
        if not hyperscan:
            m.setattr(hyperscan_anchors, "hyperscan", None)
        return resolve(Scanner(BUILT_IN).candidates(fold(text)))


WAYS = [
    False,
    pytest.param(
        True,
        marks=pytest.mark.skipif(
            hyperscan_anchors.hyperscan is None, reason="hyperscan is not installed"
        ),
    ),
]


@pytest.mark.parametrize("hyperscan", WAYS)
def test_anchors_lose_nothing(hyperscan: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    given = [*(c.text for c in written()), *(c.text for c in cases(7, 500)), *texts(7, 1_500)]
    for text in given:
        assert near_anchors(text, monkeypatch, hyperscan=hyperscan) == everywhere(text), text


def test_bytes_of_two_characters_are_no_character() -> None:
    """The at sign's bytes stand across the border of these two."""
    folded = fold("䀀一")
    assert b"@\x00" in folded.raw[1:]
    found = hyperscan_anchors.find(folded)
    assert not found or not found["at"]


def test_without_hyperscan_there_are_no_anchors_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hyperscan", None)
    spec = spec_from_file_location("another", hyperscan_anchors.__file__)
    assert spec is not None and spec.loader is not None
    another = module_from_spec(spec)
    spec.loader.exec_module(another)
    assert another.find(fold("13800138000")) is None


@pytest.mark.skipif(hyperscan_anchors.hyperscan is None, reason="hyperscan is not installed")
def test_a_processor_that_hyperscan_does_not_run_on(
    guard: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Refusing:
        def __init__(self, **_: object) -> None: ...

        def compile(self, **_: object) -> None:
            raise hyperscan_anchors.hyperscan.HyperscanError("no SSSE3")

    hyperscan_anchors._databases.cache_clear()
    monkeypatch.setattr(hyperscan_anchors.hyperscan, "Database", Refusing)
    try:
        assert hyperscan_anchors.find(fold("13800138000")) is None
        assert [f.type for f in guard.scan("打13800138000")] == ["mobile"]
    finally:
        hyperscan_anchors._databases.cache_clear()


@pytest.mark.parametrize(
    "text",
    [
        "王庄3号",
        "西湖区文三路100号开3号",
        "logo@2x.png",
        "git@github.com:a/b.git",
        "请发送到@例子.公司",
        "01.2.3.4",
        "1.2.3.4 概述",
        "abcd::efab",
        "收货人:方案书",
        "订单号010-62345678",
        "A010-62345678",
        "057112345678",
        "sk-aaaaaaaaaaaaaaaaaaaaaaaa",
        "token=12345",
        "Bearer xxxxxxxxxxxxxxxx",
        "password is good",
        "123456789012345",
    ],
)
def test_what_only_looks_like_it(guard: Guard, text: str) -> None:
    assert {f.type for f in guard.scan(text)} <= {"address"} and (
        "路" in text or not guard.scan(text)
    )


def test_a_mailbox_whose_name_the_sentence_leads_into(guard: Guard) -> None:
    found = guard.scan("请发送到张三@例子.公司")
    assert [(f.start, f.end) for f in found] == [(4, 12)]


def test_a_labelled_address_goes_on_to_its_building(guard: Guard) -> None:
    (found,) = guard.scan("住址:浙江省杭州市西湖区春江花园,请回复")
    assert (found.start, found.end) == (3, 16)


def test_buildings_within_buildings_without_a_room(guard: Guard) -> None:
    text = "西湖区文三路100号春江花园月光花园晨光花园晚霞花园501室"
    assert [text[f.start : f.end] for f in guard.scan(text)] == ["西湖区文三路100号"]


def test_an_anchor_that_is_missing_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hyperscan_anchors, "hyperscan", None)
    monkeypatch.setattr(
        "dazi.guard.scanning.class_anchors",
        lambda folded: class_anchors(folded) | {"number": []},
    )
    lost = [
        c
        for c in written()
        if resolve(Scanner(BUILT_IN).candidates(fold(c.text))) != everywhere(c.text)
    ]
    assert len(lost) > 50


def test_a_long_text_finds_what_its_parts_hold(guard: Guard) -> None:
    parts = [case for case in written() if "\n" not in case.text]
    text, expected = "", set()
    for case in parts:
        expected |= {(s + len(text), e + len(text), t) for s, e, t in case.expected}
        text += case.text + "。\n\n"
    assert spans(guard.scan(text)) == expected


def test_places_are_code_points_of_the_original(guard: Guard) -> None:
    text = "😀\u200b电话１３８\u200b1234\ufeff5678😀"
    (f,) = guard.scan(text)
    assert text[f.start : f.end] == "１３８\u200b1234\ufeff5678"


@pytest.mark.parametrize(
    "text",
    [
        "1 " * 5_000, "12 " * 5_000, "1-" * 5_000, "a-" * 5_000, "路1号" * 3_000, "A" * 20_000, "@" * 5_000,
        "1" * 20_000, "a@" * 5_000, "://a:" * 3_000, "密码" * 5_000, "::" * 5_000, "姓名" * 5_000,
        "-----BEGIN RSA PRIVATE KEY-----" * 300, "eyJ" * 5_000, "京A" * 5_000, "1.1." * 5_000, "\u200b" * 20_000,
    ],
)  # fmt: skip
def test_hostile_texts_come_to_an_end(guard: Guard, text: str) -> None:
    """A pattern that goes through exponentially many ways would not, within anybody's patience."""
    assert len(guard.scan(text)) < len(text)


# --- one finding a place --------------------------------------------------------------------------


def finding(start: int, end: int, type_: str, certainty: Certainty) -> Finding:
    return Finding(start, end, type_, certainty, start)


def test_the_longest_stays_and_of_equals_the_most_certain() -> None:
    short = finding(2, 8, "mobile", Certainty.PROOF)
    long = finding(0, 10, "email", Certainty.SHAPE)
    sure = finding(20, 30, "bank_card", Certainty.DIGIT)
    unsure = finding(20, 30, "bank_account", Certainty.LABEL)
    assert resolve([short, unsure, sure, long]) == (long, sure)


def test_groups_hang_together_by_overlapping() -> None:
    a, b, c = (finding(s, e, "mobile", Certainty.SHAPE) for s, e in [(0, 5), (4, 12), (12, 14)])
    assert groups([c, b, a]) == [[b, a], [c]]


def test_a_second_recogniser_of_a_type_is_refused() -> None:
    own = Recogniser("custom:staff", "any", BUILT_IN[0].pattern, BUILT_IN[0].check)
    assert registered([own])[-1] is own
    with pytest.raises(ValueError, match="custom:staff"):
        registered([own, own])
    with pytest.raises(ValueError, match="mobile"):
        registered([Recogniser("mobile", "any", own.pattern, own.check)])
