"""What a 3C report says, in both languages, and how it writes numbers."""

from __future__ import annotations

from dazi.core.language import Language, Text
from dazi.lab.evals.figures import NO_SHARES
from dazi.lab.scorecard.costing import Reckoned
from dazi.lab.scorecard.declared import Dimension, MetricSpec
from dazi.lab.scorecard.evidence import COUNTED, Compliant, Measure
from dazi.lab.scorecard.scoring import Candidate, Kept, Score, Scorecard

NONE = "—"
NAMES: dict[Dimension, Text] = {
    "capability": Text("能力", "Capability"),
    "cost": Text("成本", "Cost"),
    "compliance": Text("合规", "Compliance"),
}
OVERALL = Text("总分", "Overall")
CANDIDATE = Text("候选", "Candidate")
WEIGHT = Text("权重", "Weight")
MEASURED = Text("测得", "Measured")
METRIC = Text("指标", "Metric")
MUST = Text("必须满足", "Must hold")
HOLDS = Text("满足", "holds")
FAILS = Text("不满足", "does not hold")
NOT_MEASURED = Text("没有测", "not measured")
EVIDENCE = Text("依据", "Evidence")
LEFT_OUT = Text(
    "没有计入：{metrics}。不是每个候选都测过，所以对谁都不算。",
    "Not counted: {metrics}. Not every candidate was measured by it, so it counts for nobody.",
)
UNLIKE = Text(
    "题目不同：{metrics}。几个候选测的不是同样的题（数据、--limit 或 --seed 不同），分数不能直接比。",
    "Not the same items: {metrics}. The candidates were not asked the same (other data, --limit or --seed), so these "
    "do not compare.",
)
NO_OVERALL = Text("没有总分：没有测{lacking}。", "No overall score: {lacking} not measured.")
STATEMENT = Text(
    "每个数都来自所列的评测、合规报告或成本算法，没有测过的留空。总分的区间只含能力的抽样误差；"
    "区间有重叠时，用 `dazi eval compare` 逐题比较。权重是使用者的选择。",
    "Every number comes from the runs, compliance reports and reckoning that are named; what was not measured "
    "stays empty. The interval of the overall score holds the sampling error of the capability alone; where "
    "intervals overlap, compare item by item with `dazi eval compare`. The weights are the reader's choice.",
)
BY: dict[str, Text] = {
    "machine": Text("自己的机器", "own machine"),
    "cards": Text("自己的显卡", "own accelerators"),
    "api": Text("接口按量", "API by use"),
}
ASSUMED = Text("假设", "assumed")
LOWER = Text("越低越好", "lower is better")


def number(score: Score | None) -> str:
    """Of a hundred, with the interval where there is one."""
    if score is None:
        return NONE
    if score.low == score.high:
        return f"{score.value * 100:.1f}"
    return f"{score.value * 100:.1f} [{score.low * 100:.1f}, {score.high * 100:.1f}]"


def measure(m: Measure | None) -> str:
    if m is None:
        return NONE
    if not 0 <= m.value <= 1 or (m.low is None and m.value == int(m.value)):
        return f"{m.value:g}"
    told = f"{m.value:.1%}"
    if m.low is not None and m.high is not None:
        told += f" [{m.low:.1%}, {m.high:.1%}]"
    return told


def label(m: MetricSpec, language: Language) -> str:
    told = m.text(language)
    return f"{told}（{LOWER('zh')}）" if m.lower and language == "zh" else (
        f"{told} ({LOWER('en')})" if m.lower else told
    )  # fmt: skip


def cost(c: Reckoned | None, language: Language) -> str:
    if c is None:
        return NONE
    by = BY[c.by](language)
    if language == "zh":
        return (
            f"每千次 {c.thousand:,.2f} 元（{by}，每次读 {c.read:,.0f}、写 {c.written:,.0f} 词元）"
        )
    return f"{c.thousand:,.2f} yuan a thousand ({by}, {c.read:,.0f} tokens read, {c.written:,.0f} written each)"


def assumptions(c: Reckoned, language: Language) -> str:
    told = ", ".join(
        f"{k} {v:g}" if isinstance(v, float) else f"{k} {v}" for k, v in c.assumed.items()
    )
    return f"{ASSUMED(language)}: {told}"


def compliance(c: Compliant | None, language: Language) -> str:
    if c is None:
        return NONE
    counted = sum(c.counts.get(s, 0) for s in COUNTED)
    passed, other = c.counts.get("pass", 0), c.counts.get("organisational", 0)
    if language == "zh":
        return f"{passed}/{counted} 项通过；另有 {other} 项由公司负责"
    return f"{passed} of {counted} checks pass; {other} more are the company's own"


def must(k: Kept, language: Language) -> str:
    bounds = []
    if k.must.at_most is not None:
        bounds.append(f"<= {k.must.at_most:g}")
    if k.must.at_least is not None:
        bounds.append(f">= {k.must.at_least:g}")
    state = NOT_MEASURED if k.holds is None else HOLDS if k.holds else FAILS
    value = ""
    if k.measured:
        plain = k.must.metric in NO_SHARES  # ms, tokens, yuan: no share of anything
        value = f" ({k.measured.value:g})" if plain else f" ({measure(k.measured)})"
    return f"{k.must.key} {' '.join(bounds)}: {state(language)}{value}"


def left_out(s: Scorecard, language: Language) -> str:
    if not s.left_out:
        return ""
    return LEFT_OUT(language).format(metrics=", ".join(s.left_out))


def unlike(s: Scorecard, language: Language) -> str:
    if not s.unlike:
        return ""
    return UNLIKE(language).format(metrics=", ".join(s.unlike))


def lacking(c: Candidate, language: Language) -> str:
    if not c.lacking:
        return ""
    joint = "、" if language == "zh" else ", "
    return NO_OVERALL(language).format(lacking=joint.join(NAMES[d](language) for d in c.lacking))
