"""Words of the page about compliance."""

from __future__ import annotations

from dazi.core.language import Text

COMPLIANCE = Text("合规", "Compliance")
HINT = Text(
    "和 dazi audit compliance 一样:看这套系统现在的样子,在一次性的临时库里真的去试,不改数据。要一两分钟。",
    "The same as dazi audit compliance: looks at this installation as it is, and tries things in scratch stores; no "
    "data is changed. It takes a minute or two.",
)
FORBIDDEN = Text(
    "合规检查是给管理员和审计员用的。", "Compliance is for administrators and auditors."
)
FRAMEWORKS = Text("框架", "Frameworks")
RUN = Text("开始检查", "Run the checks")
STOP = Text("停止", "Stop")
CHOOSE = Text("至少选一个框架", "choose at least one framework")
RUNNING = Text("正在检查:{done} / {of}", "Checking: {done} / {of}")
STARTING = Text("正在打开……", "Opening…")
STOPPED = Text("已停止。", "Stopped.")
BUSY = Text("已经有人在检查;等它做完。", "Somebody is running the checks; wait for them.")
NONE = Text("还没有检查过。", "They have not been run yet.")
LAST = Text("{time} 的结果", "Results of {time}")
SAVE_HTML = Text("下载网页", "Download as a page")
SAVE_JSON = Text("下载 JSON", "Download as JSON")
ONLY_FAILED = Text("只看不通过的", "Failed ones only")
NO_FAILED = Text("没有不通过的。", "Nothing failed.")
