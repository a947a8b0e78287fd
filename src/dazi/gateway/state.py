"""What the gateway works with: everything is made elsewhere and handed in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from dazi.access.control import Access
from dazi.access.keyring import Grant
from dazi.access.users import Directory
from dazi.agent.service import AssistantService
from dazi.apps.contracts.service import ContractService
from dazi.apps.desk.desk import Desk
from dazi.apps.reports.service import ReportService
from dazi.apps.risk.service import RiskService
from dazi.audit.ledger import Ledger
from dazi.core.company import Company
from dazi.core.engine import Embedder, Engine, models_of
from dazi.core.principal import Principal
from dazi.gateway.channels.service import ChannelService
from dazi.gateway.gate import Gate
from dazi.gateway.widget.service import Widget
from dazi.knowledge.service import KnowledgeService
from dazi.observe.observer import Observer
from dazi.ops.alerts.service import AlertService
from dazi.ops.experiments.service import ExperimentService
from dazi.ops.feedback.service import FeedbackService
from dazi.ops.gaps.service import GapService
from dazi.ops.scaling import Dampers
from dazi.store.jobs.service import JobService

GOVERNED = "dazi"
"""The governed assistant's name as a model."""
RAW_MODEL_ROLES = frozenset({"admin"})
"""Who may talk to the model itself, without tools, checks and memory."""


@dataclass(frozen=True, slots=True)
class Limits:
    """``max_concurrent``: turns at once; ``max_queued`` more wait for a place, ``queue_seconds`` at
    the most, and what is beyond is refused at once. ``body_seconds``: how long a caller may take to
    send a body."""

    max_body_bytes: int = 1_000_000
    max_concurrent: int = 64
    body_seconds: float = 30.0
    max_queued: int = 0
    queue_seconds: float = 2.0


@dataclass(frozen=True, slots=True)
class GatewayState:
    """``ready`` tells for each part (model, database, ...) whether it can serve."""

    service: AssistantService
    engine: Engine
    company: Company
    directory: Directory
    ledger: Ledger
    limits: Limits
    ready: Callable[[], Awaitable[dict[str, bool]]]
    access: Access | None = None
    """Accounts and keys beside the company's file."""
    embedder: Embedder | None = None
    knowledge: KnowledgeService | None = None
    """The company's documents, where there are any."""
    jobs: JobService | None = None
    desk: Desk | None = None
    """The service desk, where there is one."""
    risk: RiskService | None = None
    """The risk engine, where transactions are declared."""
    contracts: ContractService | None = None
    reports: ReportService | None = None
    observer: Observer = field(default_factory=Observer)
    metrics_token: str = ""
    """What a monitoring system shows; without one it has to be on this machine."""
    experiments: ExperimentService | None = None
    """Prompt versions, and experiments with them and with models."""
    widget: Widget | None = None
    """The company's own sites that have a chat on them."""
    alerts: AlertService | None = None
    channels: ChannelService | None = None
    """The messaging channels, where any are configured."""
    feedback: FeedbackService | None = None
    """What people say of answers, and the queue of those who review it."""
    gaps: GapService | None = None
    """What was asked and is in no document."""
    scaling: Dampers = field(default_factory=Dampers)
    gate: Gate = field(init=False)

    def __post_init__(self) -> None:
        limits = self.limits
        gate = Gate(limits.max_concurrent, limits.max_queued, limits.queue_seconds)
        object.__setattr__(self, "gate", gate)

    def models_for(self, principal: Principal, grant: Grant | None = None) -> tuple[str, ...]:
        """Names of the models that this caller may chat with; the governed assistant comes first."""
        raw = models_of(self.engine) if principal.has_role(*RAW_MODEL_ROLES) else ()
        names = (GOVERNED, *(m for m in raw if m != GOVERNED))
        return tuple(n for n in names if grant is None or grant.allows_model(n))
