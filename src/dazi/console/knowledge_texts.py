"""Every word of the pages about documents, in both languages."""

from __future__ import annotations

from collections.abc import Mapping

from dazi.core.language import Text
from dazi.knowledge.records import SourceKind, State

OTHERS = Text("看过的其他段落({n})", "Also looked at ({n})")
BASED_ON = Text("依据", "Based on")
SHOW_PASSAGE = Text("查看第 {n} 段原文", "Show passage {n}")
CLOSE = Text("关闭", "Close")
OPEN_DOCUMENT = Text("打开整份文档", "Open the document")
PAGE_PICTURE = Text("第 {n} 页", "Page {n}")
NOT_THERE = Text(
    "这份文档已不在,或者您不能再看它。",
    "The document is no longer there, or no longer yours to read.",
)
CHANGED = Text(
    "文档在那之后改过,下面是现在这个位置的内容。",
    "The document has changed since; below is what stands in this place now.",
)

KNOWLEDGE = Text("公司文档", "Documents")
HINT = Text(
    "公司的制度、手册和合同,只列出您可以看的。",
    "The company's rules, manuals and contracts: those that you may read.",
)
STATES: Mapping[State, Text] = {
    "new": Text("待读", "To be read"),
    "reading": Text("正在读", "Being read"),
    "ready": Text("可查", "Ready"),
    "failed": Text("读不了", "Failed"),
    "rights": Text("可查,权限更新中", "Ready, rights changing"),
    "gone": Text("删除中", "Being deleted"),
}
KINDS: Mapping[SourceKind, Text] = {
    "folder": Text("文件夹", "Folder"),
    "upload": Text("上传", "Uploads"),
    "url": Text("网址", "URL"),
    "database": Text("数据库", "Database"),
}
