"""The knowledge tool's way to the documents, which are opened after the tools, or not at all."""

from __future__ import annotations

from dataclasses import dataclass

from dazi.core.errors import ConnectorError
from dazi.core.knowledge import KnowledgeAnswer, KnowledgeQuestion, KnowledgeSource


@dataclass(slots=True)
class Door:
    """``behind``: the documents, once they are open."""

    behind: KnowledgeSource | None = None

    async def answer(self, question: KnowledgeQuestion) -> KnowledgeAnswer:
        if self.behind is None:
            raise ConnectorError("unavailable", "文档检索没有打开", "documents are not open")
        return await self.behind.answer(question)
