"""Erasing a person everywhere, and what is kept of everybody for no longer than is set."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Collection
from dataclasses import dataclass

from dazi.access.visitors import VisitorRecords
from dazi.apps.contracts.verdicts import VerdictStore
from dazi.apps.desk.records import DeskStore
from dazi.apps.risk.cases import CaseStore
from dazi.audit.erasure import Erasure
from dazi.audit.holds import Holds
from dazi.audit.keys import SubjectKeys
from dazi.audit.private import Private
from dazi.audit.retention import DAY_S, EVERY_S
from dazi.core.language import Text
from dazi.gateway.channels.bindings import Bindings
from dazi.gateway.channels.inbox import Inbox
from dazi.main.auditing import audit_folder, opened
from dazi.main.settings import Settings
from dazi.memory.facts import FactStore
from dazi.memory.threads import ThreadStore
from dazi.ops.alerts.store import AlertStore
from dazi.ops.backup.keyfile import Refreshed, refresh
from dazi.ops.backup.switch import ASIDE
from dazi.ops.datasets.erasing import Forgotten, forget
from dazi.ops.experiments.store import ExperimentStore
from dazi.ops.feedback.sample import id_of_sample, person_in
from dazi.ops.feedback.store import FeedbackStore
from dazi.ops.gaps.store import GapStore
from dazi.router.intents import IntentStore
from dazi.router.tickets import TicketStore
from dazi.store.database import Database
from dazi.store.jobs.records import JobStore
from dazi.store.jobs.schedules import ScheduleStore

log = logging.getLogger("dazi.erasing")


@dataclass(frozen=True, slots=True)
class Stores:
    """The tables outside the ledger that hold what people said."""

    threads: ThreadStore
    tickets: TicketStore
    intents: IntentStore
    facts: FactStore
    jobs: JobStore
    schedules: ScheduleStore
    desk: DeskStore
    cases: CaseStore
    verdicts: VerdictStore
    experiments: ExperimentStore
    visitors: VisitorRecords
    alerts: AlertStore
    messages: Inbox
    bindings: Bindings
    feedback: FeedbackStore
    gaps: GapStore

    @classmethod
    def of(cls, database: Database, keys: SubjectKeys) -> Stores:
        private = Private(keys)
        return cls(
            ThreadStore(database, private),
            TicketStore(database, private, 0.0),
            IntentStore(database, private),
            FactStore(database, private),
            JobStore(database, private),
            ScheduleStore(database, private),
            DeskStore(database, private),
            CaseStore(database, private),
            VerdictStore(database, private),
            ExperimentStore(database),
            VisitorRecords(database, private),
            AlertStore(database, private),
            Inbox(database, private),
            Bindings(database, private),
            FeedbackStore(database, private),
            GapStore(database, private),
        )


async def erase(settings: Settings, user: str, by: str, reason: str) -> Text:
    """What was done. Raises as ``Erasure.erase``."""
    data = settings.data_folder(settings.company_folder())
    async with opened(settings) as room:
        keys = room.sealing.keys
        # As datasets know them: their key tells, which is about to be destroyed.
        person = person_in(Private(keys), user) if keys.has(user) else ""
        first = Forgotten()
        if reason.strip() and await Holds(room.database, room.ledger).of_subject(user) is None:
            # Before the key goes, so that what is cut short here can be done again.
            first = await asyncio.to_thread(forget, data, user, person)
            if first.withdrawn:
                keys.of(user)  # somebody out of a file alone: remembered as erased from now on
        done = await Erasure(room.database, room.ledger, room.sealing).erase(user, by, reason)
        stores = Stores.of(room.database, room.sealing.keys)
        threads = await stores.threads.forget(user)
        tickets = await stores.tickets.forget(user)
        await stores.intents.forget(user)
        facts = await stores.facts.forget(user)
        desk = await stores.desk.forget(user)
        await stores.cases.forget(user)
        jobs = await stores.jobs.forget(user) + await stores.schedules.forget(user)
        verdicts = await stores.verdicts.forget(user)
        await stores.experiments.forget(user)
        await stores.visitors.forget(user)
        await stores.alerts.forget(user)
        messages = await stores.messages.forget(user)
        bound = await stores.bindings.forget(user)
        # What was made of them meanwhile; before their feedback goes, by which whoever does again what
        # broke off here finds the samples.
        samples = frozenset(map(id_of_sample, await stores.feedback.about(user)))
        datasets = first + await asyncio.to_thread(forget, data, user, person, samples)
        said = await stores.feedback.forget(user) + await stores.gaps.forget(user)
    backups = await asyncio.to_thread(refresh, audit_folder(data))
    for aside in data.glob(f"{ASIDE}*"):  # what a restore replaced
        old = SubjectKeys(audit_folder(aside))
        old.destroy(user)
        old.close()
        await asyncio.to_thread(forget, aside, user, person, samples)
    zh = f"{user}:{done.records} 条记录的内容已不可读,销毁 {done.keys} 把密钥"
    zh += f";删除 {threads} 个会话、{tickets} 个待确认或已确认的操作、{facts} 条记住的事、{jobs} 个任务、{desk} 张工单"
    zh += f"、{verdicts} 条审查意见、{messages} 条渠道消息、{bound} 个渠道绑定、{said} 条反馈和没答上的问题"
    en = f"{user}: the content of {done.records} records is gone, {done.keys} keys destroyed"
    en += f"; {threads} threads, {tickets} confirmations, {facts} remembered facts, "
    en += f"{jobs} jobs, {desk} service tickets, {verdicts} verdicts, {messages} messages of "
    en += f"channels, {bound} bindings, {said} pieces of feedback and unanswered questions deleted"
    if done.plain:
        zh += f";{done.plain} 条加密之前的旧记录是明文,到保留期才会删除"
        en += f"; {done.plain} records from before encryption are plain and go with retention"
    for more in (_of_datasets(datasets), _copies(backups)):
        zh, en = zh + more.zh, en + more.en
    return Text(zh, en)


def _of_datasets(done: Forgotten) -> Text:
    if not done.withdrawn:
        return Text("", "")
    versions = ", ".join(f"{v.name} {v.version}" for v in done.withdrawn)
    zh = f";数据集 {versions} 已撤回并重写,少了 {done.samples} 条样本"
    en = f"; the datasets {versions} are withdrawn and written again without {done.samples} samples"
    if done.adapters:
        told = ", ".join(done.adapters)
        zh += f";用过它们的适配器 {told} 已标记,请重训或停用"
        en += f"; the adapters {told}, trained on them, are marked: train them again or stop using them"
    if done.trainings:
        told = ", ".join(done.trainings)
        zh += f";训练 {told} 里的样本已删除"
        en += f"; the samples in the trainings {told} are deleted"
    return Text(zh, en)


def _copies(backups: Refreshed) -> Text:
    zh = en = ""
    for path in backups.done:
        zh += f";备份的密钥文件 {path} 也已更新"
        en += f"; the backups' file of keys {path} is overwritten too"
    for path in backups.failed:
        zh += f";备份的密钥文件 {path} 够不着,那把密钥还在里面:接上它,再运行一次 dazi backup"
        en += f"; the backups' file of keys {path} cannot be reached and still has the key: "
        en += "connect it and run dazi backup again"
    return Text(zh, en)


@dataclass(frozen=True, slots=True)
class Ages:
    """Days: ``threads`` after their last message, confirmations and settled effects are kept as long;
    ``archive``: after so many without a message a thread leaves the lists (0: none does); ``jobs``
    after their end; ``feedback`` and unanswered questions after they were said."""

    threads: int
    archive: int = 0
    jobs: int = 30
    feedback: int = 365


async def keep_stores_pruned(
    stores: Stores, ages: Ages, channels: Collection[str] = (), *, every_s: float = EVERY_S
) -> None:
    """Delete what is older, now and once in so many seconds, until cancelled; of messaging channels only
    where they are none of ``channels`` any more, for those have days of their own. Several processes
    may do so at once."""
    while True:
        now = time.time()
        before = now - ages.threads * DAY_S
        try:
            if ages.archive:
                await stores.threads.archive_idle(now - ages.archive * DAY_S)
            for store in (
                stores.threads, stores.tickets, stores.intents, stores.desk, stores.visitors
            ):  # fmt: skip
                await store.prune(before)
            await stores.messages.prune_gone(before, channels)
            await stores.jobs.prune(now - ages.jobs * DAY_S)
            for said in (stores.feedback, stores.gaps):
                await said.prune(now - ages.feedback * DAY_S)
        except Exception:  # the database may come back
            log.exception("what is too old was not deleted")
        await asyncio.sleep(every_s)
