"""The filtered answer is the same however it is cut, nothing raw gets out, and it is not held long."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence

import pytest

from dazi.core.principal import Principal
from dazi.guard import stream
from dazi.guard.engine import STOPPED, Guard
from dazi.guard.folding import visible
from dazi.guard.patterns import opening
from dazi.guard.recognisers.base import Recogniser
from dazi.guard.recognisers.registry import BUILT_IN, TYPES
from dazi.guard.rules import DEFAULTS, Rules
from dazi.guard.stream import StreamFilter
from dazi.guard.words import WordList
from tests.guard.generate import cases
from tests.guard.texts import texts
from tests.guard.written import written

SENSITIVE = {"敏感词": "high", "敏感": "low", "内部资料": "medium", "Project X": "medium"}
EVERYTHING = Rules(
    {**DEFAULTS, "output": dict.fromkeys([*TYPES, "word:medium", "word:low"], "mask")}
)
CALM = "会议决定由仓库负责与分公司对接，每周五下午汇报进展，遇到问题及时升级。客户对包装不满意，要求换货。"


@pytest.fixture(scope="module", params=["default", "everything"])
def strict(request: pytest.FixtureRequest) -> Guard:
    if request.param == "default":
        return Guard()
    return Guard(EVERYTHING, words=WordList({w: s for w, s in SENSITIVE.items() if s != "high"}))  # type: ignore[misc]


def pushed(guard: Guard, chunks: Sequence[str]) -> list[str]:
    """What comes out after each chunk, and at the end."""
    running = StreamFilter(guard, None, "zh")
    return [*map(running.push, chunks), running.finish()]


def singles(text: str) -> list[str]:
    return list(text)


def cuttings(text: str, seed: int) -> Iterator[list[str]]:
    r = random.Random(seed)
    yield [text]
    yield singles(text)
    for most in (2, 5, 17):
        parts, at = [], 0
        while at < len(text):
            size = r.randrange(0, most + 1)
            parts.append(text[at : at + size])
            at += size
        yield parts


@pytest.mark.parametrize("seed", range(2))
def test_every_cutting_gives_the_same(strict: Guard, seed: int) -> None:
    given = [c.text for c in cases(100 + seed, 30)] + [*texts(200 + seed, 60)]
    given += [c.text for c in written()][seed::6]
    for text in given:
        whole = strict.verdict(text, "output")
        assert not whole.failed
        for chunks in cuttings(text, seed):
            assert "".join(pushed(strict, chunks)) == whole.text, (text, chunks)


def test_every_single_cut_of_a_text_gives_the_same(strict: Guard) -> None:
    text = "卡号6222 0212 3456 7890 128，密码：Abc@1234，身份证１１０１０１\u200b199003074610。"
    whole = strict.verdict(text, "output").text
    for at in range(len(text) + 1):
        assert "".join(pushed(strict, [text[:at], text[at:]])) == whole


def test_bytes_cut_within_a_character_are_the_callers_to_put_together(strict: Guard) -> None:
    """As the decoder of an HTTP client does; the filter sees whole characters only."""
    import codecs

    text = "身份证110101199003074610😀，手机"
    decode = codecs.getincrementaldecoder("utf-8")().decode
    chunks = [decode(bytes([byte])) for byte in text.encode()]
    assert "".join(pushed(strict, chunks)) == strict.verdict(text, "output").text


def test_nothing_raw_gets_out() -> None:
    guard = Guard(EVERYTHING)
    for case in cases(31, 150):
        shown = re.sub(r"\W", "", "".join(pushed(guard, singles(case.text))))
        for start, end, _ in case.expected:
            assert re.sub(r"\W", "", case.text[start:end]) not in shown, case.text


def test_a_filter_that_forgets_to_hold_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    guard = Guard()
    reader = guard.reader(frozenset(DEFAULTS["output"]))
    text = "身份证110101199003074610。"
    monkeypatch.setattr(reader, "open_at", lambda text, start: len(text))
    assert "".join(pushed(guard, singles(text))) != guard.verdict(text, "output").text


def test_calm_text_is_shown_at_once() -> None:
    assert pushed(Guard(), singles(CALM)) == [*CALM, ""]


def test_what_is_held_is_held_no_longer_than_it_must_be() -> None:
    guard = Guard()
    text = "共2024件，身份证110101199003074610已登记，谢谢。"
    out = pushed(guard, singles(text))
    longest = 0
    for i in range(len(text)):
        longest = max(longest, i + 1 - len("".join(out[: i + 1])))
    assert longest <= 18 + 12
    assert out[0] == "共" and "".join(out[:7]) == "共2024件，"


@pytest.mark.parametrize(
    "types", [("resident_id",), ("bank_card",), ("resident_id", "mobile", "plate")]
)
def test_no_more_is_held_than_is_stated(types: tuple[str, ...]) -> None:
    guard = Guard(Rules({**DEFAULTS, "output": dict.fromkeys(types, "mask")}))
    most = guard.reader(frozenset(types)).held
    for text in [*(c.text for c in cases(5, 60)), *texts(6, 60), "1 - " * 200, "1" * 300]:
        running, shown = StreamFilter(guard, None, "zh"), 0
        for i, c in enumerate(text):
            shown += len(visible(running.push(c)))
            assert len(visible(text[: i + 1])) - shown <= most, text


def test_what_the_documents_state_about_holding() -> None:
    held = [Guard().reader(frozenset({t})).held for t in ("resident_id", "bank_card", "api_key")]
    assert held == [70, 85, 12_006]


@pytest.mark.parametrize("recogniser", BUILT_IN, ids=lambda r: f"{r.type}-{r.pattern.pattern[:20]}")
def test_every_beginning_of_a_candidate_is_open(recogniser: Recogniser) -> None:
    """Whatever a pattern matches, each of its beginnings is held from where the match began."""
    begun = opening(recogniser.pattern.pattern, recogniser.after)
    tried = 0
    for text in [*(c.text for c in written()), *(c.text for c in cases(3, 200))]:
        for m in recogniser.pattern.finditer(text):
            for end in range(m.start() + 1, min(m.end() + recogniser.after, len(text)) + 1):
                found = begun.search(text[:end], m.start())
                assert found is not None and found.start() == m.start(), text[:end]
                tried += 1
    assert tried


# --- words, and what ends an answer ---------------------------------------------------------------


@pytest.fixture(scope="module")
def wordy() -> Guard:
    return Guard(words=WordList(SENSITIVE))  # type: ignore[arg-type]


def test_words_are_masked_and_stop_the_answer(wordy: Guard) -> None:
    text = "这是内\u200b部资料，PROJECT X很敏感。敏感词就在这里，后面没有了。"
    expected = "这是****，******* *很敏感。" + STOPPED.zh
    for chunks in cuttings(text, 1):
        assert "".join(pushed(wordy, chunks)) == expected
    assert wordy.verdict(text, "output").action == "block"
    assert wordy.verdict(text[:21], "output").text == "这是****，******* *很敏感。"


def test_a_stopped_answer_says_nothing_more(wordy: Guard) -> None:
    running = StreamFilter(wordy, None, "en")
    assert running.push("敏感词。") == STOPPED.en
    assert running.stopped and running.push("更多") == "" and running.finish() == ""


def test_words_that_only_begin_are_shown_in_the_end(wordy: Guard) -> None:
    assert "".join(pushed(wordy, ["内部", "资", "金，敏感"])) == "内部资金，敏感"


def test_a_filter_that_fails_shows_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    guard = Guard()
    running = StreamFilter(guard, None, "zh")
    assert running.push("您好，") == "您好，"

    def broken(*_: object) -> int:
        raise RuntimeError

    monkeypatch.setattr(guard.reader(frozenset(DEFAULTS["output"])), "open_at", broken)
    assert running.push("身份证1101") == STOPPED.zh
    assert running.push("01199003074610") == ""


def test_a_filter_that_fails_at_the_end_shows_no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    guard = Guard()
    running = StreamFilter(guard, None, "zh")
    assert "1101" not in running.push("身份证1101")

    def broken(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(stream, "judge", broken)
    assert running.finish() == STOPPED.zh and running.stopped


def test_a_long_text_at_once_is_as_in_pieces() -> None:
    text = f"{CALM * 20}卡号4111111111111111。{CALM * 20}"
    assert len(text) > 2 * stream.SHORT
    whole, pieces = pushed(Guard(), [text]), pushed(Guard(), singles(text))
    assert "".join(whole) == "".join(pieces) and "4111********1111" in whole[0]


def test_a_flood_of_invisible_characters_ends_the_answer() -> None:
    running = StreamFilter(Guard(), None, "zh")
    running.push("1")
    out = "".join(running.push("\u200b" * 1_000) for _ in range(stream.MOST_HELD // 1_000 + 1))
    assert out == STOPPED.zh and running.stopped


def test_rules_for_people_hold_in_a_stream() -> None:
    from dazi.guard.rules import Exemption

    exempt = Exemption("output", frozenset(), frozenset({"finance"}), {"bank_card": "allow"})
    guard = Guard(Rules(DEFAULTS, (exempt,)))
    text = "卡号4111111111111111。"
    for roles, expected in (
        (frozenset({"finance"}), text),
        (frozenset({"staff"}), "卡号4111********1111。"),
    ):
        running = StreamFilter(guard, Principal("p", roles), "zh")
        assert "".join([*map(running.push, text), running.finish()]) == expected
