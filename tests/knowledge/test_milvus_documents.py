"""Documents with their index in a Milvus server, from settings to answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from dazi.core.errors import ConnectorError, OperatorError
from dazi.core.knowledge import KnowledgeQuestion
from dazi.core.principal import Principal
from dazi.main.initialise import initialise
from dazi.main.managing_documents import desk
from dazi.main.settings import Settings
from tests.knowledge.milvuslite import Lite


@pytest.fixture
def company(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    initialise(folder, "zh")
    knowledge = folder / "knowledge"
    knowledge.mkdir()
    (knowledge / "returns.md").write_text("# 退货\n\n退货期限为签收后七天。\n", "utf-8")
    return folder


QUESTION = KnowledgeQuestion("退货期限是多久?", Principal("li", frozenset()), "zh", ())


async def test_documents_are_read_into_milvus_and_answer(
    company: Path,
    tmp_path: Path,
    milvus: Lite,
) -> None:
    settings = Settings(company=company, data=tmp_path / "data", milvus_url=milvus.url)
    async with desk(settings) as d:
        assert await d.documents.refresh() == 1
        answer = await d.documents.answer(QUESTION)
        assert "七天" in answer.quote
        assert not (tmp_path / "data" / "knowledge-index").exists()
        milvus.stop()
        with pytest.raises(ConnectorError) as told:
            await d.documents.answer(QUESTION)
        assert told.value.code == "unavailable"
        (company / "knowledge" / "leave.md").write_text("# 年假\n\n年假五天。\n", "utf-8")
        with pytest.raises(OperatorError, match="Milvus"):
            await d.documents.refresh()
        milvus.start()
        assert await d.documents.refresh() == 1  # what could not be written is read again
        assert "七天" in (await d.documents.answer(QUESTION)).quote
    async with desk(settings) as d:
        assert await d.documents.library.index.size() == 2


async def test_it_opens_without_its_server(company: Path, tmp_path: Path) -> None:
    settings = Settings(
        company=company, data=tmp_path / "data", milvus_url="http://127.0.0.1:9", milvus_token="k:p"
    )
    assert "k:p" not in repr(settings)
    async with desk(settings) as d:
        with pytest.raises(ConnectorError) as told:
            await d.documents.answer(QUESTION)
        assert told.value.code == "unavailable"


async def test_what_is_no_server_is_said_at_once(company: Path, tmp_path: Path) -> None:
    settings = Settings(company=company, data=tmp_path / "data", milvus_url="milvus:19530")
    with pytest.raises(OperatorError, match="DAZI_MILVUS_URL"):
        async with desk(settings):
            pass
