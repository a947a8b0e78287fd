"""Features come from an account's own past, say what their names say, and know no future."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta
from statistics import median_low

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dazi.apps.risk import past
from dazi.apps.risk.events import CHINA, Transaction
from dazi.apps.risk.features import INDEX, NAMES, Rules
from dazi.apps.risk.history import Histories, features_of, in_order, look_back
from dazi.apps.risk.past import DAY
from dazi.core.errors import CallerError

BEGIN = datetime(2025, 3, 1, 12, tzinfo=CHINA)


def at(hours: float) -> datetime:
    return BEGIN + timedelta(hours=hours)


def paid(hours: float, yuan: float = 100, **other: object) -> Transaction:
    made = Transaction(f"T{hours:012.4f}", "A1", at(hours), round(yuan * 100), counterparty="P1")
    return replace(made, **other)  # type: ignore[arg-type]


def last(*transactions: Transaction) -> dict[str, float]:
    rows = features_of(in_order(transactions), Rules())
    return dict(zip(NAMES, rows[-1].tolist(), strict=True))


def usual(days: int = 20) -> list[Transaction]:
    """A payment of 100 yuan a day at noon, from one device in Shanghai."""
    return [
        paid(24 * d, device="D1", ip="I1", city="上海", country="CN", latitude=31.2, longitude=121.5,
             channel="app", category="shopping")
        for d in range(days)
    ]  # fmt: skip


events = st.builds(
    lambda n, hours, cents, direction, who, device, account, category: Transaction(
        f"T{n}", account, at(hours), cents, direction=direction, counterparty=who, device=device,
        category=category, city=device,
    ),
    st.uuids(), st.floats(0, 1500), st.integers(1, 6_000_000), st.sampled_from(["in", "out"]),
    st.sampled_from(["P1", "P2", "P3", None]), st.sampled_from(["D1", "D2", None]),
    st.sampled_from(["A1", "A2"]), st.sampled_from(["refund", "shopping", None]),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(events, min_size=2, max_size=40, unique_by=lambda t: t.id), st.data())
def test_later_transactions_change_nothing(made: list[Transaction], data: st.DataObject) -> None:
    ordered = in_order(made)
    cut = data.draw(st.integers(1, len(ordered) - 1))
    whole, early = features_of(ordered, Rules()), features_of(ordered[:cut], Rules())
    assert np.array_equal(whole[:cut], early)
    assert np.isfinite(whole).all() and (whole >= 0).all()


@settings(max_examples=30, deadline=None)
@given(st.lists(events, min_size=2, max_size=30, unique_by=lambda t: t.id))
def test_other_accounts_change_nothing(made: list[Transaction]) -> None:
    ordered = in_order(made)
    own = [t for t in ordered if t.account == "A1"]
    whole = features_of(ordered, Rules())
    assert np.array_equal(whole[[t.account == "A1" for t in ordered]], features_of(own, Rules()))


@settings(max_examples=60, deadline=None)
@given(st.lists(events, min_size=1, max_size=40, unique_by=lambda t: t.id))
def test_windows_against_a_plain_count(made: list[Transaction]) -> None:
    """The same said again over a plain list of all that was before."""
    ordered = [t for t in in_order(made) if t.account == "A1"]
    for i, (t, row) in enumerate(zip(ordered, features_of(ordered, Rules()), strict=True)):
        past = ordered[:i]
        f = dict(zip(NAMES, row.tolist(), strict=True))

        def within(
            days: float, past: list[Transaction] = past, t: Transaction = t
        ) -> list[Transaction]:
            return [p for p in past if t.seconds - p.seconds <= days * DAY]

        assert f["count_1h"] == len(within(1 / 24)) + 1
        assert f["count_24h"] == len(within(1)) + 1
        assert f["devices_24h"] == len({p.device for p in (*within(1), t)} - {None})
        assert f["counterparties_7d"] == len({p.counterparty for p in (*within(7), t)} - {None})
        refunds = [p for p in within(30) if p.direction == "in" and p.category == "refund"]
        own = t.direction == "in" and t.category == "refund"
        assert f["refunds_30d"] == (len(refunds) + 1 if own else 0)
        same = [p.amount_cents for p in past if p.direction == t.direction][-50:]
        if len(same) >= 5:
            assert f["amount_to_usual"] == min(1000, t.amount_cents / median_low(same))
        else:
            assert f["amount_to_usual"] == 1
        known = {p.device for p in past if t.seconds - p.seconds <= 180 * DAY}
        assert f["new_device"] == (i >= 5 and t.device is not None and t.device not in known)


def test_a_stream_and_a_file_give_the_same() -> None:
    made = [*usual(), *(replace(t, id=t.id + "b", account="A2") for t in usual())]
    shuffled = random.Random(1).sample(made, len(made))
    ordered, histories = in_order(made), Histories()
    streamed = []
    for t in ordered:
        seen = histories.look(t)
        assert histories.look(t) == seen, "looking leaves no trace"
        streamed.append(seen.values)
        assert histories.add(t) == seen.values
    assert np.array_equal(np.array(streamed), features_of(in_order(shuffled), Rules()))


def test_looking_back_over_a_table_gives_the_same() -> None:
    """Rows of other accounts and of later days are there as well, in any order."""
    made = [*usual(), *(replace(t, id=t.id + "b", account="A2") for t in usual(30))]
    t, histories = paid(24 * 20 + 1, 900, device="D2"), Histories()
    for p in usual():
        histories.add(p)
    later = paid(24 * 21, 5_000)
    shuffled = random.Random(2).sample([*made, later, t], len(made) + 2)
    assert look_back(shuffled, t, Rules()) == histories.look(t)


def test_what_comes_too_late_is_refused() -> None:
    histories = Histories()
    histories.add(paid(5))
    with pytest.raises(CallerError, match="older"):
        histories.look(paid(4))
    with pytest.raises(CallerError, match="older"):
        histories.add(paid(5))


def test_an_ordinary_day_is_ordinary() -> None:
    f = last(*usual(21))
    assert f["amount_to_usual"] == f["amount_to_largest"] == 1
    assert f["out_24h_to_usual"] == pytest.approx(2, abs=0.1)  # at 24 h sharp, yesterday's counts
    raised = ("new_device", "new_network", "new_counterparty", "new_city", "speed_kmh",
              "night_unusual", "under_limit", "passed_24h", "small_1h", "rises", "new_channel")  # fmt: skip
    assert {f[name] for name in raised} == {0}


def test_amounts_compare_within_one_currency_and_direction() -> None:
    larger = (paid(1, 9_000, currency="USD"), paid(2, 9_000, direction="in"))
    f = last(*larger, *usual()[1:], paid(24 * 20, 150))
    assert f["amount_to_largest"] == f["amount_to_usual"] == 1.5


def test_a_takeover_shows() -> None:
    strange = paid(
        20 * 24 + 14.5, 2_860, device="D9", ip="I9", counterparty="P9", city="北京", country="CN",
        latitude=39.9, longitude=116.4, channel="web", category="shopping",
    )  # fmt: skip
    f = last(*usual(21), strange)
    assert f["amount_to_usual"] == 28.6
    new = ("new_device", "new_network", "new_counterparty", "new_city", "new_channel")
    assert {f[name] for name in new} == {1}
    assert f["new_country"] == f["new_category"] == 0
    assert f["speed_kmh"] == pytest.approx(1067 / 14.5, rel=0.01)
    assert f["night_unusual"] == 1 and f["devices_24h"] == 2 and f["cities_24h"] == 2


def test_a_device_is_forgotten_after_half_a_year() -> None:
    again = paid(24 * (19 + 181), device="D1")
    assert last(*usual(), again)["new_device"] == 1
    assert last(*usual(), paid(24 * (19 + 179), device="D1"))["new_device"] == 0


def test_the_first_transactions_are_nothing_new() -> None:
    f = last(paid(0, device="D1"), paid(1, 9_999_999, device="D2", counterparty="P2"))
    assert f["new_device"] == f["new_counterparty"] == 0 and f["amount_to_usual"] == 1


@pytest.mark.parametrize(
    ("yuan", "under"),
    [(8_999, 0), (9_000, 1), (9_999.99, 1), (10_000, 0), (49_000, 1), (50_000, 0)],
)
def test_just_under_a_limit(yuan: float, under: int) -> None:
    assert last(paid(0, yuan))["under_limit"] == under


def test_money_that_comes_in_and_leaves() -> None:
    came = [paid(h, 1_000, direction="in", counterparty=f"P{h}") for h in (1, 2, 3)]
    f = last(*came, paid(4, 2_700))
    assert (f["passed_24h"], f["senders_7d"]) == (2_700, 3)
    assert f["passed_share"] == pytest.approx(0.9)
    refunds = [replace(t, category="refund") for t in came]
    assert last(*refunds, paid(4, 2_700))["passed_24h"] == 0
    dollars = [replace(t, currency="USD") for t in came]
    assert last(*dollars, paid(4, 2_700))["passed_24h"] == 0


def test_small_amounts_and_refunds_and_rises() -> None:
    small = [paid(n / 60, 5, counterparty=f"M{n}") for n in range(6)]
    f = last(*small)
    assert (f["small_1h"], f["merchants_1h"]) == (6, 6)
    bought = [paid(n, 100) for n in range(4)]
    back = [paid(24 + n, 100, direction="in", category="refund") for n in range(2)]
    f = last(*bought, *back)
    assert (f["refunds_30d"], f["refund_share_30d"]) == (2, 0.5)
    f = last(*(paid(24 * n, 100 * 2**n) for n in range(4)))
    assert (f["rises"], f["growth"], f["share_30d"]) == (3, 8, 1)
    f = last(paid(0, 900), paid(24, 100), paid(48, 200))
    assert (f["rises"], f["growth"]) == (1, 1)


def test_a_pause_and_a_short_past() -> None:
    f = last(paid(0), paid(48), paid(48 + 240))
    assert (f["idle_days"], f["past_count"], f["known_days"]) == (10, 2, 12)


def test_a_busy_account_keeps_to_its_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(past, "MOST_RECENT", 250)
    many = [paid(n / 3600) for n in range(300)]
    histories = Histories()
    for t in many:
        histories.add(t)
    values = histories.look(paid(2)).values
    assert values[INDEX["count_24h"]] == 251
    assert values[INDEX["past_count"]] == 200


def test_the_usual_is_the_median_of_the_accounts_own() -> None:
    histories = Histories()
    for n, t in enumerate(usual(12)):
        seen = histories.look(t)
        assert (seen.usual is None) == (n < 5) and (seen.usual_cents is None) == (n < 5)
        histories.add(t)
    seen = histories.look(paid(24 * 12, 9_000))
    assert seen.usual is not None and seen.usual[INDEX["amount"]] == 100
    assert seen.usual_cents == 10_000
