"""Where a sample comes from, and why a source gave none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from dazi.core.language import Language, Text
from dazi.lab.tuning.data.samples import Sample
from dazi.lab.tuning.data.work import Turned
from dazi.ops.datasets.folders import REFUSED, SPLITS, lines
from dazi.ops.datasets.reasons import stage_text, told

MOST = 200
USED = Text("在 {split} 里:{id}", "in {split}: {id}")
FROM = Text("来源 {kind} {ref}", "from {kind} {ref}")
SPAN = Text(",原文第 {begin} 到 {end} 个字符", ", characters {begin} to {end} of the passage")
BY = Text(",由模型 {by} 写", ", written by the model {by}")
RIGHTS = Text("许可 {licence};同意:{consent}", "licence {licence}; consent: {consent}")
NOT_USED = Text("没有用:{stage}:{reason}", "not used: {stage}: {reason}")
NOTHING = Text(
    "没有 {ref}:既没有进数据集,也没有被拒;看看来源和编号。",
    "There is no {ref}: it neither went into the dataset nor was refused; look at the sources and the name.",
)


@dataclass(frozen=True, slots=True)
class Used:
    """A sample in a split."""

    split: str
    sample: Sample

    def as_json(self) -> dict[str, Any]:
        s = self.sample
        return {
            "split": self.split,
            "id": s.id,
            "kind": s.kind,
            "conversation": s.conversation,
            "source": msgspec.to_builtins(s.source),
        }

    def text(self, language: Language) -> str:
        s = self.sample.source
        came = FROM(language).format(kind=s.kind, ref=s.ref)
        if s.span:
            came += SPAN(language).format(begin=s.span[0], end=s.span[1])
        if s.by:
            came += BY(language).format(by=s.by)
        used = USED(language).format(split=self.split, id=self.sample.id)
        rights = RIGHTS(language).format(licence=s.licence or "-", consent=s.consent or "-")
        return "; ".join((used, came, rights))


@dataclass(frozen=True, slots=True)
class NotUsed:
    """A refusal."""

    turned: Turned

    def as_json(self) -> dict[str, Any]:
        return {"refused": msgspec.to_builtins(self.turned)}

    def text(self, language: Language) -> str:
        stage, reason = stage_text(self.turned.stage), told(self.turned.reason)
        about = NOT_USED(language).format(stage=stage(language), reason=reason(language))
        return f"{self.turned.ref or self.turned.id}  {about}"


def why(folder: Path, ref: str, most: int = MOST) -> list[Used | NotUsed]:
    """Everything of the version in ``folder`` about ``ref``: a sample's id, a reference, or what one
    begins with before a # or a colon."""
    return list(islice(_all(folder, ref), most))


def _all(folder: Path, ref: str) -> Iterator[Used | NotUsed]:
    needle = msgspec.json.encode(ref)[1:-1]
    for split in SPLITS:
        for line in lines(folder / f"{split}.jsonl"):
            if needle in line:
                sample = msgspec.json.decode(line, type=Sample)
                if _is(ref, sample.id, sample.source.ref, sample.conversation):
                    yield Used(split, sample)
    for line in lines(folder / REFUSED):
        if needle in line:
            turned = msgspec.json.decode(line, type=Turned)
            if _is(ref, turned.id, turned.ref):
                yield NotUsed(turned)


def _is(ref: str, *names: str) -> bool:
    return any(name == ref or name.startswith((f"{ref}#", f"{ref}:")) for name in names)
