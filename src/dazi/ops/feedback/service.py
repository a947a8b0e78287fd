"""What people say of answers, calls and drafts: given by anybody of their own, reviewed by few.

Everything that is given or decided is on record in the ledger. Nothing is learned from by itself: an
entry becomes a sample once somebody has accepted it, and only on a ground that allows it.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

import msgspec

from dazi.access.recording import Record as PutOnRecord
from dazi.access.recording import recorded, refuse
from dazi.audit.private import Private
from dazi.audit.records import Record
from dazi.core.company import Company
from dazi.core.errors import AccessError, CallerError, NotFound
from dazi.core.language import language_of
from dazi.core.learning import Drafted, Sent, TurnedDown
from dazi.core.principal import Principal
from dazi.guard.engine import Guard
from dazi.memory.threads import ThreadStore
from dazi.ops.feedback.model import (
    LONGEST_ANSWER,
    LONGEST_COMMENT,
    MISSING,
    REASONS,
    Call,
    Content,
    Entry,
    Given,
    Wanted,
)
from dazi.ops.feedback.rights import require_review
from dazi.ops.feedback.sample import (
    Origin,
    Sample,
    checked,
    hidden_data,
    hidden_text,
    leading,
    person_in,
    proposed,
    sample_id,
)
from dazi.ops.feedback.store import FeedbackStore
from dazi.ops.feedback.turns import begun_by, content_of, unknown

Ground = Literal["person", "company"]
"""On what ground entries are learned from: each person's own consent, or the company's own rules."""
Act = Literal["accept", "refuse", "private"]
MOST_MESSAGES = 200
"""Of a conversation, among which a turn is looked for."""
LONGEST_WHY = 500


@dataclass(frozen=True, slots=True)
class Parts:
    """``records``: those of one turn, opened. ``ground``: see ``Ground``."""

    threads: ThreadStore
    records: Callable[[str], Awaitable[Sequence[Record]]]
    record: PutOnRecord
    company: Company
    guard: Guard
    private: Private
    today: Callable[[], date]
    ground: Ground = "person"


@dataclass(frozen=True, slots=True)
class Reviewed:
    """An entry as reviewers see it: with stand-ins for what is personal. ``sample``: proposed, or as it
    was accepted. ``usable``: there is a ground to learn from it."""

    entry: Entry
    sample: Sample | None
    usable: bool


class FeedbackService:
    def __init__(self, store: FeedbackStore, parts: Parts) -> None:
        self.store = store
        self.parts = parts
        self.missing: Callable[[Principal, Entry], None] = _nobody
        """Is told of an answer that was not in the documents."""
        self.leave_out: Callable[[str], Awaitable[None]] = _nothing
        """Takes the sample of that id out of the datasets that were made."""

    # --- giving -----------------------------------------------------------------------------------

    async def give(self, by: Principal, turn: str, given: Given) -> Entry:
        """What ``by`` says of an answer of theirs; said again it takes the place of what was. Raises
        ``NotFound`` for a turn that is not theirs or in no kept conversation, and ``CallerError``."""
        _check(given)
        records = await self.parts.records(turn)
        begun = begun_by(records, by)
        thread = str(begun["thread"])
        try:
            await self.parts.threads.get(thread, by)
        except NotFound:  # of somebody of the same name elsewhere, or deleted
            raise unknown() from None
        kept = await self.parts.threads.latest(thread, by, MOST_MESSAGES)
        content = replace(
            content_of(records, kept, self.parts.today().isoformat()),
            comment=given.comment.strip(),
            correction=given.correction.strip(),
        )
        entry = Entry(
            "", by.tenant, by.user, by.user, "answer", turn, turn, content, 0.0, given.thumb,
            given.reason, given.consent,
        )  # fmt: skip
        before = await self.of_turn(by, turn)
        if before is not None:
            await self._out_of_datasets(before)
        put = await self._put(by, entry)
        if given.reason == MISSING:
            self.missing(by, put)
        return put

    async def take_back(self, by: Principal, turn: str) -> bool:
        """Forget what ``by`` said of an answer; whether there was anything."""
        found = await self.store.of_item(by.tenant, by.user, "answer", turn)
        if found is None:
            return False
        async with recorded(self.parts.record, by, "feedback.take_back", of=found.id, turn=turn):
            await self._out_of_datasets(found)
            await self.store.remove(found.id)
        return True

    async def of_turn(self, by: Principal, turn: str) -> Entry | None:
        """What ``by`` said of it."""
        return await self.store.of_item(by.tenant, by.user, "answer", turn)

    async def turned_down(self, call: TurnedDown) -> Entry | None:
        """A call that somebody said no to, with a reason or with what would have been right."""
        if not call.reason.strip() and call.right is None:
            return None
        records = [r for r in await self.parts.records(call.turn) if r.user == call.user]
        content = replace(
            content_of(records, (), self.parts.today().isoformat()),
            answer="",
            thread=call.thread,
            calls=(Call(call.tool, call.arguments, "rejected"),),
            comment=call.reason.strip(),
            right=call.right,
        )
        entry = Entry(
            "", call.by.tenant, call.user, call.by.user, "call", f"{call.turn}/{call.call}"[:80],
            call.turn, content, 0.0, "down", "other" if call.reason else "", call.consent,
        )  # fmt: skip
        return await self._put(call.by, entry)

    async def drafted(self, draft: Drafted) -> None:
        """Kept until the reply is sent."""
        if not draft.text.strip():
            return
        before = await self.store.of_item(draft.by.tenant, draft.by.user, "draft", draft.ticket)
        if before is not None and before.state != "open":
            # What was sent stays as it is, with what was decided of it.
            await self.store.change(replace(before, item=f"{before.item}/{before.id}"))
        content = Content(
            draft.question,
            language=language_of(draft.question),
            thread=draft.thread,
            today=self.parts.today().isoformat(),
            draft=draft.text,
        )
        entry = Entry(
            "", draft.by.tenant, draft.user, draft.by.user, "draft", draft.ticket, "", content, 0.0,
            state="open",
        )  # fmt: skip
        await self.store.put(entry)

    async def sent(self, sent: Sent) -> Entry | None:
        """The reply that a draft became, whether it was changed or not; ``None`` without a draft."""
        found = await self.store.of_item(sent.by.tenant, sent.by.user, "draft", sent.ticket)
        if found is None or found.state != "open":
            return None
        same = found.content.draft.split() == sent.text.split()
        content = replace(found.content, sent=sent.text.strip())
        thumb: Literal["up", "down"] = "up" if same else "down"
        return await self._put(
            sent.by, replace(found, content=content, thumb=thumb, state="new", at=0.0)
        )

    async def _put(self, by: Principal, entry: Entry) -> Entry:
        act = f"feedback.{entry.kind}"
        said = {"thumb": entry.thumb, "reason": entry.reason, "consent": entry.consent}
        more = {"turn": entry.turn} if entry.turn else {}
        async with recorded(self.parts.record, by, act, of=entry.item, **said, **more):
            return await self.store.put(entry)

    # --- reviewing --------------------------------------------------------------------------------

    async def find(self, by: Principal, wanted: Wanted) -> list[Reviewed]:
        """Raises ``AccessError``, as all that follows."""
        require_review(by)
        return [self._seen(e) for e in await self.store.find(by.tenant, wanted)]

    async def get(self, by: Principal, id: str) -> Reviewed:
        """Raises ``NotFound``."""
        require_review(by)
        return self._seen(await self.store.get(id, by.tenant))

    async def decide(
        self,
        by: Principal,
        id: str,
        act: Act,
        why: str = "",
        sample: Mapping[str, Any] | None = None,
    ) -> Reviewed:
        """Accept, with ``sample`` as the reviewer left it; refuse, and say why; or keep it out of all
        learning. Raises ``NotFound`` and ``CallerError``."""
        try:
            require_review(by)
        except AccessError as e:
            await refuse(self.parts.record, by, f"feedback.{act}", e)
        entry, why = await self.store.get(id, by.tenant), why.strip()
        if len(why) > LONGEST_WHY:
            raise CallerError("why", f"最多 {LONGEST_WHY} 字", f"at most {LONGEST_WHY} characters")
        kept: Mapping[str, Any] | None = None
        if act == "accept":
            kept = msgspec.to_builtins(self._learnable(entry, sample))
        elif act == "refuse" and not why:
            raise CallerError("why", "请写明为什么不采纳", "say why it is not accepted")
        states: Mapping[Act, Any] = {
            "accept": "accepted", "refuse": "refused", "private": "private",
        }  # fmt: skip
        decided = replace(
            entry, state=states[act], sample=kept, why=why, decided=time.time(),
            decided_by=by.user, dataset="",
        )  # fmt: skip
        body: dict[str, Any] = {"of": id} | ({"why": why} if why else {})
        async with recorded(self.parts.record, by, f"feedback.{act}", **body):
            if act != "accept":
                await self._out_of_datasets(entry)
            return self._seen(await self.store.change(decided))

    async def accepted(self, by: Principal, *, fresh: bool) -> list[Entry]:
        """Entries that became samples, oldest first, on a ground that holds now as well; with ``fresh``
        those that are in no dataset yet."""
        require_review(by)
        found = await self.store.find(by.tenant, Wanted("accepted", limit=1_000_000))
        usable = [e for e in reversed(found) if e.sample and self._usable(e)]
        return [e for e in usable if not (fresh and e.dataset)]

    async def _out_of_datasets(self, entry: Entry) -> None:
        """Before it is what it was no longer: whoever breaks off does it again."""
        if entry.dataset or entry.state == "accepted":
            await self.leave_out(sample_id(entry))

    def _learnable(self, entry: Entry, sample: Mapping[str, Any] | None) -> Sample:
        if entry.state == "open":
            raise NotFound("feedback", "草稿还没有发出", "the draft was not sent yet")
        if not self._usable(entry):
            raise CallerError(
                "consent",
                "本人没有同意用于训练(见 DAZI_FEEDBACK_GROUND)",
                "the person did not agree to its being learned from (see DAZI_FEEDBACK_GROUND)",
            )
        made = self._proposed(entry)
        if sample is not None:
            return checked(sample, made or self._empty(entry), self.parts.guard)
        if made is None:
            raise CallerError(
                "sample",
                "没有人写明正确的回答:请先补上",
                "nobody said what would have been right: write it first",
            )
        return made

    def _usable(self, entry: Entry) -> bool:
        return entry.consent or self.parts.ground == "company"

    def _proposed(self, entry: Entry) -> Sample | None:
        return proposed(entry, self.parts.guard, self._origin(entry))

    def _empty(self, entry: Entry) -> Sample:
        """To be written by whoever reviews."""
        said = replace(entry.content, said=entry.content.said or "-", correction="-", calls=())
        made = proposed(
            replace(entry, kind="answer", content=said), self.parts.guard, self._origin(entry)
        )
        assert made is not None, "an answer has what was said"
        return made

    def _origin(self, entry: Entry) -> Origin:
        person = person_in(self.parts.private, entry.user)
        role = leading(entry.content.roles, self.parts.company.roles)
        return Origin(role, person, "given" if entry.consent else "company")

    def _seen(self, entry: Entry) -> Reviewed:
        """With stand-ins; ``sample`` has them already."""
        sample = self._proposed(entry)
        if entry.sample is not None:
            sample = msgspec.convert(entry.sample, Sample)
        guard, c = self.parts.guard, entry.content

        def hidden(text: str) -> str:
            return hidden_text(guard, text) if text else ""

        calls = tuple(
            replace(
                call,
                arguments=hidden_data(guard, call.arguments),
                result=hidden_data(guard, call.result),
            )
            for call in c.calls
        )
        right = None if c.right is None else hidden_data(guard, c.right)
        shown = replace(
            c, said=hidden(c.said), answer=hidden(c.answer), comment=hidden(c.comment),
            correction=hidden(c.correction), draft=hidden(c.draft), sent=hidden(c.sent),
            calls=calls, right=right,
        )  # fmt: skip
        return Reviewed(replace(entry, content=shown), sample, self._usable(entry))


async def _nothing(sample: str) -> None:
    return None


def _nobody(by: Principal, entry: Entry) -> None:
    return None


def _check(given: Given) -> None:
    if given.reason and given.reason not in REASONS:
        known = ", ".join(REASONS)
        raise CallerError("reason", f"理由应为 {known} 之一", f"a reason is one of {known}")
    if len(given.comment) > LONGEST_COMMENT or len(given.correction) > LONGEST_ANSWER:
        raise CallerError(
            "too_long",
            f"说明最多 {LONGEST_COMMENT} 字,改正最多 {LONGEST_ANSWER} 字",
            f"a comment has up to {LONGEST_COMMENT} characters, a correction {LONGEST_ANSWER}",
        )
