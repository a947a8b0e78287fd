"""Reports of a company: who may run which, and running them as somebody."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any

from dazi.access.limits.limiter import Limiter
from dazi.apps.reports.calling import MAIL, GovernedCaller
from dazi.apps.reports.declare import load_reports
from dazi.apps.reports.definition import Report
from dazi.apps.reports.result import Run
from dazi.apps.reports.running import Extract, Setting, Told, Word, may_run, run
from dazi.audit.ledger import Ledger
from dazi.core.company import Company
from dazi.core.engine import Engine
from dazi.core.errors import AccessError, NotFound
from dazi.core.language import Language
from dazi.core.principal import Principal
from dazi.guard.hiding_engine import hiding
from dazi.router.dispatch import FunctionRouter


def _silent(step: object, fraction: float) -> None:
    """Nobody is told."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants run. ``given``: parameters as they were said; ``files``: may parameters name
    files of this machine? ``words``: may a model word sections? ``mail_to`` and ``where``: whom to mail
    it to, and where its files will lie; ``only``: tools that the caller's key is for, all where there are
    none."""

    name: str
    language: Language
    given: Mapping[str, Any] = field(default_factory=dict)
    files: bool = False
    words: bool = True
    mail_to: str = ""
    where: str = ""
    only: frozenset[str] = frozenset()


class ReportService:
    """``engine``: what sections may be worded by, if anything."""

    def __init__(
        self,
        company: Company,
        router: FunctionRouter,
        ledger: Ledger,
        today: Callable[[], date],
        limiter: Limiter | None = None,
        engine: Engine | None = None,
        reports: Mapping[str, Report] | None = None,
    ) -> None:
        self.company = company
        self._given = reports
        self.engine = engine
        self.today = today
        self._router, self._ledger = router, ledger
        self._limiter = limiter or Limiter()

    @cached_property
    def reports(self) -> Mapping[str, Report]:
        """By name. Raises ``ConfigError``."""
        return load_reports(self.company) if self._given is None else self._given

    def visible(self, principal: Principal, only: frozenset[str] = frozenset()) -> list[Report]:
        """``only``: as in ``Wanted``."""
        mine = [r for r in self.reports.values() if may_run(r, principal)]
        return [r for r in mine if not only or r.tools <= only]

    def named(self, name: str) -> Report:
        """Raises ``NotFound``, which names those there are."""
        if name not in self.reports:
            known = ", ".join(self.reports) or "-"
            raise NotFound(
                "report",
                f"没有报表 {name},现有:{known}",
                f"there is no report {name}; there are: {known}",
            )
        return self.reports[name]

    async def run(self, principal: Principal, wanted: Wanted, told: Told = _silent) -> Run:
        """Raises as ``running.run``, and ``NotFound``."""
        report = self.named(wanted.name)
        wanted_tools = report.tools | ({MAIL} if wanted.mail_to else set())
        if wanted.only and not wanted_tools <= wanted.only:
            raise AccessError(
                "forbidden",
                "这个密钥不能用报表要用的工具",
                "this key is not for the tools that the report calls",
            )
        today = self.today()
        caller = GovernedCaller(self.company, self._router, self._ledger, principal, self._limiter)
        said = {**wanted.given, **({"mail_to": wanted.mail_to} if wanted.mail_to else {})}
        caller.begin(report, said, today, wanted.language)
        setting = Setting(
            self.company,
            principal,
            today,
            wanted.language,
            time.strftime("%Y-%m-%dT%H:%M:%S"),
            self._word(principal, today) if wanted.words and report.wants_model else None,
            _extract() if wanted.files and report.wants_file else None,
            told,
        )
        done = await run(report, wanted.given, caller, setting)
        if wanted.mail_to:
            from dazi.apps.reports.mailing import mailed

            mail = await mailed(done, wanted.mail_to, caller, wanted.where)
            done = replace(done, mail=mail)
        return done

    def _word(self, principal: Principal, today: date) -> Word | None:
        if self.engine is None:
            return None
        from dazi.apps.reports.model_words import ModelWriter

        engine = hiding(self.engine, self._router.guard, principal)
        return ModelWriter(engine, principal, today, self._limiter)


def _extract() -> Extract:
    from dazi.apps.reports.figures import figures_in

    return figures_in
