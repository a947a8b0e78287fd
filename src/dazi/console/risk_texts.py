"""Every word of the pages about risk, in both languages."""

from __future__ import annotations

from collections.abc import Mapping

from dazi.apps.risk.events import Outcome
from dazi.apps.risk.thresholds import Action
from dazi.core.language import Text

RISK = Text("风险复核", "Risk review")
HINT = Text(
    "评分达到复核线的交易,分数高的在前。原因和建议供参考,由人决定。",
    "Transactions whose score reaches the line, the highest first. Reasons and proposals are advice; "
    "a person decides.",
)
FORBIDDEN = Text("您没有权限看风险评估。", "You are not allowed to see risk assessments.")
SCORE_DAY = Text("给最近一天评分", "Score the latest day")
SCORED = Text("{day}:{n} 笔交易,{m} 笔要看", "{day}: {n} transactions, {m} to look at")
NONE = Text("没有等人看的交易。", "Nothing waits for a person.")
MODEL = Text("模型", "Model")
BACK = Text("回到列表", "Back to the list")
SCORE = Text("评分 {score}", "Score {score}")
LEVELS: Mapping[Action, Text] = {
    "allow": Text("低风险", "low risk"),
    "review": Text("中风险", "medium risk"),
    "hold": Text("高风险", "high risk"),
}
OUTCOMES: Mapping[Outcome, Text] = {
    "fraud": Text("欺诈", "fraud"),
    "genuine": Text("正常", "genuine"),
}
PAST = Text("账户的过去", "The account's past")
THIS_ONE = Text("这一笔", "this one")
OUT = Text("转出", "out")
IN = Text("转入", "in")
WHY = Text("原因(对数几率)", "Reasons (log-odds)")
WORDS = Text("情况说明", "The case in words")
NOTE = Text("备注(可不填)", "Note (optional)")
IS_FRAUD = Text("确认欺诈", "It is fraud")
IS_GENUINE = Text("正常,无害", "It is harmless")
KEPT = Text("已记下:{what}", "Kept: {what}")
DECIDED = Text("已有结论", "Decisions so far")
SAID = Text("{user}:{what} {note}", "{user}: {what} {note}")
NOT_THERE = Text("没有这笔交易。", "There is no such transaction.")
CARD = Text("模型卡", "Model card")
CURVE = Text("看多少、找到多少", "What a budget of alerts finds")
DRIFT = Text("漂移", "Drift")
PRECISION = Text("精确率", "precision")
RECALL = Text("召回率", "recall")
BUDGET = Text("由人看的份额", "share looked at")
DOWNLOAD = Text("下载 {what}(PDF)", "Download {what} (PDF)")
VERSION = Text("在用的版本:{version}", "Version in use: {version}")
