"""Turns that ask the company's documents: what the model is given, what the person sees."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dazi.core.turn import Attachment
from tests import documents
from tests.agent.conftest import House, Said, Start


@pytest.fixture
def library(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, made: Path) -> None:
    """For the first company that a test starts."""
    documents.give(made, tmp_path / "data0")


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return documents.made(tmp_path_factory)


def sources(said: Said) -> Attachment:
    (found,) = [a for a in said.end.attachments if a.kind == "sources"]
    return found


def given(house: House) -> dict[str, object]:
    """What the model was given of the search."""
    message = next(m for m in reversed(house.engine.requests[-1].messages) if m.role == "tool")
    told: dict[str, object] = json.loads(message.content)
    return told


SEARCH = ("search_knowledge", {"query": "一线城市出差住宿标准"})


async def test_a_large_model_is_given_passages_and_the_person_their_sources(
    house: Start, library: None
) -> None:
    here = await house([SEARCH, "一线城市每晚500元[1]。"])
    said = await here.ask("staff", "一线城市出差住宿标准是多少?")
    told = given(here)
    assert "每晚500元" in str(told["quote"]) and told["source"] == "travel.md"
    passages = told["passages"]
    assert isinstance(passages, list) and len(passages) > 1
    assert passages[0]["number"] == 1 and "其他城市" in passages[0]["text"]
    data = sources(said).data
    assert data["cited"] == [1] and data["passages"][0]["source"] == "travel.md"
    assert "出处" not in said.end.answer and "500元" in said.end.answer
    (kept,) = [b["context"] for _, b in await here.audit("answer")]
    assert kept["passages"] == [f"{p['document']}#{p['ordinal']}" for p in data["passages"]]


async def test_a_small_model_is_given_the_sentence_alone(house: Start, library: None) -> None:
    here = await house([SEARCH, "一线城市每晚500元。", *[""] * 6], copies_text=True, concise=True)
    said = await here.ask("staff", "一线城市出差住宿标准是多少?")
    assert set(given(here)) == {"quote", "source"}
    assert sources(said).data["cited"] == [1]


async def test_what_is_not_written_is_said_with_what_was_looked_at(
    house: Start, library: None
) -> None:
    search = ("search_knowledge", {"query": "火星移民补贴"})
    here = await house([search, *[""] * 6], copies_text=True, concise=True)
    said = await here.ask("staff", "火星移民补贴是多少?")
    assert said.record.outcome == "not_found"
    assert "没有写" in said.end.answer and "看过:《" in said.end.answer
    assert not [a for a in said.end.attachments if a.kind == "sources"]


async def test_nobody_is_told_of_titles_they_may_not_read(house: Start, library: None) -> None:
    search = ("search_knowledge", {"query": "薪酬带宽的中位值是多少"})
    here = await house([], copies_text=True, concise=True)
    for user in ("customer", "staff"):
        here.script(search, *[""] * 6)
        said = await here.ask(user, "薪酬带宽的中位值是多少?")
        assert "薪酬" not in said.end.answer.replace("薪酬带宽", "")
        assert "salary" not in json.dumps(said.record.result or {}, ensure_ascii=False)
