"""Transactions from CSV and JSON Lines; the first wrong line stops the reading and is named."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path

from dazi.apps.risk.events import CHINA, FIELDS, OUTCOMES, Outcome, Transaction, transaction_of
from dazi.core.errors import CallerError
from dazi.core.language import Text

Row = tuple[Text, Mapping[str, object]]
"""What a row says, and where it stands: "line 7" in both languages."""
LONGEST_LINE = 1 << 16


@dataclass(frozen=True, slots=True)
class Reading:
    """``left_out``: columns that the file has and nothing here looks at, in order of appearance."""

    transactions: tuple[Transaction, ...]
    left_out: tuple[str, ...]


def read(path: Path, rename: Mapping[str, str] | None = None, zone: tzinfo = CHINA) -> Reading:
    """By the file's ending: ``.csv``, or ``.jsonl``/``.ndjson``; UTF-8.

    ``rename`` says which of the file's columns stands for which field. Raises ``CallerError`` with
    line and column, and for an id that comes twice.
    """
    kind = path.suffix.lower()
    if kind not in (".csv", ".jsonl", ".ndjson"):
        raise CallerError(
            "risk_input",
            f"{path.name}:应是 .csv、.jsonl 或 .ndjson 文件",
            f"{path.name}: a .csv, .jsonl or .ndjson file is expected",
        )
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            rows = _csv(lines) if kind == ".csv" else _json_lines(lines)
            return of_rows(rows, rename, zone)
    except UnicodeDecodeError as e:
        raise CallerError(
            "risk_input",
            f"{path.name}:不是 UTF-8,从第 {e.start} 字节起",
            f"{path.name}: not UTF-8 from byte {e.start} on",
        ) from e


def of_rows(
    rows: Iterable[Row],
    rename: Mapping[str, str] | None = None,
    zone: tzinfo = CHINA,
) -> Reading:
    """From rows with their places; any source can make them."""
    names = dict(rename or {})
    transactions: list[Transaction] = []
    seen: dict[str, Text] = {}
    left_out: dict[str, None] = {}
    for place, row in rows:
        named = {names.get(k, k): v for k, v in row.items()}
        left_out |= {k: None for k in row if names.get(k, k) not in FIELDS}
        made = transaction_of(named, place, zone)
        if made.id in seen:
            raise CallerError(
                "risk_input",
                f"{place.zh},id 列 {made.id!r}:{seen[made.id].zh}已经有了",
                f"{place.en}, column id {made.id!r}: is already on {seen[made.id].en}",
            )
        seen[made.id] = place
        transactions.append(made)
    return Reading(tuple(transactions), tuple(left_out))


def read_cases(path: Path) -> dict[str, Outcome]:
    """Labelled cases of a CSV file: ``id`` of a transaction, ``outcome`` that people found.

    Raises ``CallerError`` with the line, and for an id that comes twice.
    """
    out: dict[str, Outcome] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            for place, row in _csv(lines):
                id, said = str(row.get("id", "")).strip(), str(row.get("outcome", "")).strip()
                outcome = OUTCOMES.get(said.lower())
                if not id or id in out or outcome is None:
                    names = ", ".join(OUTCOMES)
                    raise CallerError(
                        "risk_cases",
                        f"{path.name} {place.zh}:要有不重复的 id 和 outcome(其中之一:{names})",
                        f"{path.name} {place.en}: an id that comes once and an outcome are expected "
                        f"(one of {names})",
                    )
                out[id] = outcome
    except OSError as e:
        raise CallerError(
            "no_file", f"打不开 {path.name}:{e.strerror}", f"cannot open {path.name}: {e.strerror}"
        ) from e
    except UnicodeDecodeError as e:
        raise CallerError("risk_cases", f"{path.name}:不是 UTF-8", f"{path.name}: not UTF-8") from e
    return out


def _csv(lines: Iterable[str]) -> Iterator[Row]:
    reader = csv.reader(_short(lines), strict=True)
    try:
        head = [name.strip() for name in next(reader, [])]
        if len(set(head)) < len(head):
            raise _broken(1, "有同名的列", "two columns have the same name")
        for values in reader:
            if not values:
                continue
            if len(values) != len(head):
                raise _broken(
                    reader.line_num,
                    f"应有 {len(head)} 列,有 {len(values)} 列",
                    f"{len(head)} columns are expected, {len(values)} found",
                )
            yield _line(reader.line_num), dict(zip(head, values, strict=True))
    except csv.Error as e:
        raise _broken(reader.line_num, f"不是合格的 CSV:{e}", f"no proper CSV: {e}") from e


def _json_lines(lines: Iterable[str]) -> Iterator[Row]:
    for number, line in enumerate(_short(lines), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, parse_float=str)
        except (json.JSONDecodeError, RecursionError, ValueError) as e:
            raise _broken(number, "应是一个 JSON 对象", "a JSON object is expected") from e
        if not isinstance(row, dict):
            raise _broken(number, "应是一个 JSON 对象", "a JSON object is expected")
        yield _line(number), row


def _short(lines: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(lines, 1):
        if len(line) > LONGEST_LINE:
            raise _broken(
                number, f"超过 {LONGEST_LINE} 个字符", f"longer than {LONGEST_LINE} characters"
            )
        yield line


def _broken(line: int, zh: str, en: str) -> CallerError:
    return CallerError("risk_input", f"第 {line} 行:{zh}", f"line {line}: {en}")


def _line(number: int) -> Text:
    return Text(f"第 {number} 行", f"line {number}")
