"""A dataset's card, for people: what is in it, where it comes from, what was left out and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dazi.core.language import Language, Text
from dazi.ops.datasets.folders import SPLITS, Manifest
from dazi.ops.datasets.reasons import stage_text, told

FEW = 1_000
"""Below so many samples there is a warning."""
WITHDRAWN = Text(
    "**已撤回**:{why},{at};样本已删除。", "**Withdrawn**: {why}, {at}; the samples are gone."
)
SMALL = Text(
    "只有 {n} 条,不到 {few} 条:样本这么少,效果不稳,也难以在评测里看出差别。",
    "Only {n} samples, fewer than {few}: with so few, results vary, and an evaluation can hardly tell.",
)
COUNTED = Text("{n} 条样本:{splits}。", "{n} samples: {splits}.")
MADE = Text("做于 {made},dazi {dazi}。", "Made at {made} by dazi {dazi}.")
PARENT = Text("由 {name} {version} 而来。", "Made from {name} {version}.")
SOURCES = Text("## 来源", "## Sources")
SOURCE_HEAD = Text(
    "| 来源 | 读到 | 许可 | 同意的依据 |", "| source | read | licence | basis of consent |"
)
STEPS = Text("## 步骤", "## Steps")
STEP_HEAD = Text("| 步骤 | 进 | 出 | 没有用的 |", "| step | in | out | refused |")
CONTENT = Text("## 里面有什么", "## What is in it")
GROUPS = {
    "kind": Text("类型", "kind"),
    "language": Text("语言", "language"),
    "source": Text("来源", "source"),
}
FOOT = Text(
    "各文件的 SHA-256 在 manifest.json 里;每条样本写着它的来源,`dazi tune data why` 可查。",
    "The SHA-256 of each file is in manifest.json; each sample says where it comes from, see "
    "`dazi tune data why`.",
)


def card(m: Manifest) -> str:
    """In Chinese and then in English, Markdown."""
    return "\n".join([*card_in(m, "zh"), "", "---", "", *card_in(m, "en"), ""])


def card_in(m: Manifest, language: Language) -> Iterator[str]:
    """The lines of the card in one language."""
    yield f"# {m.name} {m.version}"
    yield ""
    if m.withdrawn is not None:
        why = told(m.withdrawn.why)(language)
        yield WITHDRAWN(language).format(why=why, at=m.withdrawn.at)
        yield ""
    about = m.recipe.get("about", "")
    if isinstance(about, Mapping):
        about = Text.of(about)(language)
    if about:
        yield str(about)
        yield ""
    splits = ", ".join(f"{s} {m.splits.get(s, 0)}" for s in SPLITS)
    yield COUNTED(language).format(n=m.samples, splits=splits)
    if m.samples < FEW:
        yield ""
        yield SMALL(language).format(n=m.samples, few=FEW)
    yield ""
    yield MADE(language).format(made=m.made, dazi=m.dazi)
    for parent in m.parents:
        yield PARENT(language).format(name=parent.name, version=parent.version)
    yield from _tables(m, language)
    yield ""
    yield FOOT(language)


def _tables(m: Manifest, language: Language) -> Iterator[str]:
    yield from ("", SOURCES(language), "", SOURCE_HEAD(language), "|---|---|---|---|")
    for s in m.sources:
        yield _row(s.get("ref"), s.get("read", 0), s.get("licence"), s.get("consent"))
    yield from ("", STEPS(language), "", STEP_HEAD(language), "|---|---|---|---|")
    for stage in m.stages:
        refused = "; ".join(f"{told(r)(language)} {n}" for r, n in sorted(stage.refused.items()))
        yield _row(stage_text(stage.name)(language), stage.taken, stage.given, refused)
    if m.counts:
        yield from ("", CONTENT(language), "")
        for group, counts in m.counts.items():
            shown = ", ".join(f"{k or '-'} {n}" for k, n in sorted(counts.items()))
            yield f"- {GROUPS.get(group, Text.of(group))(language)}: {shown}"


def _row(*cells: object) -> str:
    shown = (str(c if c not in (None, "") else "-").replace("|", "\\|") for c in cells)
    return f"| {' | '.join(shown)} |"
