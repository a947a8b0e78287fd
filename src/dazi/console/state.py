"""What the pages are made from."""

from __future__ import annotations

from dataclasses import dataclass

from dazi.access.users import Directory
from dazi.agent.service import AssistantService
from dazi.audit.ledger import Ledger
from dazi.console.sessions import Session
from dazi.core.company import Company
from dazi.core.engine import Engine
from dazi.core.language import Language
from dazi.core.principal import Principal

CHANNEL = "web"


@dataclass(frozen=True, slots=True)
class ConsoleState:
    """What ``mount_console`` needs of a running Dazi. ``max_message_chars`` is what the service
    accepts; the page tells a person before the message is sent."""

    service: AssistantService
    directory: Directory
    company: Company
    engine: Engine
    ledger: Ledger
    max_message_chars: int = 100_000


@dataclass(frozen=True, slots=True)
class Scene:
    """One person looking at one page."""

    state: ConsoleState
    session: Session
    principal: Principal
    language: Language
    dark: bool
