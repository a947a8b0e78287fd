"""What the rules say about what was found, masks, and that the guard fails closed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dazi.core.errors import ConfigError
from dazi.core.principal import Principal
from dazi.guard.data import guarded_data
from dazi.guard.engine import BLOCKED, STOPPED, Guard
from dazi.guard.masking import mask
from dazi.guard.recognisers.registry import TYPES
from dazi.guard.rules import DEFAULTS, POSSIBLE, SCOPES, Exemption, Rules, read_rules, strictest
from dazi.guard.words import WordList, read_words
from dazi.router.yaml_source import YamlSource
from tests.guard.generate import cases

ID, PHONE, CARD = "110101199003074610", "13812345678", "4111111111111111"


def rules_in(folder: Path, text: str) -> Guard:
    path = folder / "guard.yaml"
    path.write_text(text, encoding="utf-8")
    rules, recognisers = read_rules(YamlSource(path))
    return Guard(rules, recognisers, WordList(read_words(folder)))


# --- defaults and masks -----------------------------------------------------------------------------


def test_by_default_answers_are_masked_and_nothing_else() -> None:
    guard = Guard()
    text = f"身份证{ID}，手机{PHONE}，卡号{CARD}，密码：Abc@1234"
    verdict = guard.verdict(text, "output")
    assert (
        verdict.text == f"身份证1101**********4610，手机{PHONE}，卡号4111********1111，密码：******"
    )
    assert verdict.action == "mask" and len(verdict.findings) == 3
    for scope in SCOPES:
        if scope != "output":
            assert guard.verdict(text, scope).text == text


@pytest.mark.parametrize(
    ("type_", "text", "shown"),
    [
        ("mobile", "13812345678", "138****5678"),
        ("mobile", "+86 138-1234-5678", "+86 138-****-5678"),
        ("resident_id", "110101 19900307 461X", "1101** ******** 461X"),
        ("bank_card", "6222-0212-3456-7890-128", "6222-****-****-***0-128"),
        ("bank_account", "0200004509014419688", "***************9688"),
        ("landline", "010-88888888", "010-********"),
        ("email", "zhang.san@corp.cn", "z********@corp.cn"),
        ("email", "a@b.cn", "a*@b.cn"),
        ("uscc", "91110000802100433B", "9111**********433B"),
        ("passport", "E12345678", "E*****678"),
        ("plate", "京A·12345", "京A·****5"),
        ("address", "浦东新区世纪大道100号", "浦东新*********"),
        ("person", "欧阳锋", "欧**"),
        ("ip", "10.0.0.1", "**.*.*.*"),
        ("api_key", "sk-abcdef", "******"),
        ("custom:staff", "YS123", "*****"),
        ("mobile", "138\u200b1234\u200b5678", "138****5678"),
    ],
)
def test_masks_keep_the_shape(type_: str, text: str, shown: str) -> None:
    assert mask(type_, text) == shown


def test_a_masked_text_holds_nothing_that_is_proven() -> None:
    guard = Guard(
        Rules({**DEFAULTS, "output": dict.fromkeys(["resident_id", "bank_card", "uscc"], "mask")})
    )
    for case in cases(17, 500):
        masked = guard.verdict(case.text, "output").text
        assert guard.verdict(masked, "output").text == masked


# --- guard.yaml -------------------------------------------------------------------------------------

RULES = """
input: {resident_id: mask, word:high: block}
arguments: {mobile: ask}
output: {mobile: mask, bank_card: block, custom:staff: mask}
results: {mobile: mask}
exceptions:
  - {scope: output, roles: [finance], actions: {bank_card: mask}}
  - {scope: output, channels: [wecom], roles: [finance], actions: {mobile: allow}}
recognisers:
  staff: {pattern: 'YS[0-9]{6}'}
  badge: {pattern: '[0-9]{5}', label: 工号|Badge}
"""


def test_rules_of_a_company_are_laid_over_the_defaults(tmp_path: Path) -> None:
    guard = rules_in(tmp_path, RULES)
    assert (
        guard.verdict(f"YS123456 {PHONE} {ID}", "output").text
        == "******** 138****5678 1101**********4610"
    )
    assert guard.verdict(CARD, "output").action == "block"
    assert guard.verdict(CARD, "output").text == ""
    asked = guard.verdict(PHONE, "arguments")
    assert asked.action == "ask" and asked.text == PHONE


def test_exceptions_are_for_the_roles_and_channels_they_name(tmp_path: Path) -> None:
    guard = rules_in(tmp_path, RULES)
    finance = Principal("f", frozenset({"finance"}), channel="api")
    chat = Principal("f", frozenset({"finance"}), channel="wecom")
    staff = Principal("s", frozenset({"staff"}), channel="wecom")
    actions = [guard.verdict(CARD, "output", p).action for p in (finance, chat, staff, None)]
    assert actions == ["mask", "mask", "block", "block"]
    assert [guard.verdict(PHONE, "output", p).action for p in (finance, chat, staff)] == [
        "mask",
        "allow",
        "mask",
    ]


def test_a_companys_own_recogniser_may_need_a_label(tmp_path: Path) -> None:
    guard = rules_in(tmp_path, RULES)
    found = guard.scan("工号：10234，房间10235")
    assert [(f.start, f.end, f.type) for f in found] == [(3, 8, "custom:badge")]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("output:\n  mobil: mask\n", 2, "use mobile"),
        ("output:\n  mobile: hide\n", 2, "output.mobile"),
        ("outputs: {}\n", 1, "outputs"),
        ("output:\n  mobile: ask\n", 2, "not possible in output"),
        ("arguments:\n  mobile: mask\n", 2, "not possible in arguments"),
        ("output:\n  mobile: pseudonymise\n", 2, "pseudonymise is not possible in output"),
        ("arguments:\n  mobile: pseudonymise\n", 2, "not possible in arguments; use one of allow"),
        ("exceptions:\n  - scope: output\n    actions:\n      cards: mask\n", 4, "cards"),
        ("recognisers:\n  staff:\n    pattern: 'YS[0-9]+'\n", 3, "without an upper bound"),
        ("recognisers:\n  staff:\n    pattern: '(a{1,5}){1,5}'\n", 3, "inside another"),
        ("recognisers:\n  staff:\n    pattern: 'YS[0-9'\n", 3, "regular expression"),
        ("recognisers:\n  staff:\n    pattern: '(a)\\1'\n", 3, "reference"),
        ("recognisers:\n  staff:\n    pattern: '(?i)ys[0-9]{4}'\n", 3, "flag"),
        ("recognisers:\n  staff:\n    pattern: 'a?'\n", 3, "1 to 512"),
        ("recognisers:\n  staff:\n    pattern: '[a-z]{1,600}'\n", 3, "1 to 512"),
        ("recognisers:\n  Staff No:\n    pattern: 'YS[0-9]{6}'\n", 2, "lower-case"),
        ("output: [\n", 2, "YAML"),
    ],
)
def test_a_broken_file_is_shown_where_it_is_broken(
    tmp_path: Path, text: str, line: int, says: str
) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        rules_in(tmp_path, text)
    assert caught.value.line == line and str(tmp_path / "guard.yaml") in str(caught.value)
    assert caught.value.text.zh != caught.value.text.en


# --- words ------------------------------------------------------------------------------------------


def words_in(folder: Path, **files: str) -> WordList:
    (folder / "words").mkdir()
    for name, text in files.items():
        (folder / "words" / f"{name}.txt").write_text(text, encoding="utf-8")
    return WordList(read_words(folder))


def test_words_have_the_severity_of_the_heading_above_them(tmp_path: Path) -> None:
    words = words_in(tmp_path, a="普通词\n[high]\n# 说明\n高危词\n\n[low]\n低级词\n", b="另一词\n")
    guard = Guard(words=words)
    found = guard.scan("低级词、高危词、普通词、另一词")
    assert [f.type for f in found] == ["word:low", "word:high", "word:medium", "word:medium"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("这里有ＢａｄWord。", ["ＢａｄWord"]),
        ("badwords and xbadword", []),
        ("坏\u200b词坏词", ["坏\u200b词", "坏词"]),
        ("坏词汇", ["坏词汇"]),
        ("汉字" * 200 + "坏词" + "汉字" * 200 + "badword", ["坏词", "badword"]),
        ("😀坏词", ["坏词"]),
    ],
)
def test_words_are_found_folded(text: str, found: list[str]) -> None:
    guard = Guard(words=WordList({"BadWord": "high", "坏词": "high", "坏词汇": "low"}))
    assert [text[f.start : f.end] for f in guard.scan(text)] == found


def test_an_allowed_word_hides_no_other() -> None:
    guard = Guard(words=WordList({"坏词": "high", "坏词汇": "low"}))
    assert guard.verdict("坏词汇", "output").action == "block"


def test_words_without_cases_are_found_in_long_texts() -> None:
    text = "汉字" * 200 + "坏词" + "汉字" * 200
    (found,) = Guard(words=WordList({"坏词": "high"})).scan(text)
    assert text[found.start : found.end] == "坏词"


def test_an_exception_for_a_role_is_nobodys_without_a_principal() -> None:
    exempt = Exemption("output", frozenset(), frozenset({"finance"}), {"email": "allow"})
    assert not exempt.concerns("output", None)
    assert exempt.concerns("output", Principal("p", frozenset({"finance"})))
    assert not exempt.concerns("input", Principal("p", frozenset({"finance"})))


def test_a_letter_whose_small_one_is_two_moves_nothing() -> None:
    guard = Guard(words=WordList({"İx": "high", "坏词": "high"}))
    text = "İİ坏词 İX"
    assert [text[f.start : f.end] for f in guard.scan(text)] == ["坏词", "İX"]


def test_a_word_list_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "a.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="UTF-8"):
        read_words(tmp_path)


@pytest.mark.parametrize(
    ("line", "says"), [("词", "too short"), ("[highest]", "highest"), ("字" * 65, "too long")]
)
def test_a_wrong_line_of_a_word_list_is_shown(tmp_path: Path, line: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        words_in(tmp_path, a=f"好的\n{line}\n")
    assert caught.value.line == 2


# --- failing closed, and what overlaps --------------------------------------------------------------


def test_a_guard_that_fails_lets_nothing_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    guard = Guard()

    def broken(*_: object) -> object:
        raise RuntimeError

    monkeypatch.setattr(guard, "candidates", broken)
    assert guard.verdict("您好", "output") == BLOCKED
    assert BLOCKED.action == "block" and BLOCKED.text == "" and BLOCKED.failed


def test_what_overlaps_is_masked_whole(tmp_path: Path) -> None:
    """Nothing of a group shows that hangs together."""
    guard = rules_in(
        tmp_path,
        "output: {mobile: mask, custom:x: mask}\nrecognisers: {x: {pattern: '678转人工'}}\n",
    )
    assert guard.verdict(f"打{PHONE}转人工", "output").text == "打" + "*" * 14


def test_the_strictest_action_counts() -> None:
    assert strictest(["mask", "block", "ask"]) == "block"
    assert strictest([]) == "allow"


def test_what_gets_a_pseudonym_goes_on_as_it_is_and_what_overlaps_is_masked(tmp_path: Path) -> None:
    guard = rules_in(
        tmp_path,
        "results: {mobile: pseudonymise, custom:x: mask}\nrecognisers: {x: {pattern: '678转人工'}}\n",
    )
    verdict = guard.verdict(f"打{PHONE}", "results")
    assert verdict.text == f"打{PHONE}" and verdict.action == "pseudonymise"
    assert guard.verdict(f"打{PHONE}转人工", "results").text == "打" + "*" * 14


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_example_in_the_documents_is_valid_and_tells_of_every_type(
    language: str, tmp_path: Path
) -> None:
    page = (Path(__file__).parents[2] / "docs" / language / "guard.md").read_text("utf-8")
    example = re.search(r"^```yaml\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    assert example
    rules_in(tmp_path, example[1])
    told = set(
        re.findall(r"`([a-z_]+)`", "".join(re.findall(r"^\| (`[^|]*) \|", page, re.MULTILINE)))
    )
    assert set(TYPES) <= told
    assert all(f"`{scope}`" in page for scope in SCOPES) and all(
        f"`{a}`" in page for a in set().union(*POSSIBLE.values())
    )


def test_data_is_looked_at_behind_its_names() -> None:
    rules = {s: {} for s in SCOPES} | {"results": {"person": "mask", "mobile": "mask"}}
    guard = Guard(Rules(rules))  # type: ignore[arg-type]
    data = {
        "姓名": ["张三", "李四"],
        "客户": "张三",
        "phone": int(PHONE),
        "rows": [{"收货人": "王五"}],
    }
    found = guarded_data(guard, data, "results", None, "zh")
    assert found == {
        "姓名": ["张*", "李*"], "客户": "张三", "phone": "138****5678", "rows": [{"收货人": "王*"}],
    }  # fmt: skip
    stops = Guard(Rules(rules | {"results": {"person": "block"}}))  # type: ignore[arg-type]
    assert guarded_data(stops, {"姓名": "张三", "n": 3}, "results", None, "en") == {
        "姓名": STOPPED("en"), "n": 3,
    }  # fmt: skip


def test_an_exception_for_a_channel_is_for_nobody_in_particular() -> None:
    rules = {s: {} for s in SCOPES} | {"input": {"mobile": "mask"}}
    only = Exemption("input", frozenset({"web"}), frozenset(), {"mobile": "allow"})
    guard = Guard(Rules(rules, (only,)))  # type: ignore[arg-type]
    assert guard.verdict(PHONE, "input").action == "mask"
    assert guard.verdict(PHONE, "input", Principal("li", frozenset(), channel="web")).text == PHONE


def test_an_exception_of_nobody_in_particular_is_for_all() -> None:
    rules = {s: {} for s in SCOPES} | {"input": {"mobile": "mask"}}
    every = Exemption("input", frozenset(), frozenset(), {"mobile": "allow"})
    other = Exemption("output", frozenset(), frozenset(), {"mobile": "mask"})
    guard = Guard(Rules(rules, (every, other)))  # type: ignore[arg-type]
    assert guard.verdict(PHONE, "input").text == PHONE
    assert guard.verdict(PHONE, "output").action == "mask"
