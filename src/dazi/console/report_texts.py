"""Words of the page of reports."""

from __future__ import annotations

from dazi.core.language import Text

REPORTS = Text("报表", "Reports")
HINT = Text(
    "用公司的数据出报表:取数经过您的权限和审计,文字里的每个数字都核对过出处。",
    "Reports of the company's data: called with your rights and on record; every number in the words is "
    "checked against what it rests on.",
)
ASK = Text(
    "想要什么?例如:Q1市场部与研发部的费用对比表",
    "What do you need? E.g. compare the costs of marketing and R&D in Q1",
)
FIND = Text("找报表", "Find it")
RUN = Text("生成", "Run")
RUNNING = Text("正在生成……", "Running…")
NONE = Text("您的角色没有可以出的报表", "There is no report that your role may run")
SAVE_AS = Text("存成", "Save as")
MAIL = Text("邮件发给(要确认)", "mail to (asks for confirmation)")
MAILED = Text("邮件:{outcome} {message}", "Mail: {outcome} {message}")
WAITS = Text(
    "邮件等待您确认:到聊天页确认后发出",
    "The mail waits for your confirmation on the chat page",
)
NEEDS_FILE = Text("要读文件:请用命令行 dazi report run", "It reads a file: use dazi report run")
LABELS = {"html": "HTML", "docx": "Word", "pdf": "PDF", "xlsx": "Excel", "json": "JSON"}
