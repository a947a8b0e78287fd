"""Runs the checks once each and joins what they say to the items that refer to them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dazi.core.errors import DaziError
from dazi.core.language import Text
from dazi.ops.compliance.checks.registry import CHECKS, Check
from dazi.ops.compliance.matrix import Framework, Item
from dazi.ops.compliance.results import Result, Seen, Status, worst
from dazi.ops.compliance.subject import Subject

SCHEMA = 1
"""Of the JSON report: goes up when a field changes its meaning or goes away."""
STATEMENT = Text(
    "软件本身不给任何认证。这份报告只说程序能看到、试到的:配置、数据、机制;管理制度、人员、机房、"
    "网络和测评由公司负责。国密算法 SM2/SM3/SM4 和可信启动不支持。",
    "Software alone confers no certificate. This report tells what a program can look at and try: "
    "configuration, data, mechanisms; policies, people, premises, networks and assessments are the "
    "company's. The algorithms SM2/SM3/SM4 and trusted boot are not supported.",
)
COULD_NOT = Text(
    "先解决这个错误,再运行一次;解决不了请报告",
    "mend this error and run again; report it if you cannot",
)


@dataclass(frozen=True, slots=True)
class Judged:
    item: Item
    status: Status
    evidence: tuple[Seen, ...]
    mend: tuple[Text, ...]
    records: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Chapter:
    framework: Framework
    items: tuple[Judged, ...]

    @property
    def counts(self) -> Mapping[Status, int]:
        counted = Counter(j.status for j in self.items)
        return {status: counted[status] for status in Status}


@dataclass(frozen=True, slots=True)
class Report:
    """``at``: seconds since the epoch. ``looked_at``: where, in words."""

    version: str
    company: Text
    at: float
    period_days: float
    looked_at: tuple[Text, ...]
    chapters: tuple[Chapter, ...]

    @property
    def failed(self) -> bool:
        return any(c.counts[Status.FAIL] for c in self.chapters)


async def survey(
    subject: Subject,
    frameworks: Sequence[Framework],
    version: str,
    checks: Mapping[str, Check] = CHECKS,
    told: Callable[[int, int], None] | None = None,
) -> Report:
    """Only what these frameworks refer to is run. ``told`` hears how many checks of how many are
    done; what it raises ends the survey."""
    wanted = dict.fromkeys(name for f in frameworks for item in f.items for name in item.checks)
    results: dict[str, Result] = {}
    for name in wanted:
        if told is not None:
            told(len(results), len(wanted))
        results[name] = await _run(checks[name], subject)
    chapters = tuple(
        Chapter(f, tuple(_judged(item, results) for item in f.items)) for f in frameworks
    )
    return Report(
        version, subject.company.name, subject.now, subject.period_days, _places(subject), chapters
    )


async def _run(check: Check, subject: Subject) -> Result:
    try:
        return await check(subject)
    except Exception as e:  # whatever it is, nothing has been shown
        text = e.text if isinstance(e, DaziError) else Text(repr(e)[:300], repr(e)[:300])
        said = Text(f"{check.__name__} 没有看成:{text.zh}", f"{check.__name__} broke: {text.en}")
        return Result(Status.FAIL, (Seen(said, ok=False),), (COULD_NOT,))


def _judged(item: Item, results: Mapping[str, Result]) -> Judged:
    if item.status is not None:
        return Judged(item, item.status, (), (), ())
    found = [results[name] for name in item.checks]
    return Judged(
        item,
        worst(r.status for r in found),
        tuple(seen for r in found for seen in r.evidence),
        tuple(dict.fromkeys(m for r in found for m in r.mend)),
        tuple(dict.fromkeys(q for r in found for q in r.records)),
    )


def _places(s: Subject) -> tuple[Text, ...]:
    return (
        Text(f"公司目录 {s.company.folder}", f"company folder {s.company.folder}"),
        Text(f"数据目录 {s.data}", f"data folder {s.data}"),
        Text(f"{s.period_days:g} 天内的审计记录", f"audit records of {s.period_days:g} days"),
        Text(f"备份:{_paths(s.backups) or '没有记下位置'}",
             f"backups: {_paths(s.backups) or 'no place is on record'}"),
        Text("设置、账号、角色、策略、密钥、护栏规则、真实的响应路径",
             "settings, accounts, roles, policies, keys, guard rules, the real response paths"),
    )  # fmt: skip


def _paths(folders: Sequence[Path]) -> str:
    return ", ".join(map(str, folders))


def as_json(report: Report) -> dict[str, Any]:
    """The report as data; ``docs/*/compliance.md`` tells its fields."""
    return {
        "schema": SCHEMA,
        "product": {"name": "dazi", "version": report.version},
        "company": _both(report.company),
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(report.at)),
        "period_days": report.period_days,
        "statement": _both(STATEMENT),
        "looked_at": [_both(t) for t in report.looked_at],
        "frameworks": [_chapter(c) for c in report.chapters],
    }


def _chapter(chapter: Chapter) -> dict[str, Any]:
    return {
        "key": chapter.framework.key,
        "name": _both(chapter.framework.name),
        "counts": {status.value: number for status, number in chapter.counts.items()},
        "items": [_item(j) for j in chapter.items],
    }


def _item(j: Judged) -> dict[str, Any]:
    return {
        "id": j.item.id,
        "group": _both(j.item.group),
        "title": _both(j.item.title),
        "status": j.status.value,
        "checks": list(j.item.checks),
        "evidence": [{"ok": seen.ok, **_both(seen.text)} for seen in j.evidence],
        "mend": [_both(m) for m in j.mend],
        "records": list(j.records),
        "note": _both(j.item.note) if j.item.note else None,
    }


def _both(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}
