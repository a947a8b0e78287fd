"""Contract review as channels see it: have one reviewed, look at it, say what is right, see how rules do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from dazi.apps.contracts.job import NAME, ORIGINAL, Files, Order
from dazi.apps.contracts.making import KEPT, Terms, suffix_of
from dazi.apps.contracts.reviewed import Reviewed, from_plain
from dazi.apps.contracts.statistics import RuleQuality, quality
from dazi.apps.contracts.templates import NAME as TEMPLATE_KIND
from dazi.apps.contracts.verdicts import Said, Verdict, VerdictStore
from dazi.core.errors import AccessError, CallerError, NotFound
from dazi.core.language import Language
from dazi.core.principal import Principal
from dazi.store.jobs.model import Job
from dazi.store.jobs.service import JobService

MOST = 200


@dataclass(frozen=True, slots=True)
class Rights:
    """``reviewers``: roles that may have contracts reviewed, all where there are none;
    ``statistics``: roles that may see how rules do."""

    reviewers: frozenset[str] = frozenset()
    statistics: frozenset[str] = frozenset()

    def may(self, principal: Principal) -> bool:
        return not self.reviewers or not self.reviewers.isdisjoint(principal.roles)

    def check(self, principal: Principal) -> None:
        """Raises ``AccessError``."""
        if not self.may(principal):
            raise AccessError(
                "no_reviews", "没有审查合同的权限", "you may not have contracts reviewed"
            )


@dataclass(frozen=True, slots=True)
class Conditions:
    """The company's own: its terms, who may what, its templates by name, and ``policy``, the text of
    its policy file, empty for the built-in one. ``model``: one that is able may add its views."""

    terms: Terms
    rights: Rights = Rights()
    templates: Mapping[str, Path] = field(default_factory=dict)
    policy: str = ""
    model: bool = False


@dataclass(frozen=True, slots=True)
class Opened:
    """A review with its job, and what the person has said of it; ``done`` is ``None`` before its
    end."""

    job: Job
    done: Reviewed | None
    verdicts: Mapping[str, Verdict]


class ContractService:
    """``largest``: bytes of a contract."""

    def __init__(
        self, jobs: JobService, verdicts: VerdictStore, conditions: Conditions, largest: int
    ) -> None:
        self.jobs, self.verdicts, self.conditions = jobs, verdicts, conditions
        self.largest = largest

    def may(self, principal: Principal) -> bool:
        return self.conditions.rights.may(principal)

    async def begin(
        self, principal: Principal, files: Files, language: Language, template: str = ""
    ) -> Job:
        """``template``: the name of a company's or the number of an own one, where ``files`` bring
        none. The same contract reviewed in the same way again is the job there is. Raises
        ``AccessError``, ``NotFound`` for a template that is none, and ``CallerError`` for a file
        that is too large or of a format that is not read."""
        conditions = self.conditions
        conditions.rights.check(principal)
        if template and not files.template:
            files = await self._with_template(principal, files, template)
        terms = replace(conditions.terms, language=language)
        order = Order(files.name, files.template, language=language)
        return await self.jobs.begin(
            principal,
            NAME,
            msgspec.to_builtins(order),
            files.name[:200],
            language=language,
            key=files.key(terms, conditions.policy),
            files=files.put(),
        )

    async def add_template(
        self, principal: Principal, name: str, data: bytes, language: Language
    ) -> Job:
        """A template of one's own, to review by; it is read as a job. Raises as ``begin``."""
        self.conditions.rights.check(principal)
        return await self.jobs.begin(
            principal,
            TEMPLATE_KIND,
            {"name": name},
            name[:200],
            language=language,
            files=Files(name, data).put(),
        )

    async def own_templates(self, principal: Principal) -> Sequence[Job]:
        """Those that could be read, the latest first."""
        return await self.jobs.store.list(principal, ("done",), kind=TEMPLATE_KIND, limit=MOST)

    async def _with_template(self, principal: Principal, files: Files, template: str) -> Files:
        path = self.conditions.templates.get(template)
        if path is not None:
            return replace(files, template=path.name, template_data=path.read_bytes())
        job = await self.jobs.store.get(template, principal)
        if job.kind != TEMPLATE_KIND:
            raise NotFound("template", "没有这个范本", "no such template")
        name = f"{ORIGINAL}{suffix_of(job.title)}"
        _, data = await self.jobs.store.file(job.id, name, principal)
        return replace(files, template=job.title, template_data=data)

    async def reviews(
        self, principal: Principal, limit: int = 50, after: str = ""
    ) -> Sequence[Job]:
        """The person's own, the latest first, without what was found."""
        return await self.jobs.store.list(principal, kind=NAME, limit=limit, after=after)

    async def open(self, principal: Principal, id: str) -> Opened:
        """Raises ``NotFound``."""
        job = await self.jobs.store.get(id, principal)
        if job.kind != NAME:
            raise NotFound("review", "没有这份审查", "no such review")
        if job.state != "done":
            return Opened(job, None, {})
        _, data = await self.jobs.store.file(id, KEPT, principal)
        done = from_plain(msgspec.json.decode(data))
        return Opened(job, done, await self.verdicts.of(principal, done.digest))

    async def judge(self, principal: Principal, id: str, said: Said) -> Verdict:
        """Raises ``NotFound`` and ``CallerError``."""
        return await self.verdicts.put(principal, await self._done(principal, id), said)

    async def withdraw(self, principal: Principal, id: str, item: str) -> None:
        """Raises ``NotFound`` and ``CallerError``."""
        done = await self._done(principal, id)
        await self.verdicts.withdraw(principal, done.digest, item)

    async def _done(self, principal: Principal, id: str) -> Reviewed:
        opened = await self.open(principal, id)
        if opened.done is None:
            raise CallerError("not_done", "审查还没做完", "the review is not done yet")
        return opened.done

    def sees_statistics(self, principal: Principal) -> bool:
        return not self.conditions.rights.statistics.isdisjoint(principal.roles)

    async def statistics(self, principal: Principal) -> list[RuleQuality]:
        """Of the person's tenant. Raises ``AccessError``."""
        if not self.sees_statistics(principal):
            raise AccessError(
                "no_statistics", "没有看规则统计的权限", "you may not see how rules do"
            )
        return quality(await self.verdicts.counts(principal.tenant))
