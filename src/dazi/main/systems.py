"""The company's systems as its folder declares them, each with its connector."""

from __future__ import annotations

from pathlib import Path

from dazi.connectors.context import ConnectorContext
from dazi.connectors.mail_server import SmtpServer
from dazi.connectors.registry import make_connector
from dazi.core.company import Company
from dazi.core.tools import Connector
from dazi.main.demo import Running, addresses
from dazi.main.desk_door import DeskDoor
from dazi.main.door import Door
from dazi.main.risk_door import RiskDoor


def connector_context(company: Company, data: Path, running: Running | None) -> ConnectorContext:
    """Where the systems are that the company declares."""
    mail = company.settings.get("mail")
    server = None
    if mail is not None:
        server = SmtpServer.of(mail, company.folder, running.mail_port if running else 0)
    return ConnectorContext(
        company.folder,
        data,
        {str(k): str(v) for k, v in company.settings.get("databases", {}).items()},
        addresses(company.settings, running),
        server,
        Door(),
        RiskDoor(),
        DeskDoor(),
    )


def make_connectors(company: Company, context: ConnectorContext) -> dict[str, Connector]:
    """One connector for each system that the company declares, checked against its tools."""
    out: dict[str, Connector] = {}
    for spec in company.connectors.values():
        tools = [t for t in company.tools.values() if t.connector == spec.name]
        out[spec.name] = make_connector(spec.kind, spec.config, context, tools)
    return out
