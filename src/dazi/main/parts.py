"""The parts of a company that stand behind doors: its documents, the risk engine, the service desk.

Tools are made before what they reach is there; each finds it behind its door once it is opened here.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dazi.audit.private import Private
from dazi.connectors.context import ConnectorContext
from dazi.knowledge.administration import Administration
from dazi.knowledge.service import KnowledgeService
from dazi.main.admission import recorder
from dazi.main.desk import DeskFiles, make_desk
from dazi.main.desk_door import DeskDoor
from dazi.main.documents import Documents, Place, milvus_of, open_documents
from dazi.main.door import Door
from dazi.main.engines import make_reranker
from dazi.main.knowledge_settings import knowledge_settings
from dazi.main.outside_sources import OutsideSources
from dazi.main.risk_door import RiskDoor
from dazi.main.sites import everybody

if TYPE_CHECKING:
    from dazi.main.runtime import Runtime


async def company_documents(runtime: Runtime, context: ConnectorContext, data: Path) -> Documents:
    """The company's documents, behind the door that its tools have."""
    runtime.reranker = make_reranker(runtime.settings)
    settings = knowledge_settings(runtime.company)
    place = Place(
        runtime.database,
        data,
        runtime.company.folder,
        runtime.embedder,
        runtime.reranker,
        runtime.settings.knowledge_ocr,
        milvus_of(runtime.settings),
    )
    documents = await open_documents(place, settings)
    documents.library.outside = OutsideSources(context)
    documents.extractive = runtime.engine.profile.copies_text
    if runtime.demo is not None:
        documents.prepare = runtime.demo.make_documents
    if isinstance(context.knowledge, Door):
        context.knowledge.behind = documents
    administration = Administration(
        documents.library, settings.managers, runtime.company.roles.keys(), recorder(runtime.ledger)
    )
    documents.people = KnowledgeService(
        documents.library,
        documents.search,
        administration,
        runtime.settings.knowledge_upload_bytes,
    )
    return documents


def risk_engine(runtime: Runtime, context: ConnectorContext) -> None:
    """The risk engine, behind the door that its tool has."""
    from dazi.main.risk import open_risk

    runtime.risk = open_risk(
        runtime.company,
        context,
        runtime.database,
        Private(runtime.sealing.keys),
        recorder(runtime.ledger),
    )
    if runtime.risk is not None and isinstance(context.risk, RiskDoor):
        context.risk.behind = runtime.risk.service


def open_desk(runtime: Runtime, context: ConnectorContext) -> None:
    """The service desk, behind the door that tools have, and in the assistant's place where a person
    has a conversation."""
    files = DeskFiles(runtime.database, Private(runtime.sealing.keys), runtime.service.threads)
    people = everybody(runtime.access.people, runtime.visitors)
    runtime.desk = make_desk(runtime.company, files, people, runtime.service, runtime.visitors)
    runtime.desk.knowledge = context.knowledge
    runtime.service.holder = runtime.desk
    if isinstance(context.desk, DeskDoor):
        context.desk.behind = runtime.desk
