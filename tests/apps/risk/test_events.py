"""Transactions are read as they are written, and what is wrong is named with its place."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dazi.apps.risk.events import FIELDS, transaction_of
from dazi.apps.risk.reading import read
from dazi.core.errors import CallerError

ROW = {"id": "T1", "account": "A1", "at": "2025-04-03T02:10:00", "amount": "28600.00"}


def file(folder: Path, text: str, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_row_becomes_a_transaction() -> None:
    t = transaction_of({**ROW, "direction": "转入", "outcome": "1", "currency": "usd", "city": " "})
    assert (t.amount_cents, t.direction, t.outcome, t.currency) == (2_860_000, "in", "fraud", "USD")
    assert t.city is None and t.device is None
    assert t.at.hour == 2 and t.at.utcoffset() == timedelta(hours=8)


def test_times_with_a_zone_are_brought_to_the_companys() -> None:
    t = transaction_of({**ROW, "at": "2025-04-03T20:10:00+00:00"})
    assert t.at.hour == 4 and t.at.astimezone(UTC) == datetime(2025, 4, 3, 20, 10, tzinfo=UTC)


@pytest.mark.parametrize(("amount", "cents"), [("19.99", 1999), (0.07, 7), (1.1, 110), ("5", 500)])
def test_amounts_are_exact_cents(amount: object, cents: int) -> None:
    assert transaction_of({**ROW, "amount": amount}).amount_cents == cents


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("amount", "1.999"), ("amount", "-5"), ("amount", "0"), ("amount", "1,000"),
        ("amount", "NaN"), ("amount", "1e400"), ("amount", None), ("amount_cents", "12.5"),
        ("at", "yesterday"), ("at", ""), ("id", ""), ("id", "a\nb"), ("account", "x" * 201),
        ("currency", "YUAN"), ("direction", "sideways"), ("outcome", "maybe"),
        ("latitude", "91"), ("longitude", "nan"), ("device", ["d"]),
    ],
)  # fmt: skip
def test_what_is_wrong_names_its_column(column: str, value: object) -> None:
    with pytest.raises(CallerError) as told:
        transaction_of({**ROW, column: value})
    assert f"column {column}" in told.value.text.en and f"{column} 列" in told.value.text.zh


def test_half_a_place_is_no_place() -> None:
    with pytest.raises(CallerError, match="column longitude"):
        transaction_of({**ROW, "latitude": "31.2"})


@given(
    st.dictionaries(
        st.sampled_from(FIELDS),
        st.none() | st.text("0159.-+:TZe 张\n\x00", max_size=30) | st.floats() | st.integers(),
    )
)
def test_any_row_is_a_transaction_or_an_error_for_the_caller(row: dict[str, object]) -> None:
    try:
        t = transaction_of(row)
    except CallerError:
        return
    assert t.amount_cents > 0 and t.id and t.account and t.at.tzinfo is not None


def test_csv_and_json_lines_say_the_same(tmp_path: Path) -> None:
    csv = "\ufeffid,account,at,amount,memo\nT1,A1,2025-04-03T02:10:00,28600.00,rent\n"
    lines = json.dumps({**ROW, "memo": "rent"}) + "\n\n"
    first, second = read(file(tmp_path, csv)), read(file(tmp_path, lines, "t.jsonl"))
    assert first == second
    assert first.left_out == ("memo",)
    assert first.transactions == (transaction_of(ROW),)


def test_columns_of_other_names(tmp_path: Path) -> None:
    csv = "no,account,at,amount\nT1,A1,2025-04-03T02:10:00,28600\n"
    assert read(file(tmp_path, csv), {"no": "id"}).transactions == (transaction_of(ROW),)


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        ("id,account,at,amount\nT1,A1,2025-04-03,5\nT2,A1,2025-04-03,x\n", "t.csv",
         "line 3, column amount 'x'"),
        ('id,account,at,amount,category\nT1,A1,2025-04-03,5,"two\nlines"\n', "t.csv",
         "line 3, column category"),
        ("id,account,at,amount\nT1,A1,2025-04-03,5\nT1,A1,2025-04-04,5\n", "t.csv",
         "line 3, column id 'T1': is already on line 2"),
        ("id,account,at,amount\nT1,A1\n", "t.csv", "line 2: 4 columns are expected, 2 found"),
        ("id,id\n1,2\n", "t.csv", "line 1: two columns have the same name"),
        ('id\n"open\n', "t.csv", "no proper CSV"),
        ("[1]\n", "t.jsonl", "line 1: a JSON object is expected"),
        ("{}\n", "t.jsonl", "line 1, column id"),
        ("[" * 70_000, "t.jsonl", "line 1: longer"),
        ("[" * 60_000, "t.jsonl", "line 1: a JSON object is expected"),
        ("", "t.xls", "a .csv, .jsonl or .ndjson file is expected"),
    ],
)  # fmt: skip
def test_a_wrong_line_is_named(tmp_path: Path, text: str, name: str, said: str) -> None:
    with pytest.raises(CallerError) as told:
        read(file(tmp_path, text, name))
    assert said in told.value.text.en


def test_other_encodings_are_told(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("id,account\n1,张".encode("gb18030"))
    with pytest.raises(CallerError, match="not UTF-8"):
        read(path)
