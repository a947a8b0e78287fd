"""Files that a page's upload sends: looked at before their bodies are read."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from dazi.console.visits import Visits
from dazi.knowledge.service import KnowledgeService

ENVELOPE = 64 << 10
"""Bytes of a form around its file."""
_UPLOAD = re.compile(r"/_nicegui/client/[^/]+/upload/\d+")


class UploadGuard:
    """Only for managers of documents, and no larger than a document may be."""

    def __init__(self, app: ASGIApp, visits: Visits, knowledge: KnowledgeService | None) -> None:
        self._app, self._visits, self._knowledge = app, visits, knowledge

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _UPLOAD.fullmatch(scope["path"]):
            status = await self._refused(Request(scope))
            if status:
                await Response(status_code=status)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _refused(self, request: Request) -> int:
        """The status to refuse it with; 0 to let it in."""
        found = await self._visits.of(request)
        if found is None:
            return 401
        knowledge = self._knowledge
        if knowledge is None or not knowledge.administration.may(found[0]):
            return 403
        size = request.headers.get("content-length", "")
        if not size.isdigit():
            return 411
        return 413 if int(size) > knowledge.largest_upload + ENVELOPE else 0
