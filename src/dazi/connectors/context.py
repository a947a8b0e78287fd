"""What connectors are given besides their own configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dazi.connectors.mail_server import SmtpServer
from dazi.core.desk import TicketDesk
from dazi.core.knowledge import KnowledgeSource
from dazi.core.risk import RiskSource


@dataclass(frozen=True, slots=True)
class ConnectorContext:
    """A company folder and where its systems are.

    ``databases`` maps a name to a URL; a relative SQLite path is relative to ``data_dir``.
    ``services`` maps a name to a base URL: the only place a base URL can come from.
    """

    folder: Path
    data_dir: Path
    databases: Mapping[str, str] = field(default_factory=dict)
    services: Mapping[str, str] = field(default_factory=dict)
    smtp: SmtpServer | None = None
    knowledge: KnowledgeSource | None = None
    risk: RiskSource | None = None
    desk: TicketDesk | None = None
