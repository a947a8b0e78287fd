"""``/v1/widget/SITE/...``: what the script on a company's own pages asks for."""

from __future__ import annotations

import logging
import time
from contextlib import suppress

from dazi.access.tokens import BadToken
from dazi.access.visitors import Visitor
from dazi.agent.asking import Ask
from dazi.apps.desk.given import check_length
from dazi.apps.desk.records import Wanted
from dazi.core.errors import AccessError, CallerError, NotFound
from dazi.core.language import Language, Text
from dazi.gateway.accounts.bodies import Done
from dazi.gateway.errors import BadField
from dazi.gateway.exchange import GENERATED, Exchange
from dazi.gateway.feedback import NONE, FeedbackBody, given_of
from dazi.gateway.reply import encode
from dazi.gateway.widget.bodies import (
    BEGIN,
    DECISION,
    FEEDBACK,
    HAND_OVER,
    MESSAGE,
    RATING,
    BegunView,
    TakenView,
)
from dazi.gateway.widget.conversation import conversation as told
from dazi.gateway.widget.conversation import mark_of
from dazi.gateway.widget.service import Widget, new_thread
from dazi.gateway.widget.talk import Begun, Talk
from dazi.gateway.widget.views import teller

LABEL = Text("由 AI 生成,请核实重要信息", "Made by AI; check what matters")
WANTS_PERSON = Text("访客要求转人工", "The visitor asks for a person")
SAID_YES, SAID_NO = Text("确认", "Confirm"), Text("取消", "Cancel")
STREAM_S = 300.0
"""A stream ends after so long, and the page asks for the next."""
QUIET_S, LOOK_S = 15.0, 2.0
"""How often something is sent where nothing happens; how often others' doings are looked for."""
LONGEST_KEY = 64

log = logging.getLogger("dazi.gateway")


async def begin(x: Exchange) -> None:
    widget, given = _widget(x), BEGIN.read(x.body)
    site = widget.site(x.path["site"])
    try:
        visitor = await widget.begin(site, x.address, given.token, given.visitor)
    except BadToken as e:
        x.state.observer.visited(site.name, "refused")
        log.warning("site %s: a visitor's token was refused: %s", site.name, e.why)
        raise AccessError(
            "unauthenticated",
            "网站给的登录凭证无效或已过期,请刷新页面",
            "the site's token is not valid or has expired; reload the page",
        ) from None
    except AccessError:
        x.state.observer.visited(site.name, "refused")
        raise
    x.state.observer.visited(site.name, "guest" if visitor.guest else "signed")
    language = _language(x)
    body = BegunView(
        widget.visitors.token(visitor),
        int(visitor.until),
        visitor.guest,
        visitor.name,
        site.title(language),
        site.welcome(language),
        widget.desk is not None and site.hand_over,
        LABEL(language),
        widget.longest,
    )
    await x.reply(encode(body))


async def conversation(x: Exchange) -> None:
    widget, visitor = _widget(x), _visitor(x)
    await x.reply(encode(await told(widget, visitor, _language(x))), GENERATED)


async def message(x: Exchange) -> None:
    widget, visitor, given = _widget(x), _visitor(x), MESSAGE.read(x.body)
    if len(given.key) > LONGEST_KEY:
        raise BadField("key", f"最多 {LONGEST_KEY} 个字符", f"at most {LONGEST_KEY} characters")
    talk = await _talk(widget, visitor)
    if not talk.has(given.key):
        await _admit(x, "message")
        ask = Ask(visitor.principal, talk.thread, given.text, key=x.key, origin=_origin(x))
        events = widget.service.ask(ask)
        await _begin(x, talk, Begun(
            events, teller(x.state.company, _language(x)), given.text, _language(x), given.key,
            place=widget.place(visitor.principal),
        ))  # fmt: skip
    await x.reply(encode(TakenView(talk.stream, talk.first - 1)), status=202)


async def decision(x: Exchange) -> None:
    widget, visitor, given = _widget(x), _visitor(x), DECISION.read(x.body)
    await _admit(x, "decision")
    thread = await widget.thread(visitor.principal)
    own = await widget.service.pending(visitor.principal, thread) if thread else []
    if not any(t.id == given.ticket for t in own):
        raise NotFound("ticket", "没有这个待确认的操作", "no such confirmation")
    talk, language = widget.talks.open(visitor.principal, thread), _language(x)
    events = widget.service.decide(visitor.principal, given.ticket, given.approve)
    said = (SAID_YES if given.approve else SAID_NO)(language)
    await _begin(x, talk, Begun(
        events, teller(x.state.company, language), said, language, acts=True,
        place=widget.place(visitor.principal),
    ))  # fmt: skip
    await x.reply(encode(TakenView(talk.stream, talk.first - 1)), status=202)


async def stop(x: Exchange) -> None:
    widget, visitor = _widget(x), _visitor(x)
    talk = widget.talks.find(visitor.principal, "")
    if talk is not None:
        await talk.stop()
    await x.reply(encode(Done()))


async def leave(x: Exchange) -> None:
    """Begin anew: the conversation stays where it is kept, and is shown here no more."""
    widget, visitor = _widget(x), _visitor(x)
    thread = await widget.thread(visitor.principal)
    talk = widget.talks.find(visitor.principal, "")
    if talk is not None and talk.running:
        raise CallerError(
            "thread_busy",
            "上一条还没答完,请等它结束",
            "the last message is still being answered; wait for it to finish",
        )
    widget.talks.forget(visitor.principal)
    if thread:
        with suppress(NotFound):  # nothing was said in it
            await widget.service.threads.archive(thread, visitor.principal)
    await x.reply(encode(Done()))


async def hand_over(x: Exchange) -> None:
    widget, visitor, given = _widget(x), _visitor(x), HAND_OVER.read(x.body)
    desk = widget.helps(visitor)
    await _admit(x, "hand_over")
    talk = await _talk(widget, visitor)
    text = given.text.strip() or WANTS_PERSON(_language(x))
    await desk.service.hand_over(visitor.principal, talk.thread, text, desk.clock())
    await x.reply(encode(await told(widget, visitor, _language(x))), GENERATED)


async def rating(x: Exchange) -> None:
    """Of the ticket that was resolved; of a conversation that the assistant had alone, which is filed
    as resolved by that."""
    widget, visitor, given = _widget(x), _visitor(x), RATING.read(x.body)
    desk, principal = widget.helps(visitor), visitor.principal
    await _admit(x, "rating")
    thread = await widget.thread(principal)
    view = await told(widget, visitor, _language(x))
    if not view.desk.ratable:
        zh, en = "现在没有可以评价的", "there is nothing to rate now"
        raise CallerError("not_possible", zh, en)
    if not 1 <= given.stars <= 5:  # before anything is filed
        raise BadField("stars", "应为 1 到 5", "must be 1 to 5")
    check_length(given.comment)
    ticket = view.desk.ticket
    if not ticket:
        await desk.service.file_over(principal, thread, desk.clock())
        (card,) = await desk.service.find(principal, Wanted(thread=thread, limit=1))
        ticket = card.id
    stars = {"stars": given.stars}
    await desk.service.act(principal, ticket, "rate", desk.clock(), given.comment, **stars)
    await x.reply(encode(await told(widget, visitor, _language(x))), GENERATED)


async def feedback(x: Exchange) -> None:
    """Of an answer of the visitor's own."""
    widget, visitor, given = _widget(x), _visitor(x), FEEDBACK.read(x.body)
    service = x.state.feedback
    if service is None:
        raise NotFound("feedback", "这里没有反馈", "there is no feedback here")
    await widget.admit(visitor, x.address)
    if given.thumb == NONE:
        await service.take_back(visitor.principal, given.turn)
    else:
        said = FeedbackBody(given.thumb, given.reason, given.comment, consent=given.consent)
        await service.give(visitor.principal, given.turn, given_of(said))
    await x.reply(encode(Done()))


async def events(x: Exchange) -> None:
    """The running answer's events, those that were missed first; while a person has the conversation
    or must decide, word of whatever changes."""
    widget, visitor = _widget(x), _visitor(x)
    stream, after = x.text("stream"), x.number("after", 0, most=10**9)
    mark, thread = x.text("mark")[:64], await widget.thread(visitor.principal)
    talk = widget.talks.open(visitor.principal, thread) if thread else None
    talk = talk if talk is not None and talk.stream == (stream or talk.stream) else None
    if talk is None:
        await x.begin_events(GENERATED)
        await _event(x, {"type": "reset"})
        await x.end_events()
        return
    talk.listen()
    try:
        with x.until_gone():
            await x.begin_events(GENERATED)
            await _follow(x, talk, visitor, after, mark)
            await x.end_events()
    finally:
        talk.listeners -= 1


async def _follow(x: Exchange, talk: Talk, visitor: Visitor, after: int, mark: str) -> None:
    widget, ends = _widget(x), time.monotonic() + STREAM_S
    watch: bool | None = None
    told_of = not mark  # a turn that is heard here changes the mark, which the page knows of
    while time.monotonic() < ends and visitor.until > widget.visitors.clock():
        running = talk.running
        for number, event in talk.since(after):
            await _event(x, event, number)
            after, told_of = number, True
        if running:
            watch, told_of = None, True
            await talk.more(after, QUIET_S)
            if talk.last <= after:
                await x.event(b": \n\n")
            continue
        if watch is None:
            watch = (await told(widget, visitor, _language(x))).watch
        if (watch or not told_of) and await mark_of(widget, visitor, talk.thread) != mark:
            await _event(x, {"type": "changed"})
            return
        if not watch:
            break
        await talk.more(after, LOOK_S)
        await x.event(b": \n\n")
    await _event(x, {"type": "done"})


async def _event(x: Exchange, event: object, number: int = 0) -> None:
    head = b"id: %d\n" % number if number else b""
    await x.event(head + b"data: " + encode(event) + b"\n\n")


async def _admit(x: Exchange, act: str) -> None:
    """Raises ``OverloadError`` where it is too much."""
    visitor = _visitor(x)
    await _widget(x).admit(visitor, x.address)
    x.state.observer.visitor_did(visitor.site.name, act)


async def _begin(x: Exchange, talk: Talk, turn: Begun) -> None:
    latest = await _widget(x).service.threads.latest(talk.thread, _visitor(x).principal, 1)
    await talk.begin(turn, latest[-1].seq if latest else 0)


async def _talk(widget: Widget, visitor: Visitor) -> Talk:
    thread = await widget.thread(visitor.principal)
    return widget.talks.open(visitor.principal, thread or new_thread())


def _origin(x: Exchange) -> dict[str, str]:
    return x.origin | {"site": str(x.path["site"])}


def _language(x: Exchange) -> Language:
    return x.language or "zh"


def _widget(x: Exchange) -> Widget:
    """Raises ``NotFound``."""
    if x.state.widget is None:
        raise NotFound("site", "没有这个网站", "no such site")
    return x.state.widget


def _visitor(x: Exchange) -> Visitor:
    assert x.visitor is not None, "the door lets only visitors in"
    return x.visitor
