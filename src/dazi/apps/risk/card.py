"""The model card: what a model was made of, what it can do and cannot, as Markdown.

After Mitchell et al. 2019. Every figure is the model's own or of the report that is handed in.
"""

from __future__ import annotations

from collections.abc import Sequence

from dazi.apps.risk.drift import Drift
from dazi.apps.risk.features import CODES, CONTEXT, FEATURES, GROUPS
from dazi.apps.risk.model import Model
from dazi.apps.risk.quality import Quality
from dazi.apps.risk.thresholds import ThresholdReport, Thresholds
from dazi.apps.risk.wording import TITLES
from dazi.core.language import Language, Text

LIMITS = (
    Text("评分只看一个账户自己的过去;账户之间的联系(同一设备、同一收款人)没有看。",
         "A score looks at one account's own past; ties between accounts (one device, one payee) are "
         "not looked at."),
    Text("过去不到五笔交易的账户,没有什么可以说是异常的,与所有正常交易比较。",
         "For an account with fewer than five past transactions nothing is unusual; it is compared "
         "with all genuine ones."),
    Text("金额不换算:一种货币的金额只与同一种货币的相比,但绝对金额不分货币。",
         "Amounts are not converted: ratios are within one currency, the amount itself is taken as it is."),
    Text("没有人投诉的欺诈算作正常;训练数据里没有的手法,评分不会高。",
         "A fraud that nobody reported counts as genuine; a pattern that the data lacks gets no high score."),
    Text("原因说的是模型为什么这样评分,不是那个人做了什么。由人决定。",
         "Reasons say why the model scored so, not what the person did. A person decides."),
)  # fmt: skip


def card(model: Model, quality: Quality, drifts: Sequence[Drift], language: Language) -> str:
    def say(zh: str, en: str) -> str:
        return Text(zh, en)(language)

    t, r = model.trained, quality.thresholds
    lines = [
        f"# {say('风险模型卡', 'Risk model card')}",
        "",
        f"- {say('指纹', 'Digest')}: `{model.digest}`",
        f"- {say('用途', 'Use')}: "
        + say(
            "给交易评分,说明原因,向人提出建议;不用来自动拒绝。",
            "to score transactions, give reasons and propose to a person; not to refuse by itself.",
        ),
        f"- {say('方法', 'Method')}: "
        + say(
            f"梯度提升树 {len(model.trees.roots)} 棵,单调约束,逻辑校准",
            f"{len(model.trees.roots)} gradient-boosted trees, monotone constraints, logistic "
            "calibration",
        ),
        *(f"- {say('后来', 'Afterwards')}: {note}" for note in t.notes),
        "",
        f"## {say('数据', 'Data')}",
        "",
        f"| | {say('交易', 'transactions')} | {say('欺诈', 'frauds')} |",
        "|---|---|---|",
        f"| {say('训练', 'trained on')} | {t.rows} | {t.frauds} |",
        f"| {say('校准', 'calibrated on')} | {t.calibration_rows} | {t.calibration_frauds} |",
        f"| {say('检验', 'tested on')} | {r.transactions} | {r.frauds} |",
        "",
        say(
            f"训练和校准:{t.begin} 至 {t.end},{t.accounts} 个账户。"
            f"检验:{quality.begin} 至 {quality.end}。",
            f"Training and calibration: {t.begin} to {t.end}, {t.accounts} accounts. "
            f"Test: {quality.begin} to {quality.end}.",
        ),
        "",
        f"## {say('质量', 'Quality')}",
        "",
        f"AUC {quality.auc:.4f}, {say('平均精确率', 'average precision')} "
        f"{quality.average_precision:.3f}, Brier {quality.brier:.5f}",
        "",
        *_budgets(r, language),
        "",
        f"## {say('特征与原因', 'Features and reasons')}",
        "",
        f"| {say('原因', 'reason')} | {say('特征', 'features')} |",
        "|---|---|",
        *(
            f"| {TITLES[code](language)} (`{code}`) | "
            + "; ".join(FEATURES[i].text(language) for i in GROUPS[code])
            + " |"
            for code in CODES
            if code != CONTEXT
        ),
        "",
        f"## {say('漂移', 'Drift')}",
        "",
        *_drifts(drifts, language),
        "",
        f"## {say('局限', 'Limits')}",
        "",
        *(f"- {limit(language)}" for limit in LIMITS),
        "",
    ]
    return "\n".join(lines)


def thresholds_text(made: Quality, chosen: Thresholds, language: Language) -> str:
    """The threshold report: what each budget of alerts finds, and the lines that are drawn."""

    def say(zh: str, en: str) -> str:
        return Text(zh, en)(language)

    lines = [
        f"# {say('阈值报告', 'Threshold report')}",
        "",
        say(
            f"检验:{made.begin} 至 {made.end},{made.thresholds.transactions} 笔交易,"
            f"{made.thresholds.frauds} 笔欺诈。",
            f"Test: {made.begin} to {made.end}, {made.thresholds.transactions} transactions, "
            f"{made.thresholds.frauds} frauds.",
        ),
        "",
        f"- {say('复核线', 'From here on somebody looks')}: {chosen.review:.6f}",
        f"- {say('暂停线', 'From here on a payment waits')}: {chosen.hold:.6f}",
        "",
        *_budgets(made.thresholds, language),
        "",
    ]
    return "\n".join(lines)


def drift_text(drifts: Sequence[Drift], language: Language) -> str:
    """How far the last days have moved from those the model is of."""
    head = Text("# 漂移报告", "# Drift report")(language)
    why = Text(
        "最近 14 天与训练数据相比(PSI)。平时:训练数据自己各段之间就有的差别,加上这么少的笔数偶然会有的。",
        "The last 14 days beside the training data (PSI). Usual: what parts of the training data "
        "differed by themselves, and what so few rows do by chance.",
    )(language)
    return "\n".join([head, "", why, "", *_drifts(drifts, language), ""])


def _budgets(r: ThresholdReport, language: Language) -> list[str]:
    head = Text(
        "| 预算 | 阈值 | 每天警报 | 精确率 | 召回率 | 找到的金额 | 成本 |",
        "| budget | threshold | alerts a day | precision | recall | amount found | cost |",
    )
    rows = [
        f"| {100 * row.budget:g}% | {row.threshold:.6f} | {row.alerts_a_day:.1f} "
        f"| {row.precision:.3f} | {row.recall:.3f} | {row.caught_cents / 100:,.2f} "
        f"| {'-' if row.cost is None else f'{row.cost / 100:,.2f}'} |"
        for row in r.rows
    ]
    without = Text("没有人看时的成本", "Cost where nobody looks")(language)
    last = [] if r.cost_without is None else ["", f"{without}: {r.cost_without / 100:,.2f}"]
    return [head(language), "|---|---|---|---|---|---|---|", *rows, *last]


def _drifts(drifts: Sequence[Drift], language: Language) -> list[str]:
    if not drifts:
        return [Text("没有测。", "Not measured.")(language)]
    head = Text("| 特征 | PSI | 平时 | |", "| feature | PSI | usual | |")(language)
    words = {
        "steady": Text("平稳", "steady"),
        "look": Text("要看", "look"),
        "act": Text("要处理", "act"),
    }
    rows = [
        f"| {d.name} | {d.psi:.3f} | {d.usual:.3f} | {words[d.verdict](language)} |"
        for d in drifts
        if d.name == "score" or d.verdict != "steady"
    ]
    return [head, "|---|---|---|---|", *rows]
