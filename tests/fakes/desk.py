"""A service desk that keeps what it is asked to file."""

from __future__ import annotations

from dataclasses import dataclass, field

from dazi.core.desk import FiledTicket, TicketRequest
from dazi.core.errors import CallerError


@dataclass
class FakeDesk:
    filed: dict[str, FiledTicket] = field(default_factory=dict)
    requests: list[TicketRequest] = field(default_factory=list)

    async def file(self, request: TicketRequest) -> FiledTicket:
        if not request.title.strip():
            raise CallerError("empty", "请写明是什么问题", "say what the problem is")
        self.requests.append(request)
        number = f"T{len(self.filed) + 1:05d}"
        new = FiledTicket(number, request.title, request.priority)
        return self.filed.setdefault(request.key, new)
