"""Words of the page of alerts."""

from __future__ import annotations

from dazi.core.language import Text

ALERTS = Text("告警", "Alerts")
HINT = Text(
    "规则每隔几秒看一遍;一条告警只发一次,恢复时再说一声。规则和路线写在公司目录的 alerts.yaml。",
    "Rules are looked at every few seconds; an alert is told once, and its end. Rules and routes are "
    "written in alerts.yaml of the company's folder.",
)
FORBIDDEN = Text("告警只给管理员看。", "Alerts are for administrators.")
OFF = Text("这里没有开告警。", "There are no alerts here.")
IN_MEMORY = Text(
    "数据库现在用不了:告警状态只在内存里,照样会发。",
    "The database cannot be used now: the state of alerts is in memory, and they are sent all the same.",
)
NOW = Text("正在响", "Firing")
HANDLED = Text("已确认或静默", "Acknowledged or silenced")
NOTHING = Text("一切正常,没有告警。", "All is well: nothing fires.")
NO_HANDLED = Text("没有。", "None.")
SILENCES = Text("静默", "Silences")
PAST = Text("以前的(90 天)", "Past (90 days)")
NO_PAST = Text("还没有结束的告警。", "No alert has ended yet.")
ROUTES = Text("路线", "Routes")
NO_ROUTES = Text(
    "没有路线:告警只在这一页上。写法见 docs/zh/alerts.md。",
    "No routes: alerts show on this page only. See docs/en/alerts.md.",
)
RULES = Text("规则", "Rules")
OFF_RULES = Text("关掉的:{names}", "Switched off: {names}")

PENDING = Text("待定", "pending")
VALUE = Text("当前", "now")
LIMIT = Text("界限", "limit")
SINCE = Text("从 {when} 起", "since {when}")
DO = Text("怎么办", "What to do")
ACKED = Text("{who} 已确认", "acknowledged by {who}")
SILENCED = Text("已静默到 {until}", "silenced until {until}")
FLAPPING = Text("反复", "flapping")
COURSE = Text("一小时内的值", "the value over an hour")

ACK = Text("确认", "Acknowledge")
SILENCE = Text("静默", "Silence")
LIFT = Text("结束静默", "End the silence")
LIFTED = Text("静默已结束", "The silence is over")
TEST = Text("测试", "Test")
TESTED = Text("测试送到了", "The test got through")
FOR_HOURS = Text("静默多久", "For how long")
HOURS = {
    1.0: Text("1 小时", "1 hour"),
    8.0: Text("8 小时", "8 hours"),
    24.0: Text("1 天", "1 day"),
    168.0: Text("7 天", "7 days"),
}
UNTIL = Text("或到(年-月-日 时:分)", "Or until (YYYY-MM-DD HH:MM)")
BAD_UNTIL = Text("写成 2026-12-01 08:00", "Write 2026-12-01 08:00")
ONLY_THIS = Text("只静默这一条,不是整条规则", "Only this one, not the whole rule")
WHY = Text("为什么", "Why")
ROUTE_WELL = Text("正常", "well")
ROUTE_NEW = Text("还没用过", "not used yet")
SENT = Text("送出 {n} 条", "{n} sent")
BELL = Text("{n} 条告警在响", "{n} alerts fire")

COLUMNS = {
    "rule": Text("规则", "Rule"),
    "severity": Text("轻重", "Severity"),
    "labels": Text("对象", "Of"),
    "from": Text("开始", "From"),
    "to": Text("结束", "To"),
    "worst": Text("最坏", "Worst"),
    "by": Text("确认人", "By"),
    "value": Text("当前", "Now"),
    "limit": Text("界限", "Limit"),
}
