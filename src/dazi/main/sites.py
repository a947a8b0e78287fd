"""The company's own sites, wired: their visitors, and the chat that is on their pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dazi.access.people import People
from dazi.access.sealing import Sealer
from dazi.access.visitors import VisitorRecords, Visitors
from dazi.audit.private import Private
from dazi.core.company import Company
from dazi.core.principal import Principal
from dazi.gateway.widget.service import Widget
from dazi.main.demo import with_port
from dazi.main.widget_settings import widget_sites
from dazi.store.database import Database

if TYPE_CHECKING:
    from dazi.main.runtime import Runtime

KEY = "access.key"
"""In the data folder; see ``access.sealing``."""


def visitors_of(
    company: Company, data: Path, database: Database, private: Private, *, keys: bool = True
) -> Visitors:
    """Raises ``ConfigError`` for a mistake in ``[widget]``, and with ``keys``, where this is no demo,
    for a site's key that is not there."""
    sites = widget_sites(company, data, keys=keys and not company.demo)
    return Visitors(sites, Sealer.at(data / KEY), VisitorRecords(database, private))


def everybody(people: People, visitors: Visitors | None) -> Callable[..., Principal]:
    """Accounts, the company file's users, and visitors of sites: no two can have the same name."""

    def principal(user: str, channel: str, tenant: str = "default") -> Principal:
        if visitors is not None and visitors.served(user) is not None:
            return visitors.principal(user)
        return people.principal(user, channel, tenant)

    return principal


async def open_widget(runtime: Runtime) -> Widget | None:
    """``None`` where no site is declared."""
    from dazi.main.admission import make_counters

    if runtime.visitors is None or not runtime.visitors.sites:
        return None
    if runtime.running is not None:  # the demo's own page has the port that was chosen
        port = runtime.running.services_port
        runtime.visitors.sites = {
            name: replace(site, origins=frozenset(with_port(o, port) for o in site.origins))
            for name, site in runtime.visitors.sites.items()
        }
    return Widget(
        runtime.visitors,
        runtime.service,
        runtime.settings.max_message_chars,
        runtime.desk,
        await make_counters(runtime.settings, runtime.database),
    )
