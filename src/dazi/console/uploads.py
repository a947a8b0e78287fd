"""Files that a page's upload sends: looked at before their bodies are read."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from dazi.apps.contracts.service import ContractService
from dazi.console.visits import Visits
from dazi.core.principal import Principal
from dazi.knowledge.service import KnowledgeService

ENVELOPE = 64 << 10
"""Bytes of a form around its file."""
_UPLOAD = re.compile(r"/_nicegui/client/[^/]+/upload/\d+")


class UploadGuard:
    """Only for managers of documents and for who may have contracts reviewed, and no larger than
    what they may send."""

    def __init__(
        self,
        app: ASGIApp,
        visits: Visits,
        knowledge: KnowledgeService | None,
        contracts: ContractService | None = None,
    ) -> None:
        self._app, self._visits = app, visits
        self._knowledge, self._contracts = knowledge, contracts

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
        largest = self._largest(found[0])
        if not largest:
            return 403
        size = request.headers.get("content-length", "")
        if not size.isdigit():
            return 411
        return 413 if int(size) > largest + ENVELOPE else 0

    def _largest(self, by: Principal) -> int:
        """Bytes of a file that ``by`` may send; 0 where that is none."""
        knowledge, contracts = self._knowledge, self._contracts
        manages = knowledge is not None and knowledge.administration.may(by)
        reviews = contracts is not None and contracts.may(by)
        return max(
            knowledge.largest_upload if knowledge is not None and manages else 0,
            contracts.largest if contracts is not None and reviews else 0,
        )
