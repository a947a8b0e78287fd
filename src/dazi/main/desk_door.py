"""The tools' way to the service desk, which is opened after them, or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dazi.core.desk import FiledTicket, TicketRequest
from dazi.core.errors import ConnectorError

if TYPE_CHECKING:
    from dazi.apps.desk.desk import Desk


@dataclass(slots=True)
class DeskDoor:
    """``behind``: the desk, once it is open."""

    behind: Desk | None = None

    async def file(self, request: TicketRequest) -> FiledTicket:
        if self.behind is None:
            raise ConnectorError("unavailable", "服务台没有打开", "the service desk is not open")
        return await self.behind.file(request)
