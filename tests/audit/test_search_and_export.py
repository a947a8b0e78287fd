"""Finding records, and taking them along in files that prove themselves."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from dazi.audit import export as exporting
from dazi.audit.export import COLUMNS, cell_text, verify_file, write_csv, write_jsonl
from dazi.audit.ledger import Ledger
from dazi.audit.sealing import Sealing
from dazi.audit.search import Query, matching, search
from dazi.audit.signing import SigningKeys
from dazi.audit.verify import Bad, Fault
from dazi.core.errors import ConfigError
from tests.audit.conftest import House


async def told(house: House) -> None:
    put = house.ledger.append
    await put("turn", "lin", "turn_a", {"said": "订单 ORD1 到哪了", "channel": "web"})
    await put("call", "lin", "turn_a", {"tool": "query_order", "arguments": {"id": "ORD1"}})
    await put("answer", "lin", "turn_a", {"answer": "在路上", "calls": [{"tool": "query_order"}]})
    await put("answer", "wang", "turn_b", {"answer": "Straße", "calls": ["request_refund"]})
    await put("sign_in", "wang", "", {"channel": "web", "ok": True})


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (Query(), [1, 2, 3, 4, 5]),
        (Query("ord1"), [1, 2]),
        (Query("ＯＲＤ１"), [1, 2]),
        (Query("STRASSE"), [4]),
        (Query("turn_b"), [4]),
        (Query("wang"), [4, 5]),
        (Query("nowhere"), []),
        (Query(user="lin"), [1, 2, 3]),
        (Query(kind="answer"), [3, 4]),
        (Query(tool="query_order"), [2, 3]),
        (Query(tool="request_refund"), [4]),
        (Query(tool="query"), []),
        (Query(turn="turn_a", kind="turn"), [1]),
        (Query("路上", tool="query_order", user="lin"), [3]),
    ],
)
async def test_everything_given_must_match(house: House, query: Query, expected: list[int]) -> None:
    await told(house)
    found = await search(house.database, house.sealing, query, 10)
    assert [f.record.seq for f in found] == expected
    assert [f.record.seq async for f in matching(house.database, house.sealing, query)] == expected


async def test_times_and_the_latest_first(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dazi.audit.search.BATCH", 2)
    await told(house)
    rows = await house.rows()
    query = Query(since=rows[1].at, until=rows[4].at)
    found = await search(house.database, house.sealing, query, 10)
    assert [f.record.seq for f in found] == [2, 3, 4]
    found = await search(house.database, house.sealing, query, 2)
    assert [f.record.seq for f in found] == [3, 4]


def _read(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


async def exported(
    house: House, path: Path, query: Query | None = None, *, sealed: bool = False
) -> list[dict[str, object]]:
    query = query or Query()
    with path.open("wb") as out:
        rows = matching(house.database, house.sealing, query)
        await write_jsonl(rows, out, house.keys, whole=not query.user, sealed=sealed)
    return _read(path)


async def test_an_export_verifies_by_itself_with_the_public_key_alone(
    house: House, tmp_path: Path
) -> None:
    await told(house)
    path = tmp_path / "e.jsonl"
    lines = await exported(house, path)
    assert lines[0]["content"] == {"said": "订单 ORD1 到哪了", "channel": "web"}
    assert "content" not in lines[4]  # its body says it all
    root = house.keys.known()[0].key()
    elsewhere = SigningKeys(tmp_path / "nowhere").trust(root)
    found = verify_file(path, elsewhere)
    assert (found.bad, found.records, found.whole, found.erased) == (None, 5, True, 0)
    stranger = SigningKeys(tmp_path / "stranger")
    stranger.sign(b"")
    assert verify_file(path, stranger.trust()).bad == Bad(6, Fault.SIGNATURE)


async def test_a_sealed_export_says_nothing_and_verifies(house: House, tmp_path: Path) -> None:
    await told(house)
    path = tmp_path / "e.jsonl"
    await exported(house, path, sealed=True)
    assert "ORD1" not in path.read_text("utf-8")
    assert verify_file(path, house.keys.trust()).bad is None
    out = io.BytesIO()
    rows = matching(house.database, house.sealing, Query())
    assert await write_csv(rows, out, sealed=True) == 5
    assert b"ORD1" not in out.getvalue()


async def test_an_erased_line_says_so_and_verifies(house: House, tmp_path: Path) -> None:
    await told(house)
    await house.erasure.erase("lin", "root", "asked for")
    path = tmp_path / "e.jsonl"
    lines = await exported(house, path, Query(user="lin"))
    assert lines[0]["content"] == {"channel": "web", "erased": True}
    found = verify_file(path, house.keys.trust())
    assert (found.bad, found.records, found.whole, found.erased) == (None, 3, False, 3)


async def test_an_empty_export(house: House, tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl"
    await exported(house, path, Query(user="nobody"))
    assert verify_file(path, house.keys.trust()).records == 0
    path.write_bytes(b"")
    assert verify_file(path, house.keys.trust()).bad == Bad(1, Fault.MISSING)


@pytest.mark.parametrize(
    ("line", "change", "bad"),
    [
        (0, {"content": {"said": "else", "channel": "web"}}, Bad(1, Fault.CHANGED)),
        (0, {"content": {"said": "订单 ORD1 到哪了", "channel": "api"}}, Bad(1, Fault.CHANGED)),
        (1, {"salt": "AAAA"}, Bad(2, Fault.CHANGED)),
        (1, {"salt": "A"}, Bad(2, Fault.CHANGED)),
        (1, {"user": "wang"}, Bad(2, Fault.CHANGED)),
        (2, {"seq": 2}, Bad(2, Fault.CHANGED)),
        (0, {"salt": "", "content": {"said": "else"}}, Bad(1, Fault.CHANGED)),
    ],
)
async def test_a_bent_line_is_named(
    house: House, tmp_path: Path, line: int, change: dict[str, object], bad: Bad
) -> None:
    await told(house)
    path = tmp_path / "e.jsonl"
    lines = await exported(house, path)
    lines[line].update(change)
    path.write_text("".join(json.dumps(x, ensure_ascii=False) + "\n" for x in lines), "utf-8")
    assert verify_file(path, house.keys.trust()).bad == bad


async def test_lines_left_out_doubled_and_swapped(house: House, tmp_path: Path) -> None:
    await told(house)
    path = tmp_path / "e.jsonl"
    await exported(house, path)
    lines = path.read_bytes().splitlines(keepends=True)
    for order, bad in (
        ([0, 2, 3, 4, 5], Bad(2, Fault.MISSING)),
        ([1, 2, 3, 4, 5], Bad(6, Fault.MISSING)),
        ([0, 1, 2, 3, 5], Bad(5, Fault.MISSING)),
        ([0, 1, 2, 3, 4], Bad(6, Fault.MISSING)),
        ([0, 1, 1, 2, 3, 4, 5], Bad(2, Fault.MISPLACED)),
        ([0, 2, 1, 3, 4, 5], Bad(2, Fault.MISPLACED)),
    ):
        path.write_bytes(b"".join(lines[i] for i in order))
        assert verify_file(path, house.keys.trust()).bad == bad
    path.write_bytes(b"".join([*lines, lines[0]]))
    with pytest.raises(ConfigError, match=":7"):
        verify_file(path, house.keys.trust())


async def test_a_record_replaced_with_a_whole_one(house: House, tmp_path: Path) -> None:
    """Whole in itself, chained to the same, and not the one that the next is chained to."""
    await told(house)
    path = tmp_path / "e.jsonl"
    lines = await exported(house, path)
    from dazi.audit.records import chain

    r = lines[1]
    r["user"] = "wang"
    fields = [r[k] for k in ("previous", "seq", "at", "kind", "user", "turn", "body")]
    r["hash"] = chain(*fields)  # type: ignore[arg-type]
    r.pop("content"), r.pop("salt")
    path.write_text("".join(json.dumps(x, ensure_ascii=False) + "\n" for x in lines), "utf-8")
    assert verify_file(path, house.keys.trust()).bad == Bad(2, Fault.CHANGED)
    lines[0]["previous"] = "1" * 64
    lines[0]["hash"] = chain(
        *[lines[0][k] for k in ("previous", "seq", "at", "kind", "user", "turn", "body")]  # type: ignore[arg-type]
    )
    path.write_text("".join(json.dumps(x, ensure_ascii=False) + "\n" for x in lines), "utf-8")
    assert verify_file(path, house.keys.trust()).bad == Bad(1, Fault.MISPLACED)


@pytest.mark.parametrize("content", [b"no json\n", b'{"a": 1}\n', b"\xff\xfe\n", b"[]\n"])
def test_a_file_that_is_no_export(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "e.jsonl"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"e\.jsonl:1"):
        verify_file(path, SigningKeys(tmp_path).trust())
    with pytest.raises(ConfigError, match="nowhere"):
        verify_file(tmp_path / "nowhere", SigningKeys(tmp_path).trust())


async def test_csv_is_read_back_as_it_was(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "BLOCK", 2)
    await told(house)
    out = io.BytesIO()
    rows = matching(house.database, house.sealing, Query())
    assert await write_csv(rows, out, sealed=False) == 5
    assert out.getvalue().startswith(b"\xef\xbb\xbf")
    header, *lines = csv.reader(io.StringIO(out.getvalue().decode("utf-8-sig")))
    assert tuple(header) == COLUMNS
    assert [line[0] for line in lines] == ["1", "2", "3", "4", "5"]
    assert lines[1][5] == "query_order"
    assert json.loads(lines[0][7])["said"] == "订单 ORD1 到哪了"
    assert lines[4][8] == (await house.rows())[4].hash


@pytest.mark.parametrize(
    "value",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1+1", "%0A", "|calc"],
)
def test_no_cell_begins_a_formula(value: str) -> None:
    assert cell_text(value) == f"'{value}"


@pytest.mark.parametrize("value", ["", "ORD1", "{}", "a=b", "2025-04-03", " a"])
def test_other_cells_stay_as_they_are(value: str) -> None:
    assert cell_text(value) == value


async def test_a_user_who_is_a_formula(house: House) -> None:
    await house.ledger.append("sign_in", "=HYPERLINK(1)", "", {"ok": False, "why": "sign_in"})
    out = io.BytesIO()
    await write_csv(matching(house.database, house.sealing, Query()), out, sealed=False)
    assert b",'=HYPERLINK(1)," in out.getvalue()


async def test_a_body_that_is_no_object_can_be_read(house: House, tmp_path: Path) -> None:
    sealing = Sealing(tmp_path / "none")
    ledger = Ledger(house.sink)
    for body in ("[1]", "no json"):
        record = ledger._chained(1.0, "call", "u", "t", body)
        content = sealing.opened(record)
        assert content.state == "plain" and body.strip("[]") in str(content.fields)
