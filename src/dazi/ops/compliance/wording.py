"""What the console and the page call things."""

from __future__ import annotations

import time

from dazi.core.language import Language, Text
from dazi.ops.compliance.report import Report
from dazi.ops.compliance.results import Status

STATUS = {
    Status.PASS: Text("通过", "pass"),
    Status.FAIL: Text("不通过", "fail"),
    Status.NOT_SUPPORTED: Text("不支持", "not supported"),
    Status.ORGANISATIONAL: Text("组织层面", "organisational"),
}
MARK = {
    Status.PASS: "✓",
    Status.FAIL: "✗",
    Status.NOT_SUPPORTED: "—",
    Status.ORGANISATIONAL: "○",
}
TITLE = Text("合规矩阵", "Compliance matrix")
MEND = Text("怎么改", "mend")
RECORDS = Text("审计记录", "audit records")
LOOKED_AT = Text("看了什么", "what was looked at")


def heading(report: Report, language: Language) -> str:
    day = time.strftime("%Y-%m-%d %H:%M", time.localtime(report.at))
    return f"{TITLE(language)} · {report.company(language)} · {day} · Dazi {report.version}"
