"""Words of the page that shows how the service does."""

from __future__ import annotations

from collections.abc import Mapping

from dazi.core.language import Text

DASHBOARD = Text("运行状况", "Dashboards")
HINT = Text(
    "数字来自本机,每 5 秒一次;10 秒一格保留 6 小时,5 分钟一格保留 31 天。",
    "Figures of this process, taken every 5 s; kept for 6 hours in steps of 10 s and for 31 days in "
    "steps of 5 minutes.",
)
FORBIDDEN = Text("您没有权限看运行状况。", "You are not allowed to see how the service does.")
OFF = Text("这个进程没有记录运行数据。", "This process keeps no figures.")
SPAN = Text("时间", "Span")
MODEL = Text("模型", "Model")
CHANNEL = Text("渠道", "Channel")
ALL = Text("全部", "all")
SPANS: Mapping[int, Text] = {
    900: Text("15 分钟", "15 minutes"),
    3_600: Text("1 小时", "1 hour"),
    21_600: Text("6 小时", "6 hours"),
    86_400: Text("1 天", "1 day"),
    604_800: Text("7 天", "7 days"),
    2_592_000: Text("30 天", "30 days"),
}
NOTHING = Text("这段时间没有数据", "Nothing in this span")
TABLE = Text("按工具", "By tool")
TOOL = Text("工具", "Tool")
CALLS = Text("调用", "Calls")
WELL = Text("成功", "Succeeded")
SLOW = Text("p95 毫秒", "p95 ms")
NONE = Text("这段时间没有调用工具。", "No tool was called in this span.")
EXTERNAL = Text(
    "Prometheus 从 /metrics 取同样的数字;Grafana 面板在 deploy/grafana/。",
    "Prometheus reads the same figures from /metrics; a Grafana dashboard is in deploy/grafana/.",
)

TILES: Mapping[str, Text] = {
    "turns": Text("轮(这段时间)", "Turns in this span"),
    "p50": Text("p50 秒", "p50, s"),
    "p95": Text("p95 秒", "p95, s"),
    "p99": Text("p99 秒", "p99, s"),
    "failed": Text("没答成的轮", "Turns not answered"),
    "errors": Text("出错的请求", "Requests failed"),
    "tokens": Text("词元", "Tokens"),
    "cost": Text("费用(元)", "Cost, CNY"),
}

CHARTS: Mapping[str, tuple[Text, Text]] = {
    "turns": (Text("每分钟的轮", "Turns a minute"), Text("按结局", "by how they ended")),
    "latency": (
        Text("一轮的时长(秒)", "Length of a turn, s"),
        Text("从收到消息到答完", "from a message to the end of its answer"),
    ),
    "first": (
        Text("到第一个字(秒)", "To the first text, s"),
        Text("人等多久才看到东西", "how long people see nothing"),
    ),
    "model": (
        Text("模型每个词元(秒)", "Model, s a token"),
        Text("第一个词元之后,每个词元的间隔", "between tokens after the first"),
    ),
    "tokens": (Text("每分钟的词元", "Tokens a minute"), Text("按种类", "by kind")),
    "cost": (Text("每小时的费用(元)", "Cost an hour, CNY"), Text("按模型", "by model")),
    "tools": (Text("每分钟的工具调用", "Tool calls a minute"), Text("按结局", "by outcome")),
    "requests": (Text("每分钟的请求", "Requests a minute"), Text("按状态码", "by status")),
    "errors": (Text("每分钟的错误", "Errors a minute"), Text("按错误码", "by code")),
    "people": (
        Text("每小时的确认和护栏", "Confirmations and guard, an hour"),
        Text(
            "要人确认的、批准的、拒绝的;护栏处理的", "asked, approved, rejected; what the guard did"
        ),
    ),
    "load": (
        Text("同时在做和在等的", "Under way and waiting"),
        Text("轮;以及各模型服务器上的请求", "turns, and requests at each model server"),
    ),
    "machine": (
        Text("事件循环最多迟了(毫秒)", "Event loop late by at most, ms"),
        Text("别的请求被一件事耽搁的时间", "how long one thing kept all others"),
    ),
    "gpu": (Text("GPU 忙的份额", "Share of time the GPU works"), Text("按卡", "by card")),
}
RUNNING = Text("轮,在做", "turns under way")
WAITING = Text("轮,在等", "turns waiting")
GUARD = Text("护栏:{what}", "guard: {what}")
REASONS: Mapping[str, Text] = {
    "answer": Text("答完", "answered"),
    "confirmation": Text("等确认", "waits for a yes"),
    "client_tools": Text("交给调用方的工具", "tools of the caller"),
    "budget": Text("预算用完", "budget spent"),
    "cancelled": Text("对方离开", "left or stopped"),
    "error": Text("出错", "error"),
}
RESULTS: Mapping[str, Text] = {
    "asked": Text("要确认", "asked"),
    "approved": Text("批准", "approved"),
    "rejected": Text("拒绝", "rejected"),
}
KINDS: Mapping[str, Text] = {
    "input": Text("输入", "input"),
    "cached": Text("输入里缓存的", "cached input"),
    "output": Text("输出", "output"),
}
