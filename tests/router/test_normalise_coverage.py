"""How people say dates, times and periods in the training pools and in the held-out cases."""

from __future__ import annotations

import importlib.util
import json
import random
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from dazi.core.language import Language
from dazi.core.tools import Format
from dazi.router.normalise import (
    find_durations,
    find_emails,
    find_numbers,
    find_values,
    normalise,
    parse_email,
    parse_time,
)

MINI = Path(__file__).parents[2] / "models" / "mini"
TODAY = date(2025, 4, 3)
SAMPLES = 2_000
FORMAT_OF: dict[str, Format] = {
    "date": "date",
    "since": "date",
    "start": "time",
    "end": "time",
    "month": "month",
    "quarter": "quarter",
}


@pytest.fixture(scope="module")
def slots() -> ModuleType:
    spec = importlib.util.spec_from_file_location("mini_slots", MINI / "slots.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["mini_slots"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("slot", ["date", "since", "month", "quarter"])
def test_every_way_to_say_a_day_or_period_is_read(
    slots: ModuleType, slot: str, language: Language
) -> None:
    rng, format = random.Random(slot), FORMAT_OF[slot]
    said = {slots.FILL[slot](rng, language).said for _ in range(SAMPLES)}
    assert [s for s in said if normalise(format, s, TODAY) is None] == []
    assert [s for s in said if [f.text for f in find_values(format, s, TODAY)] != [s]] == []


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_way_to_say_a_time_is_read(slots: ModuleType, language: Language) -> None:
    rng = random.Random(language)
    between = "从{}到{}开会" if language == "zh" else "from {} to {} please"
    for _ in range(SAMPLES):
        start, end = (slot.said for slot in slots.times(rng, language))
        first = parse_time(start)
        assert first and parse_time(end, not_before=first), (start, end)
        assert [s.text for s in find_values("time", between.format(start, end), TODAY)] == [
            start,
            end,
        ]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_way_to_say_an_amount_or_address_is_read(
    slots: ModuleType, language: Language
) -> None:
    rng = random.Random(language)
    for _ in range(SAMPLES):
        amount, to = slots.FILL["amount"](rng, language), slots.FILL["to"](rng, language)
        text = (
            f"退 {amount.said} 给 {to.said}" if language == "zh" else f"{amount.said} to {to.said}"
        )
        assert [float(n.value) for n in find_numbers(text)] == [amount.value], text
        assert [parse_email(s.text) for s in find_emails(text)] == [to.said], text


def held_out() -> Iterator[tuple[str, date, str, str, str, str | None]]:
    """Identity, today, what the person said, argument, its value, and the start of an end."""
    for path in sorted((MINI / "heldout" / "dev").glob("cases.*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            case: dict[str, Any] = json.loads(line)
            said = "\n".join(m["content"] for m in case["messages"] if m["role"] == "user")
            for call in case.get("expect", []):
                for name, value in call["arguments"].items():
                    if name in FORMAT_OF and isinstance(value, str):
                        start = call["arguments"].get("start") if name == "end" else None
                        today = date.fromisoformat(case["today"])
                        yield case["id"], today, said, name, value, start


def test_held_out_values_are_among_what_is_found() -> None:
    wanted, missed = 0, []
    for identity, today, said, name, value, start in held_out():
        format = FORMAT_OF[name]
        spans = find_values(format, said, today) + (find_durations(said) if start else [])
        read = {
            normalise(format, s.text, today, not_before=start, past=name == "since") for s in spans
        }
        wanted += 1
        if value not in read:
            missed.append((identity, name, value, read))
    assert wanted > 100
    assert len(missed) <= 0.03 * wanted, missed
