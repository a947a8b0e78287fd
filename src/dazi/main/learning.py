"""Learning from use, wired: feedback, gaps in the documents, and the job that makes datasets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dazi.audit.private import Private
from dazi.audit.records import Record
from dazi.core.company import Company
from dazi.knowledge.embedding import Embedding
from dazi.main.sites import everybody
from dazi.main.tuning_child import tuner_of
from dazi.ops.feedback import service as feedback
from dazi.ops.feedback.service import FeedbackService
from dazi.ops.feedback.store import FeedbackStore
from dazi.ops.gaps import service as gaps
from dazi.ops.gaps.service import GapService
from dazi.ops.gaps.store import GapStore
from dazi.ops.learning.learning import Place, learning_kind, leaving_out
from dazi.ops.learning.listening import Listening
from dazi.store.jobs.work import Kind

if TYPE_CHECKING:
    from dazi.access.recording import Record as PutOnRecord
    from dazi.main.runtime import Runtime

RECORDS = 500
"""Of one turn."""


@dataclass(frozen=True, slots=True)
class Learning:
    feedback: FeedbackService
    gaps: GapService
    listening: Listening
    place: Place


def open_learning(runtime: Runtime, record: PutOnRecord) -> Learning | None:
    """With the assistant and the desk told who learns; ``None`` without documents, from which gaps are."""
    documents = runtime.documents
    if documents is None or documents.people is None:
        return None
    private = Private(runtime.sealing.keys)
    gap_parts = gaps.Parts(
        documents.library,
        documents.search,
        runtime.router.guard,
        record,
        everybody(runtime.access.people, runtime.visitors),
        runtime.service.recall,
        documents.settings.managers,
        Embedding(runtime.embedder).of if runtime.embedder is not None else None,
    )
    gap_service = GapService(GapStore(runtime.database, private), gap_parts)
    parts = feedback.Parts(
        runtime.service.threads,
        records_of(runtime),
        record,
        runtime.company,
        runtime.router.guard,
        private,
        runtime.today,
        runtime.settings.feedback_ground,
    )
    service = FeedbackService(FeedbackStore(runtime.database, private), parts)
    listening = Listening(service, gap_service)
    service.missing = listening.missing
    service.leave_out = leaving_out(runtime.settings.data_folder(runtime.company.folder))
    runtime.service.agent.learner = listening
    if runtime.desk is not None:
        runtime.desk.service.learner = listening
    data = runtime.settings.data_folder(runtime.company.folder)
    place = Place(
        data,
        offered(runtime.company),
        runtime.settings.learn_least,
        tuner_of(runtime.settings),
    )
    return Learning(service, gap_service, listening, place)


def records_of(runtime: Runtime) -> Callable[[str], Awaitable[Sequence[Record]]]:
    async def records(turn: str) -> Sequence[Record]:
        await runtime.ledger.flush()
        return await runtime.audit.rows(turn, RECORDS)

    return records


def offered(company: Company) -> dict[str, dict[str, object]]:
    """The company's tools as a model sees them, for a dataset."""
    return {
        t.name: {
            "name": t.name,
            "description": t.description("zh"),
            "parameters": t.schema("zh"),
        }
        for t in company.tools.values()
    }


def kinds(runtime: Runtime) -> Iterator[Kind]:
    if runtime.learning is not None:
        yield learning_kind(runtime.learning.feedback, runtime.learning.place)
