"""What an experiment's figures mean, in words for whoever has to decide."""

from __future__ import annotations

from dazi.core.language import Text
from dazi.ops.experiments.analysis import Analysis, Comparison
from dazi.ops.experiments.metrics import Metric
from dazi.ops.experiments.model import Experiment
from dazi.ops.experiments.sequential import LEAST

MISMATCH = Text(
    "分到各组的人数和份额对不上(p = {p:.2g}):分组或计数有错,先查原因,下面的数字都不能信。",
    "Subjects did not come to the arms in their shares (p = {p:.2g}): something assigns or counts wrongly. Find "
    "it first; no figure here can be trusted.",
)
NOBODY = Text("还没有人进来。", "Nobody has come yet.")
DRAFT = Text("还没有开始。", "It has not begun.")
TOO_FEW = Text(
    "{arm}:还不能下结论,两组各要至少 {least} 个对象(现在一共 {n} 个)。",
    "{arm}: nothing can be concluded yet; both arms need {least} subjects at least (there are {n} together).",
)
OPEN = Text(
    "{arm}:还不能下结论。{metric}相差 {estimate},真实的差在 {lower} 到 {upper} 之间,两个方向都可能。",
    "{arm}: nothing can be concluded yet. {metric} differs by {estimate}; the true difference is between {lower} "
    "and {upper}, and may go either way.",
)
BETTER = Text(
    "{arm}:可以下结论,更好。{metric}相差 {estimate}(在 {lower} 到 {upper} 之间)。",
    "{arm}: it is better. {metric} differs by {estimate} (between {lower} and {upper}).",
)
WORSE = Text(
    "{arm}:可以下结论,更差。{metric}相差 {estimate}(在 {lower} 到 {upper} 之间)。",
    "{arm}: it is worse. {metric} differs by {estimate} (between {lower} and {upper}).",
)
STOPPED = Text("{arm}:已停:{why}", "{arm}: stopped: {why}")
WAITING = Text(
    "{n} 个对象的观察窗口还没过,暂不计入。",
    "{n} subjects are still in their window and not counted yet.",
)
LEVEL = Text(
    "随时可以看、随时可以停:不管看多少次,错判的概率合起来不超过 {alpha:.3g}。",
    "Look whenever you like and stop whenever you like: however often, the chance of a false conclusion is "
    "{alpha:.3g} at the most.",
)


def decision(experiment: Experiment, found: Analysis) -> list[Text]:
    """The lines to read, the most important first."""
    if experiment.state == "draft":
        return [DRAFT]
    lines: list[Text] = []
    if not found.trusted:
        lines.append(_filled(MISMATCH, p=found.mismatch))
    if not any(a.subjects for a in found.arms):
        return [*lines, NOBODY]
    for arm in experiment.plan.treatments:
        why = experiment.stopped.get(arm.name)
        if why is not None:
            lines.append(_filled(STOPPED, arm=arm.name, why=why))
        else:
            lines.append(_said(found.of(arm.name, experiment.plan.metric)))
    if found.waiting:
        lines.append(_filled(WAITING, n=found.waiting))
    lines.append(_filled(LEVEL, alpha=experiment.plan.alpha))
    return lines


def _said(c: Comparison) -> Text:
    if c.lower is None or c.upper is None:
        return _filled(TOO_FEW, arm=c.arm, least=LEAST, n=c.subjects)
    sentence = {"open": OPEN, "better": BETTER, "worse": WORSE}[c.says]
    zh, en = (
        sentence(language).format(
            arm=c.arm,
            metric=c.metric.label(language),
            estimate=shown(c.metric, c.estimate)(language),
            lower=shown(c.metric, c.lower)(language),
            upper=shown(c.metric, c.upper)(language),
        )
        for language in ("zh", "en")
    )
    return Text(zh, en)


def shown(m: Metric, value: float, *, signed: bool = True) -> Text:
    """A difference as people read it: rates in percentage points."""
    sign = "+" if signed else ""
    if m.kind == "rate":
        unit = Text(" 个百分点", " points") if signed else Text("%", "%")
        return Text(*(f"{value * 100:{sign}.1f}{u}" for u in (unit.zh, unit.en)))
    number = f"{value:{sign},.0f}" if m.cap > 1_000 else f"{value:{sign}.3g}"
    return Text(f"{number} {m.unit.zh}".strip(), f"{number} {m.unit.en}".strip())


def _filled(text: Text, **values: object) -> Text:
    return Text(text.zh.format(**values), text.en.format(**values))
