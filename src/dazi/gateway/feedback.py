"""``/v1/dazi/turns/TURN/feedback``: what the caller says of an answer of theirs. ``/v1/dazi/feedback``: the
queue of those who review. ``/v1/dazi/knowledge/gaps``: what was asked and is in no document."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, to_builtins

from dazi.core.errors import AccessError, NotFound
from dazi.gateway.accounts.bodies import Done
from dazi.gateway.errors import BadField
from dazi.gateway.exchange import Exchange
from dazi.gateway.reply import encode
from dazi.gateway.route_spec import RouteSpec
from dazi.gateway.wire import Reader
from dazi.ops.feedback.model import KINDS, STATES, THUMBS, Entry, Given, Wanted
from dazi.ops.feedback.rights import may_see_names
from dazi.ops.feedback.service import Act, FeedbackService, Reviewed
from dazi.ops.gaps.service import Gap, GapService, Measured

MOST = 200
NONE = "none"
ACTS: dict[str, Act] = {"accept": "accept", "refuse": "refuse", "private": "private"}


class FeedbackBody(Struct, forbid_unknown_fields=True):
    """``thumb``: ``up``, ``down``, or ``none`` to take it back. ``reason``: one of docs/*/learning.md.
    ``correction``: the answer that would have been right; ``consent``: that it may be learned from."""

    thumb: str
    reason: str = ""
    comment: str = ""
    correction: str = ""
    consent: bool = False


class FeedbackView(Struct, frozen=True):
    """``state``: ``new``, ``accepted``, ``refused`` or ``private``; empty once it is taken back."""

    turn: str
    thumb: str
    reason: str = ""
    consent: bool = False
    state: str = ""


class EntryView(Struct, frozen=True):
    """``who`` is empty for reviewers who may not see names. Everything that is personal in what was said
    has a stand-in. ``sample``: proposed, or as it was accepted; null where the right answer is to be
    written first. ``usable``: there is a ground to learn from it. Times in seconds since the epoch."""

    id: str
    kind: str
    thumb: str
    reason: str
    state: str
    consent: bool
    usable: bool
    who: str
    turn: str
    at: int
    decided: int | None
    decided_by: str
    dataset: str
    why: str
    content: dict[str, Any]
    sample: dict[str, Any] | None


class EntryViews(Struct, frozen=True):
    data: list[EntryView]
    object: str = "list"


class DecisionBody(Struct, forbid_unknown_fields=True):
    """``act``: ``accept``, ``refuse`` (with ``why``) or ``private`` (not to be learned from). ``sample``:
    of what is accepted, ``messages`` and ``kind`` as the reviewer left them."""

    act: str
    why: str = ""
    sample: dict[str, Any] | None = None


class SuggestionView(Struct, frozen=True):
    title: str
    outline: list[str]
    ask: list[str]


class ClosedView(Struct, frozen=True):
    """Of ``asked`` questions ``answered`` were, when that was ``measured``."""

    document: str
    at: int
    asked: int
    answered: int
    measured: int


class GapView(Struct, frozen=True):
    """``weeks``: questions of each week, this one last; ``collections``: by the source of documents that is
    nearest; ``since``: how often it was asked after it was closed."""

    id: str
    count: int
    people: int
    weeks: list[int]
    collections: dict[str, int]
    whys: dict[str, int]
    examples: list[str]
    suggestion: SuggestionView
    last: int
    closed: ClosedView | None
    since: int


class GapViews(Struct, frozen=True):
    data: list[GapView]
    object: str = "list"


class CloseBody(Struct, forbid_unknown_fields=True):
    """``document``: the number of what answers it now; without one a closed gap is measured again."""

    document: str = ""


GIVEN, DECIDED, CLOSE = Reader(FeedbackBody), Reader(DecisionBody), Reader(CloseBody)


async def give_feedback(x: Exchange) -> None:
    given, service, turn = GIVEN.read(x.body), _feedback(x), x.path["turn"]
    if given.thumb == NONE:
        await service.take_back(x.principal, turn)
        await x.reply(encode(FeedbackView(turn, NONE)))
        return
    entry = await service.give(x.principal, turn, given_of(given))
    await x.reply(encode(feedback_view(entry)))


async def feedback(x: Exchange) -> None:
    state, kind = x.text("state") or "new", x.text("kind")
    if state not in (*STATES, "all"):
        known = ", ".join((*STATES, "all"))
        raise BadField("state", f"应为 {known} 之一", f"must be one of {known}")
    if kind and kind not in KINDS:
        known = ", ".join(KINDS)
        raise BadField("kind", f"应为 {known} 之一", f"must be one of {known}")
    wanted = Wanted(
        next((s for s in STATES if s == state), ""),
        next((k for k in KINDS if k == kind), ""),
        x.number("limit", 50, least=1, most=MOST),
    )
    found = await _feedback(x).find(x.principal, wanted)
    await x.reply(encode(EntryViews([_entry(x, r) for r in found])))


async def feedback_entry(x: Exchange) -> None:
    found = await _feedback(x).get(x.principal, x.path["entry"])
    await x.reply(encode(_entry(x, found)))


async def decide_feedback(x: Exchange) -> None:
    given, service = DECIDED.read(x.body), _feedback(x)
    act = ACTS.get(given.act)
    if act is None:
        known = ", ".join(ACTS)
        raise BadField("act", f"应为 {known} 之一", f"must be one of {known}")
    found = await service.decide(x.principal, x.path["entry"], act, given.why, given.sample)
    await x.reply(encode(_entry(x, found)))


async def gaps(x: Exchange) -> None:
    weeks = x.number("weeks", 8, least=1, most=52)
    found = await _gaps(x).gaps(x.principal, weeks, x.spoken)
    await x.reply(encode(GapViews([_gap(g) for g in found])))


async def reopen_gap(x: Exchange) -> None:
    await _gaps(x).reopen(x.principal, x.path["gap"])
    await x.reply(encode(Done()))


async def close_gap(x: Exchange) -> None:
    given, service, id = CLOSE.read(x.body), _gaps(x), x.path["gap"]
    measured = (
        await service.close(x.principal, id, given.document)
        if given.document
        else await service.measure(x.principal, id)
    )
    await x.reply(encode(_closed(measured)))


def given_of(body: FeedbackBody) -> Given:
    """Raises ``BadField``."""
    thumb = next((t for t in THUMBS if t == body.thumb), None)
    if thumb is None:
        raise BadField("thumb", "应为 up、down 或 none", "must be up, down or none")
    return Given(thumb, body.reason, body.comment, body.correction, body.consent)


def feedback_view(e: Entry) -> FeedbackView:
    return FeedbackView(e.turn, e.thumb, e.reason, e.consent, e.state)


def _entry(x: Exchange, r: Reviewed) -> EntryView:
    e = r.entry
    return EntryView(
        e.id, e.kind, e.thumb, e.reason, e.state, e.consent, r.usable,
        e.giver if may_see_names(x.principal) else "", e.turn, int(e.at),
        None if e.decided is None else int(e.decided), e.decided_by, e.dataset, e.why,
        to_builtins(e.content), None if r.sample is None else to_builtins(r.sample),
    )  # fmt: skip


def _gap(g: Gap) -> GapView:
    s, c = g.suggestion, g.closed
    closed = ClosedView(c.document, int(c.at), c.asked, c.answered, int(c.measured)) if c else None
    return GapView(
        g.id, g.count, g.people, list(g.weeks), dict(g.collections), dict(g.whys), list(g.examples),
        SuggestionView(s.title, list(s.outline), list(s.ask)), int(g.last), closed, g.since,
    )  # fmt: skip


def _closed(m: Measured) -> ClosedView:
    c = m.closed
    return ClosedView(c.document, int(c.at), c.asked, c.answered, int(c.measured))


def _whole_key(x: Exchange) -> None:
    """Raises ``AccessError`` for a key that is for some tools only."""
    if x.only:
        zh = "这个密钥只限某些工具,不能用在这里"
        en = "this key is for some tools only and cannot be used here"
        raise AccessError("key_scope", zh, en)


def _feedback(x: Exchange) -> FeedbackService:
    _whole_key(x)
    if x.state.feedback is None:
        raise NotFound("feedback", "这里没有反馈", "there is no feedback here")
    return x.state.feedback


def _gaps(x: Exchange) -> GapService:
    _whole_key(x)
    if x.state.gaps is None:
        raise NotFound("gap", "这里没有文档", "there are no documents here")
    return x.state.gaps


_READ = (400, 401, 403, 404, 503)
_CHANGE = (400, 401, 403, 404, 413, 503)
_GAPS = "/v1/dazi/knowledge/gaps"
_QUEUE = "/v1/dazi/feedback"
_STATE = {"type": "string", "enum": [*STATES, "all"], "default": "new"}
_LIMIT = {"type": "integer", "minimum": 1, "maximum": MOST, "default": 50}
_WEEKS = {"type": "integer", "minimum": 1, "maximum": 52, "default": 8}
ROUTES: tuple[RouteSpec, ...] = (
    RouteSpec(
        "POST", "/v1/dazi/turns/{turn}/feedback", give_feedback,
        "对自己的一个回答的评价 / what one says of an answer of one's own", FeedbackView, FeedbackBody,
        _CHANGE,
    ),
    RouteSpec(
        "GET", _QUEUE, feedback, "待审的反馈 / feedback to be reviewed", EntryViews, None, _READ,
        query={"state": _STATE, "kind": {"type": "string", "enum": list(KINDS)}, "limit": _LIMIT},
    ),
    RouteSpec(
        "GET", f"{_QUEUE}/{{entry}}", feedback_entry, "一条反馈 / one of them", EntryView, None, _READ
    ),
    RouteSpec(
        "POST", f"{_QUEUE}/{{entry}}", decide_feedback,
        "采纳、不采纳、不用于训练 / accept, refuse, keep out of training", EntryView, DecisionBody, _CHANGE,
    ),
    RouteSpec(
        "GET", _GAPS, gaps, "问了没答上的,按意思归类 / questions without an answer, grouped", GapViews, None,
        _READ, query={"weeks": _WEEKS},
    ),
    RouteSpec(
        "POST", f"{_GAPS}/{{gap}}", close_gap,
        "用一份文档补上,再查一遍 / close with a document, and measure", ClosedView, CloseBody, _CHANGE,
    ),
    RouteSpec(
        "DELETE", f"{_GAPS}/{{gap}}/closing", reopen_gap, "重新打开一个缺口 / open a closed gap again",
        Done, None, _CHANGE,
    ),
)  # fmt: skip
