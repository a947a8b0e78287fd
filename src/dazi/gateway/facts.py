"""``/v1/dazi/memory/facts``: what the caller wants remembered. Their own only, as with threads."""

from __future__ import annotations

from msgspec import Struct

from dazi.gateway.accounts.bodies import Done
from dazi.gateway.exchange import Exchange
from dazi.gateway.reply import encode
from dazi.gateway.wire import Reader
from dazi.memory.facts import Fact, FactStore


class NewFact(Struct, forbid_unknown_fields=True):
    text: str


class FactEdit(Struct, forbid_unknown_fields=True):
    """Other words, or a yes to a proposal."""

    text: str = ""
    confirm: bool = False


class FactView(Struct, frozen=True):
    """``state``: ``confirmed``, or ``proposed`` and not used before. ``at``: seconds since the
    epoch; ``thread``: where it was said, if it was."""

    id: str
    text: str
    state: str
    thread: str
    at: int


class Facts(Struct, frozen=True):
    data: list[FactView]
    object: str = "list"


NEW_FACT = Reader(NewFact)
FACT_EDIT = Reader(FactEdit)


async def facts(x: Exchange) -> None:
    found = await _store(x).list(x.principal)
    await x.reply(encode(Facts([_view(f) for f in found])))


async def keep_fact(x: Exchange) -> None:
    given = NEW_FACT.read(x.body)
    await x.reply(encode(_view(await _store(x).keep(x.principal, given.text))))


async def edit_fact(x: Exchange) -> None:
    given = FACT_EDIT.read(x.body)
    fact = await _store(x).change(x.principal, x.path["fact"], given.text, confirm=given.confirm)
    await x.reply(encode(_view(fact)))


async def forget_fact(x: Exchange) -> None:
    await _store(x).remove(x.principal, x.path["fact"])
    await x.reply(encode(Done()))


def _store(x: Exchange) -> FactStore:
    return x.state.service.remembering.facts


def _view(f: Fact) -> FactView:
    return FactView(f.id, f.text, f.state, f.thread, int(f.at))
