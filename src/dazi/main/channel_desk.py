"""Channels from the command line. Who binds somebody else may see accounts, and it is recorded."""

from __future__ import annotations

import json
from typing import Any

from dazi.access.duties import may, require
from dazi.core.errors import CallerError, NotFound
from dazi.core.language import Language, Text
from dazi.gateway.channels.bindings import Bindings
from dazi.gateway.channels.identities import Identities
from dazi.gateway.channels.inbox import Inbox
from dazi.gateway.channels.protocol import Address
from dazi.gateway.channels.rendering import words
from dazi.gateway.channels.texts import TEST
from dazi.main.accounts import Desk, desk
from dazi.main.channels import declared_channels, opened
from dazi.main.company import load_company
from dazi.main.settings import Settings

NONE = Text(
    "没有配置渠道;见 docs/zh/channels.md", "No channels are configured; see docs/en/channels.md"
)
SENT = Text("已发出。", "Sent.")


async def listed(settings: Settings, by: str, language: Language, *, json_out: bool) -> list[str]:
    company = load_company(settings.company_folder())
    declared = declared_channels(company)
    out: list[dict[str, Any]] = []
    async with desk(settings, by) as d:
        inbox, bindings = Inbox(d.database, d.private), Bindings(d.database, d.private)
        bound = await bindings.list(d.by.tenant) if may(d.by, "accounts.read") else []
        for one in declared:
            waits = dict(await inbox.waiting(one.name))
            people = [{"user": b.user, "name": b.name} for b in bound if b.channel == one.name]
            out.append(
                {"name": one.name, "kind": one.section.kind, "messages": waits, "bound": people}
            )
    if json_out:
        return [json.dumps(out, ensure_ascii=False, indent=1)]
    lines = []
    for entry in out:
        counts = ", ".join(f"{k} {v}" for k, v in sorted(entry["messages"].items())) or "-"
        lines.append(f"{entry['name']}  {entry['kind']}  {counts}")
        lines += [f"    {p['user']} <- {p['name']}" for p in entry["bound"]]
    return lines or [NONE(language)]


async def send_test(settings: Settings, channel: str, user: str) -> Text:
    """Raises ``NotFound``, ``Undelivered`` and ``Uncertain``."""
    company = load_company(settings.company_folder())
    declared = [d for d in declared_channels(company) if d.name == channel]
    if not declared:
        raise _unknown(channel)
    async with desk(settings, user) as d:
        there = opened(declared[0])
        bindings = Bindings(d.database, d.private)
        ids = Identities(there, declared[0].section.people, d.access.people, bindings)
        try:
            name = await ids.name_of(d.by.tenant, user)
            if not name:
                raise _unbound(channel, user)
            for part in words(there, TEST("zh")):
                await there.send(Address(name), part)
        finally:
            await there.close()
    return SENT


async def bind(settings: Settings, by: str, channel: str, user: str, sender: str) -> None:
    async with desk(settings, by) as d:
        _check(settings, d, channel, user)
        if not sender.strip():
            raise CallerError("vendor_id", "缺少对方的账号", "the vendor's name is missing")
        await _record(d, "channel.bound", channel, user)
        await Bindings(d.database, d.private).bind(channel, sender.strip(), d.by.tenant, user)


async def unbind(settings: Settings, by: str, channel: str, user: str) -> None:
    async with desk(settings, by) as d:
        _check(settings, d, channel, user)
        await _record(d, "channel.unbound", channel, user)
        if not await Bindings(d.database, d.private).unbind(d.by.tenant, user, channel):
            raise _unbound(channel, user)


async def _record(d: Desk, act: str, channel: str, user: str) -> None:
    await d.record("admin", d.by.user, {"act": act, "of": user, "channel": channel})


def _check(settings: Settings, d: Desk, channel: str, user: str) -> None:
    """Raises ``AccessError`` and ``NotFound``."""
    require(d.by, "accounts.change")
    known = [one.name for one in declared_channels(load_company(settings.company_folder()))]
    if channel not in known:
        raise _unknown(channel)
    if d.access.people.account(d.by.tenant, user) is None:
        raise NotFound("unknown_user", f"没有用户 {user}", f"there is no user {user}")


def _unbound(channel: str, user: str) -> NotFound:
    return NotFound("unbound", f"{user} 没有绑定 {channel}", f"{user} is not bound in {channel}")


def _unknown(channel: str) -> NotFound:
    return NotFound(
        "channel",
        f"没有配置渠道 {channel}",
        f"no channel {channel} is configured",
    )
