"""What the pages are made from."""

from __future__ import annotations

from dataclasses import dataclass, field

from dazi.access.auditing import LedgerReading
from dazi.access.control import Access
from dazi.agent.service import AssistantService
from dazi.apps.contracts.service import ContractService
from dazi.apps.desk.desk import Desk
from dazi.apps.reports.service import ReportService
from dazi.apps.risk.service import RiskService
from dazi.audit.ledger import Ledger
from dazi.console.answers import Answers
from dazi.console.system import System
from dazi.console.visits import Visit
from dazi.core.company import Company
from dazi.core.engine import Engine
from dazi.core.language import Language
from dazi.core.principal import Principal
from dazi.gateway.channels.service import ChannelService
from dazi.knowledge.service import KnowledgeService
from dazi.observe.history import History
from dazi.observe.instruments import Registry
from dazi.ops.alerts.service import AlertService
from dazi.ops.experiments.service import ExperimentService
from dazi.ops.feedback.service import FeedbackService
from dazi.ops.gaps.service import GapService
from dazi.store.jobs.service import JobService


@dataclass(frozen=True, slots=True)
class ConsoleState:
    """What ``mount_console`` needs of a running Dazi. ``max_message_chars`` is what the service
    accepts; the page tells a person before the message is sent. ``public_url``: where browsers reach
    this server, for providers to send them back to."""

    service: AssistantService
    access: Access
    company: Company
    engine: Engine
    ledger: Ledger
    max_message_chars: int = 100_000
    public_url: str = ""
    knowledge: KnowledgeService | None = None
    """The company's documents, where there are any."""
    jobs: JobService | None = None
    desk: Desk | None = None
    """The service desk, where there is one."""
    risk: RiskService | None = None
    """The risk engine, where transactions are declared."""
    contracts: ContractService | None = None
    reports: ReportService | None = None
    registry: Registry | None = None
    history: History | None = None
    """What is counted and timed, and its course."""
    system: System | None = None
    """The running system, for those who look after it, and what is on record of a turn."""
    answers: Answers = field(default_factory=Answers)
    """Those being made at the moment."""
    experiments: ExperimentService | None = None
    """Prompt versions, and experiments with them and with models."""
    alerts: AlertService | None = None
    reading: LedgerReading | None = None
    """The ledger, for whose duty it is to look at it; none where it is kept in memory only."""
    channels: ChannelService | None = None
    """The messaging channels, where any are configured."""
    feedback: FeedbackService | None = None
    """What people say of answers, and the queue of those who review it."""
    gaps: GapService | None = None
    """What was asked and is in no document."""

    def name_of(self, user: str, tenant: str, language: Language) -> str:
        """What a person is called; for nobody we know, the name they signed in by."""
        account = self.access.people.account(tenant, user)
        return account.name(language) if account else user


@dataclass(frozen=True, slots=True)
class Scene:
    """One person looking at one page."""

    state: ConsoleState
    visit: Visit
    principal: Principal
    language: Language
    dark: bool
