"""``/v1/dazi/knowledge``: documents by the rights of whoever asks. What is not theirs is not there."""

from __future__ import annotations

from dazi.core.errors import AccessError, NotFound
from dazi.gateway.errors import BadField
from dazi.gateway.exchange import Exchange
from dazi.gateway.knowledge import bodies
from dazi.gateway.reply import encode
from dazi.knowledge.index import Hit
from dazi.knowledge.records import Document
from dazi.knowledge.search import Question
from dazi.knowledge.service import KnowledgeService

MOST_PASSAGES = 200
MOST_FOUND = 30
LONGEST_QUERY = 2_000
MOST_DOCUMENTS = 200
TOOL_KIND = "knowledge"


async def documents(x: Exchange) -> None:
    knowledge = knowledge_of(x)
    if x.flag("all"):
        administration = managed(x).administration
        found = [of_manager(x, d) for d in await administration.documents(x.principal)]
    else:
        _may_read(x)
        found = [document_view(d) for d in await knowledge.library.readable(x.principal)]
    await x.reply(encode(bodies.Documents(found)))


async def document(x: Exchange) -> None:
    knowledge = knowledge_of(x)
    _may_read(x)
    first, limit = x.number("first", 0), x.number("limit", 50, least=1, most=MOST_PASSAGES)
    opened = await knowledge.open(x.principal, x.path["document"], first, limit + 1)
    passages = opened.passages[:limit]
    more = opened.passages[limit].chunk.ordinal if len(opened.passages) > limit else None
    shown = [passage_view(h) for h in passages]
    await x.reply(encode(bodies.OpenedDocument(document_view(opened.document), shown, more)))


async def search(x: Exchange) -> None:
    knowledge = knowledge_of(x)
    _may_read(x)
    given = bodies.KNOWLEDGE_QUERY.read(x.body)
    if not given.query.strip():
        raise BadField("query", "是空的", "it is empty", "empty")
    if len(given.query) > LONGEST_QUERY:
        raise BadField(
            "query", f"最多 {LONGEST_QUERY} 个字符", f"at most {LONGEST_QUERY} characters"
        )
    if not 1 <= given.limit <= MOST_FOUND:
        raise BadField("limit", f"应在 1 到 {MOST_FOUND} 之间", f"must be 1 to {MOST_FOUND}")
    if len(given.documents) > MOST_DOCUMENTS:
        raise BadField("documents", f"最多 {MOST_DOCUMENTS} 份", f"at most {MOST_DOCUMENTS}")
    question = Question(
        given.query, x.principal, documents=frozenset(given.documents), limit=given.limit
    )
    found = await knowledge.search.answer(question)
    passages = list(found.passages)
    quoted = None
    if found.source is not None:
        if found.source not in passages:  # the sentence stands in a passage further down
            passages.append(found.source)
        quoted = passages.index(found.source)
    body = bodies.FoundPassages(
        [passage_view(p.hit) for p in passages], found.quote.text if found.quote else "", quoted
    )
    await x.reply(encode(body))


def knowledge_of(x: Exchange) -> KnowledgeService:
    """Raises ``NotFound`` where there are no documents."""
    knowledge = x.state.knowledge
    if knowledge is None:
        raise NotFound("knowledge", "这里没有公司文档", "there are no documents here")
    return knowledge


def managed(x: Exchange) -> KnowledgeService:
    """Raises ``AccessError`` for whoever may not manage documents, with a key for some tools too."""
    knowledge = knowledge_of(x)
    knowledge.administration.check(x.principal)
    if x.only:
        raise _narrowed()
    return knowledge


def _may_read(x: Exchange) -> None:
    """A key for some tools reads documents only if one of those does."""
    company = x.state.company
    if x.only and not any(
        company.connectors[t.connector].kind == TOOL_KIND
        for name in x.only
        if (t := company.tools.get(name)) is not None
    ):
        raise _narrowed()


def _narrowed() -> AccessError:
    return AccessError(
        "key_scope",
        "这个密钥只限某些工具,不能用在这里",
        "this key is for some tools only and cannot be used here",
    )


def document_view(d: Document) -> bodies.DocumentView:
    return bodies.DocumentView(d.id, d.title, d.place, d.state, d.pages, d.chunks, d.scanned)


def of_manager(x: Exchange, d: Document) -> bodies.DocumentView:
    error = d.error_zh if x.spoken == "zh" else d.error_en
    return bodies.DocumentView(
        d.id, d.title, d.place, d.state, d.pages or d.progress.pages, d.chunks, d.scanned,
        d.source, sorted(d.readers), d.own_readers, d.progress.page, error,
    )  # fmt: skip


def passage_view(hit: Hit) -> bodies.PassageView:
    chunk = hit.chunk
    section = " > ".join(name for name in chunk.path if name != hit.title)
    return bodies.PassageView(
        hit.document, chunk.ordinal, hit.title, section, chunk.page, chunk.text
    )
