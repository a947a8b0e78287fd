"""Samples out of conversations: a conversation is one sample, a long one several, cut between turns."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

import msgspec

from dazi.core.errors import NotFound, OperatorError
from dazi.core.principal import Principal
from dazi.lab.tuning.data.recipe import ThreadsSource
from dazi.lab.tuning.data.samples import Call, Draft, Origin, Said, Sample, identified
from dazi.lab.tuning.data.work import Refusing
from dazi.memory.everybody import owners
from dazi.memory.threads import Kept, Numbered, Thread, ThreadStore

LONGEST = 12_000
"""Characters of a sample; the rest of a conversation makes another one."""
DAY_S = 86_400.0
REMEMBERED = 10_000
"""Conversations of which it is known whether anybody may learn from them."""
WHOLE = 0
"""In the place of a message's number: the whole thread."""
PRIVATE = -9
"""A rating of what nobody is to learn from, whatever else is said of it."""


class Ratings(Protocol):
    """What people said of answers."""

    async def of(self, threads: Sequence[str]) -> Mapping[str, Mapping[int, int]]:
        """Of each thread, by a message's number (``WHOLE`` for all of it), above 0 where it helped and
        below 0 where it did not."""
        ...


async def read_threads(
    source: ThreadsSource, store: ThreadStore, ratings: Ratings, refuse: Refusing
) -> AsyncIterator[Draft]:
    since = time.time() - source.days * DAY_S if source.days else 0.0
    async for user, tenant in owners(store.database):
        who = Principal(user, frozenset(), tenant=tenant)
        async for some in store.all(who):
            rated = await ratings.of([t.id for t in some])
            for thread in some:
                if thread.at < since:
                    continue
                messages = await _messages(store, thread, who)
                if messages is None:
                    refuse.ref(f"thread:{thread.id}", "unreadable")
                    continue
                for draft in _drafts(thread, who, messages, rated.get(thread.id, {})):
                    if why := _unwanted(draft, source):
                        refuse(draft, why)
                    else:
                        yield draft


async def not_private(
    drafts: AsyncIterator[Draft], ratings: Ratings, refuse: Refusing
) -> AsyncIterator[Draft]:
    """Without what was said in conversations that nobody is to learn from, wherever else it is kept."""
    asked: OrderedDict[str, bool] = OrderedDict()
    async for draft in drafts:
        kind, _, thread = draft.sample.conversation.partition(":")
        if kind == "thread" and thread not in asked:
            rated = (await ratings.of([thread])).get(thread, {})
            asked[thread] = min(rated.values(), default=0) <= PRIVATE
            if len(asked) > REMEMBERED:
                asked.popitem(last=False)
        if kind == "thread" and asked[thread]:
            refuse(draft, "consent")
        else:
            yield draft


async def _messages(
    store: ThreadStore, thread: Thread, who: Principal
) -> Sequence[Numbered] | None:
    """``None`` where the keys or the rows are damaged; nothing of a thread that was deleted meanwhile."""
    try:
        return [m async for m in store.messages(thread.id, who)]
    except NotFound:
        return []
    except OperatorError:
        return None


def _unwanted(draft: Draft, source: ThreadsSource) -> str:
    if not any(m.role == "assistant" for m in draft.sample.messages):
        return "no_reply"
    if draft.rated <= PRIVATE:
        return "consent"
    if draft.rated < 0 and source.rated != "any":
        return "rated_down"
    return "few_stars" if source.rated == "up" and draft.rated <= 0 else ""


def _drafts(
    thread: Thread, who: Principal, messages: Sequence[Numbered], rated: Mapping[int, int]
) -> list[Draft]:
    out = []
    for part in _parts(messages):
        told = [_said(n.kept) for n in part]
        names = list(dict.fromkeys(c.name for m in told for c in m.tool_calls))
        ref = f"thread:{thread.id}#{part[0].seq}-{part[-1].seq}"
        origin = Origin("thread", ref, user=who.user)
        sample = Sample(
            "", f"thread:{thread.id}", "call" if names else "chat", "", told, origin, tools=names
        )
        given = [rated.get(WHOLE, 0), *(rated.get(n.seq, 0) for n in part)]
        score = min(given) if min(given) < 0 else max(given)
        out.append(identified(Draft(sample, at=part[-1].at or thread.at, rated=score)))
    return out


def _parts(messages: Sequence[Numbered]) -> list[list[Numbered]]:
    """Whole turns, as many as fit. Left out is what comes before the first question, and a turn with a
    call that came to nothing: it was refused, or nobody confirmed it."""
    turns: list[list[Numbered]] = []
    for n in messages:
        role = n.kept.message.role
        if role == "user":
            turns.append([n])
        elif turns and role in ("assistant", "tool"):
            turns[-1].append(n)
    parts: list[list[Numbered]] = []
    held = LONGEST + 1
    for turn in filter(_carried, turns):
        size = sum(len(n.kept.message.content) for n in turn)
        if held + size > LONGEST:
            parts.append([])
            held = 0
        parts[-1] += turn
        held += size
    return parts


def _carried(turn: Sequence[Numbered]) -> bool:
    done = {n.kept.message.call_id for n in turn if n.kept.result is not None}
    return all(c.id in done for n in turn for c in n.kept.message.calls)


def _said(kept: Kept) -> Said:
    m = kept.message
    if m.role == "tool":
        return Said("tool", m.content, name=kept.tool)
    return Said(m.role, m.content, [_call(c.name, c.arguments) for c in m.calls])


def _call(name: str, arguments: str) -> Call:
    """What is no JSON object stays as a text under a name that no parameter has, and is refused later."""
    try:
        read = msgspec.json.decode(arguments)
    except (msgspec.DecodeError, RecursionError):
        read = None
    return Call(name, read if isinstance(read, dict) else {"?": arguments})
