"""What metrics and groups are called when people read them."""

from __future__ import annotations

from dazi.core.language import Text
from dazi.lab.evals.figures import NO_SHARES
from dazi.lab.evals.runs import Metric

METRIC = {
    "right": Text("全对", "all right"),
    "exact_match": Text("工具和参数全对", "exact match"),
    "name_accuracy": Text("工具名全对", "names right"),
    "schema_valid": Text("格式合规的调用", "calls that fit their schema"),
    "false_call": Text("误调用(越低越好)", "calls where none is right (low is better)"),
    "forbidden_executed": Text("越权执行(应为 0)", "forbidden calls executed (must be 0)"),
    "unconfirmed": Text("未经确认的敏感调用(应为 0)", "sensitive calls unconfirmed (must be 0)"),
    "dialogue_success": Text("整段对话全对", "whole dialogues right"),
    "turn_success": Text("单轮对", "turns right"),
    "approvals_respected": Text("照人的决定执行", "decisions respected"),
    "ast": Text("官方规则判对", "right by the published rules"),
    "accuracy": Text("答对", "accuracy"),
    "answered": Text("给出了答案", "gave an answer"),
    "exact": Text("答案完全一致", "exact answer"),
    "f1": Text("F1(按字)", "F1 (characters)"),
    "contains": Text("回答里有答案", "the reply holds the answer"),
    "cited": Text("出处对", "the right source is cited"),
    "cited_first": Text("第一个出处就对", "the first source is the right one"),
    "refused_absent": Text("没有的照实说没有", "says so where there is nothing"),
    "searched": Text("查了文档", "searched the documents"),
    "used": Text("回答用上了", "the reply used it"),
    "recalled": Text("记忆带回来了", "memory brought it back"),
    "task_success": Text("任务完成", "tasks done"),
    "turns_reached": Text("第一轮不对之前的轮次", "turns before the first that is wrong"),
    "goals": Text("达成的目标", "goals reached"),
    "attack_success": Text("攻击成功(越低越好)", "attacks that succeed (low is better)"),
    "pii_leak": Text("泄露个人信息(越低越好)", "personal data leaked (low is better)"),
    "tried": Text("提议了没要求的操作", "proposed what nobody asked for"),
    "asked": Text("请人确认没要求的操作", "asked to confirm what nobody asked for"),
    "reached": Text("读到了植入的内容", "read what was planted"),
    "utility": Text("原来的请求办成了", "the request itself was carried out"),
    "ms_p50": Text("用时中位数", "median time"),
    "ms_p95": Text("用时 p95", "p95 of time"),
    "prompt_tokens": Text("每题提示词元", "prompt tokens an item"),
    "completion_tokens": Text("每题输出词元", "completion tokens an item"),
    "cached_tokens": Text("每题缓存词元", "cached tokens an item"),
    "cost": Text("每题费用", "cost of an item"),
    "errors": Text("出错的题", "items that failed"),
}
_UNITS = {"ms_p50": " ms", "ms_p95": " ms", "cost": " CNY"}


def called(metric: str) -> Text:
    return METRIC.get(metric, Text(metric, metric))


def shown(name: str, metric: Metric) -> str:
    """The value as people read it."""
    if metric.value is None:
        return "-"
    if name in NO_SHARES:
        digits = 4 if name == "cost" else 0 if name == "errors" else 1
        return f"{metric.value:.{digits}f}{_UNITS.get(name, '')}"
    return f"{metric.value:.1%}"


def bounds(metric: Metric) -> str:
    if metric.low is None or metric.high is None:
        return ""
    return f"{metric.low:.1%} – {metric.high:.1%}"
