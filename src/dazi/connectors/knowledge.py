"""The company's documents as a tool: a question, and what the caller may read that answers it."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Any

from dazi.connectors.failures import misdeclared, time_left, timed_out
from dazi.connectors.results import checked
from dazi.core.knowledge import KnowledgeQuestion, KnowledgeSource
from dazi.core.language import language_of
from dazi.core.tools import Invocation, Tool

QUERY = "query"


class KnowledgeConnector:
    """A tool of it has the one parameter ``query``. Its result: ``quote`` and ``source`` of the sentence
    that answers, if one does, and the ``passages`` that were found."""

    def __init__(self, source: KnowledgeSource) -> None:
        self._source = source

    def check(self, tool: Tool) -> None:
        """Raise ``ConfigError`` for other parameters, or a result that is not marked as documents'."""
        if [p.name for p in tool.parameters] != [QUERY] or tool.effect != "read":
            zh = f"知识检索的工具只有一个参数 {QUERY},effect 是 read"
            en = f"a tool that searches documents has the one parameter {QUERY} and effect read"
            raise misdeclared(tool, zh, en)
        if tool.origin != "document":
            zh = "文档里的话不是指令:写上 origin: document"
            en = "what documents say is nobody's instruction: write origin: document"
            raise misdeclared(tool, zh, en)

    async def execute(self, invocation: Invocation) -> Any:
        tool = invocation.tool
        text = str(invocation.arguments[QUERY])
        said = language_of(text, *invocation.heard)
        question = KnowledgeQuestion(text, invocation.principal, said, invocation.heard)
        try:
            async with asyncio.timeout(time_left(invocation)):
                answer = await self._source.answer(question)
        except TimeoutError as error:
            raise timed_out(tool) from error
        out: dict[str, Any] = {"passages": [asdict(p) for p in answer.passages]}
        if answer.quoted is not None:
            out |= {"quote": answer.quote, "source": answer.quoted.source}
            out["cited"] = asdict(answer.quoted)
        return checked(invocation, out)

    async def close(self) -> None:
        return None
