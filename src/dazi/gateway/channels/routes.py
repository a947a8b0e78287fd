"""Callbacks of vendors, and what people do about their own bindings."""

from __future__ import annotations

import logging

from msgspec import Struct

from dazi.core.errors import NotFound
from dazi.gateway.accounts.bodies import Done
from dazi.gateway.channels.bindings import CODE_S
from dazi.gateway.channels.protocol import Callback, Forged
from dazi.gateway.channels.service import ChannelService
from dazi.gateway.exchange import Exchange
from dazi.gateway.receiving import whole
from dazi.gateway.reply import encode
from dazi.gateway.route_spec import RouteSpec

LARGEST = 128 << 10
"""Bytes of a callback: messages have a few thousand, pictures come by name."""
_CALLBACK = "/v1/dazi/channels/{channel}/callback"
_TYPES = ("text/plain", "application/xml", "application/json")

log = logging.getLogger("dazi.channels")


class ChannelView(Struct, frozen=True):
    """``bound``: whether the caller is known there."""

    name: str
    kind: str
    bound: bool


class ChannelViews(Struct, frozen=True):
    data: list[ChannelView]
    object: str = "list"


class BindingCode(Struct, frozen=True):
    """To be sent to the channel as a message, 「绑定 CODE」, within so many seconds; once."""

    code: str
    seconds: int


def _channels(x: Exchange) -> ChannelService:
    if x.state.channels is None:
        raise NotFound("channel", "没有配置渠道", "no channels are configured")
    return x.state.channels


async def verify_callback(x: Exchange) -> None:
    """A vendor asks whether the address is ours."""
    await _answer(x, "GET", b"")


async def channel_callback(x: Exchange) -> None:
    _channels(x).line(x.path["channel"])  # for nobody not a byte is read
    await _answer(x, "POST", await whole(x, LARGEST))


async def channel_part(x: Exchange) -> None:
    """What a vendor sends elsewhere than messages: events, cards."""
    _channels(x).line(x.path["channel"])
    await _answer(x, "POST", await whole(x, LARGEST))


async def _answer(x: Exchange, method: str, body: bytes) -> None:
    channel = x.path["channel"]
    callback = Callback(
        method,
        {name: values[-1] for name, values in x.query.items()},
        {name.decode("latin-1"): value.decode("latin-1") for name, value in x.headers.items()},
        body,
        x.path.get("part", ""),
    )
    try:
        reply = await _channels(x).receive(channel, callback)
    except Forged as e:
        x.state.observer.messaged(channel, "forged")
        log.warning("a callback of %s was refused: %s", channel[:40], e.why)
        raise
    await x.plain(reply.body, reply.content_type)


async def channels(x: Exchange) -> None:
    found = x.state.channels
    views: list[ChannelView] = []
    if found is not None:
        who = x.principal
        for name in found.names:
            line = found.line(name)
            bound = bool(await line.identities.name_of(who.tenant, who.user))
            views.append(ChannelView(name, line.section.kind, bound))
    await x.reply(encode(ChannelViews(views)))


async def binding_code(x: Exchange) -> None:
    code = await _channels(x).bindings.code(x.principal)
    await x.reply(encode(BindingCode(code, int(CODE_S))))


async def unbind_channel(x: Exchange) -> None:
    if not await _channels(x).unbind(x.principal, x.path["channel"]):
        raise NotFound("unbound", "您没有绑定这个渠道", "you are not bound there")
    await x.reply(encode(Done()))


ROUTES: tuple[RouteSpec, ...] = (
    RouteSpec(
        "GET", "/v1/dazi/channels", channels, "消息渠道,和自己绑定了没有 / channels, and one's bindings",
        ChannelViews,
    ),
    RouteSpec(
        "POST", "/v1/dazi/channels/codes", binding_code,
        "取绑定码(要登录) / a code to bind oneself with, for who has signed in", BindingCode,
        statuses=(401, 403, 404, 413, 503), entry="session",
    ),
    RouteSpec(
        "DELETE", "/v1/dazi/channels/{channel}/binding", unbind_channel,
        "解除自己的绑定 / undo one's binding", Done, statuses=(401, 403, 404, 503), entry="session",
    ),
    RouteSpec(
        "GET", _CALLBACK, verify_callback, "厂商验证回调地址 / a vendor checks the address",
        statuses=(400, 403, 404, 503), entry="public", files=_TYPES,
    ),
    RouteSpec(
        "POST", _CALLBACK, channel_callback, "厂商推送的消息,按签名验证 / messages, by signature",
        statuses=(400, 403, 404, 413, 503), entry="public", takes_file=True, files=_TYPES,
    ),
    RouteSpec(
        "POST", f"{_CALLBACK}/{{part}}", channel_part,
        "厂商推送的事件和卡片点击,按签名验证 / events and clicks, by signature",
        statuses=(400, 403, 404, 413, 503), entry="public", takes_file=True, files=_TYPES,
    ),
)  # fmt: skip
