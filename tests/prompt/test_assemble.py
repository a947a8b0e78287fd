"""Any layers of any sizes become a prompt within its budget, in order, with calls and results together."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dazi.core.messages import CallText, Message
from dazi.core.turn import LayerUse
from dazi.prompt.assemble import CUT, Assembled, Layers, Line, assemble, cut
from dazi.prompt.budget import MARKUP_BYTES, Bound, ContextBudget, ContextRules, Shares

TEXT = st.text(alphabet="很ab1, ", max_size=60)
LONG = st.one_of(TEXT, st.integers(200, 3_000).map(lambda n: "长" * n))
BOUND = Bound()


class Chars:
    """As a tokenizer might count: a token a character, and a few for the marks."""

    def message(self, message: Message) -> int:
        calls = sum(len(c.name) + len(c.arguments) + 2 for c in message.calls)
        return len(message.content) + calls + 4

    def text(self, text: str) -> int:
        return len(text)


@st.composite
def turns(draw: st.DrawFn, said: bool = True) -> list[Message]:
    """What a turn came to: words, and calls with their results."""
    out = [Message("user", draw(LONG))] if said else []
    for i in range(draw(st.integers(0, 3))):
        ids = [f"{draw(st.integers(0, 10**9))}-{i}-{n}" for n in range(draw(st.integers(1, 3)))]
        calls = tuple(CallText(id, "look_up", draw(TEXT)) for id in ids)
        out.append(Message("assistant", draw(TEXT), calls))
        out += [Message("tool", draw(LONG), call_id=id) for id in ids]
    return [*out, *([Message("assistant", draw(LONG))] if draw(st.booleans()) else [])]


LINES = st.lists(
    st.builds(Line, LONG, st.floats(0, 9), st.sampled_from(["", "ORD12345"])), max_size=6
)
LAYERS = st.builds(
    Layers,
    TEXT.map(lambda t: Message("system", t)),
    st.one_of(st.none(), LONG.map(lambda t: Message("user", t))),
    turns(said=False),
    st.lists(turns(), max_size=6),
    LINES,
    LINES,
    st.sampled_from(["", "[备忘]"]),
)
BUDGETS = st.integers(0, 6_000).map(lambda total: ContextBudget.of(total, Shares()))


def fold(messages: Sequence[Message]) -> list[Line]:
    return [Line(messages[0].content[:20], 1.0, "x1")]


@given(LAYERS, BUDGETS, st.sampled_from([Chars(), BOUND]))
def test_within_the_budget_intact_in_order_and_together(
    layers: Layers, budget: ContextBudget, measure: Chars | Bound
) -> None:
    made = assemble(layers, budget, measure, fold)
    size = sum(measure.message(m) for m in made.messages)
    fixed = [m for m in (layers.rules, layers.newest) if m is not None]
    least = sum(measure.message(m) for m in fixed)
    assert size <= made.report.tokens <= max(budget.total, least)
    assert made.messages[0] == layers.rules
    if layers.newest is not None:
        assert any(m is layers.newest for m in made.messages)
    if budget.total <= least:
        assert list(made.messages) == fixed
    known: set[str] = set()
    for message in made.messages:
        assert message.role != "tool" or message.call_id in known
        known |= {c.id for c in message.calls}
    answered = {m.call_id for m in made.messages if m.role == "tool"}
    every = [m for part in (*layers.turns, layers.live) for m in part if m.role == "tool"]
    assert known >= answered
    assert {m.call_id for m in every} & known == answered, "a call came without its result"
    assert _in_order(made, layers)


def _in_order(made: Assembled, layers: Layers) -> bool:
    """Everything but the notes is from the layers, cut at the most, in their order."""
    whole = [*[m for t in layers.turns for m in t], *filter(None, [layers.newest]), *layers.live]
    at = iter(whole)
    notes = 0
    for message in made.messages[1:]:
        for candidate in at:
            if (candidate.role, candidate.calls) == (message.role, message.calls) and (
                candidate.content == message.content or _cut_of(candidate, message)
            ):
                break
        else:
            notes += 1
            at = iter(whole)
    return notes <= 1


def _cut_of(whole: Message, message: Message) -> bool:
    mark = CUT.format(n=len(whole.content))
    return message.content.endswith(mark) and whole.content.startswith(
        message.content.removesuffix(mark)
    )


@given(LAYERS)
def test_where_all_fits_all_is_given(layers: Layers) -> None:
    made = assemble(layers, ContextBudget.of(10**7, Shares()), Chars(), fold)
    assert made.whole
    given = [m for m in made.messages[1:] if m.content != "" or m.calls or m.call_id]
    wanted = [*[m for t in layers.turns for m in t], *filter(None, [layers.newest]), *layers.live]
    kept = [m for m in wanted if m.content != "" or m.calls or m.call_id]
    assert given[len(given) - len(kept) :] == kept


@given(LONG, st.integers(0, 400))
def test_a_cut_is_marked_and_short_enough(text: str, tokens: int) -> None:
    shown = cut(text, tokens, Chars())
    mark = CUT.format(n=len(text))
    if shown == text:
        assert len(text) <= max(tokens, len(mark))
    else:
        assert shown.endswith(mark) and len(shown) <= max(tokens, len(mark))
        assert text.startswith(shown.removesuffix(mark))


def of(made: Assembled, layer: str) -> LayerUse:
    return next(u for u in made.report.layers if u.layer == layer)


RULES = Message("system", "规则")
NEWEST = Message("user", "现在怎么样")


def test_the_oldest_turns_are_folded_before_the_budget_is_reached() -> None:
    said = [[Message("user", f"第{i}轮" + "话" * 90), Message("assistant", "好")] for i in range(9)]
    layers = Layers(RULES, NEWEST, turns=said)
    made = assemble(layers, ContextBudget.of(1_000, Shares()), Chars(), fold)
    assert of(made, "short").taken == 4 and of(made, "short").left_out == 5
    assert of(made, "short").why == ("limit", "folded")
    assert made.messages[1].content.startswith("第0轮") and of(made, "middle").taken == 5
    assert made.report.tokens < 1_000
    assert [m.content[:3] for m in made.messages[2:-1:2]] == ["第5轮", "第6轮", "第7轮", "第8轮"]


def test_results_that_are_too_long_share_what_there_is() -> None:
    calls = tuple(CallText(f"c{i}", "look_up", "{}") for i in range(3))
    results = [Message("tool", "短" * 20, call_id="c0")]
    results += [Message("tool", "长" * 5_000, call_id=f"c{i}") for i in (1, 2)]
    live = [Message("assistant", "", calls), *results]
    made = assemble(Layers(RULES, NEWEST, live), ContextBudget.of(1_000, Shares()), Chars(), fold)
    shown = [m.content for m in made.messages if m.role == "tool"]
    assert shown[0] == "短" * 20 and all(s.endswith("[截断 cut: 5000]") for s in shown[1:])
    assert abs(len(shown[1]) - len(shown[2])) < 60 and len(shown[1]) > 200
    assert of(made, "live").why == ("cut",) and of(made, "live").tokens <= 600


def test_the_ids_of_all_before_the_words_of_some() -> None:
    middle = [
        Line(f"查询 ORD1000{i} 的订单状态," + "字" * 40, float(i), f"ORD1000{i}") for i in range(5)
    ]
    budget = ContextBudget(1_000, 0, 0, 120, 0)
    made = assemble(Layers(RULES, NEWEST, middle=middle), budget, Chars(), fold)
    note = made.messages[1].content
    assert all(f"ORD1000{i}" in note for i in range(5))
    assert middle[4].text in note and middle[0].text not in note
    assert of(made, "middle").why == ("cut",) and of(made, "middle").left_out == 0


def test_what_is_remembered_never_takes_more_than_its_share() -> None:
    many = [Line("很长的一行" * 10, 1.0) for _ in range(100)]
    layers = Layers(RULES, NEWEST, turns=[[Message("user", "话" * 300)]], middle=many, facts=many)
    made = assemble(layers, ContextBudget.of(1_000, Shares()), Chars(), fold)
    assert of(made, "middle").tokens <= 150 and of(made, "long").tokens <= 100
    assert of(made, "short").taken == 1


@pytest.mark.parametrize(
    ("context", "total"), [(4_096, 2_560), (32_768, 20_000), (262_144, 20_000)]
)
def test_the_total_suits_the_model(context: int, total: int) -> None:
    assert ContextRules().total(context) == total
    assert ContextRules(9_000).total(context) == 9_000


def test_the_bound_of_a_message_counts_its_calls() -> None:
    plain, called = (
        Message("assistant", "好"),
        Message("assistant", "好", (CallText("c", "f", "{}"),)),
    )
    assert BOUND.message(called) >= BOUND.message(plain) + MARKUP_BYTES
