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

SEARCH = Text("在文档里查……", "Search the documents…")
SEARCH_BUTTON = Text("查", "Search")
FOUND_NOTHING = Text("没有找到。", "Nothing was found.")
FILTER = Text("按标题或文件名筛选", "Filter by title or file name")
NO_DOCUMENTS = Text("没有您可以看的文档", "There are no documents that you may read")
PAGES = Text("{n} 页", "{n} pages")
PASSAGES = Text("{n} 段", "{n} passages")
MORE = Text("更多", "More")
NOT_FOUND = Text("没有这份文档", "No such document")
NOT_FOUND_HINT = Text("它不存在,或者您不能看。", "It does not exist, or is not yours to read.")

TAB_READ = Text("查阅", "Read")
TAB_ALL = Text("全部文档", "All documents")
TAB_SOURCES = Text("来源", "Sources")
UPLOAD = Text("把文件拖到这里,或点 + 选择(可多选)", "Drop files here, or choose with +")
UPLOADED = Text("已上传 {name},正在读", "{name} is uploaded and being read")
REJECTED = Text("文件太大:最多 {mb} MB", "The file is too large: at most {mb} MB")
ADD_URL = Text("公开网页的网址", "URL of a public page")
ADD = Text("添加", "Add")
ADDED = Text("已添加,正在读", "Added, and being read")
DECLARED = Text("写在 dazi.toml", "in dazi.toml")
DOCUMENTS_IN = Text("{n} 份文档", "{n} documents")
AT_PAGE = Text("第 {page}/{pages} 页", "page {page} of {pages}")
SCANNED = Text("{n} 页是图片,没有读", "{n} pages are pictures and were not read")

READERS = Text("谁可以看", "Who may read it")
EVERYBODY = Text("所有人", "Everybody")
ROLES = Text("角色(包括所有人)", "Roles, or everybody")
DEPARTMENTS = Text("部门,用逗号隔开", "Departments, separated by commas")
USERS = Text("用户名,用逗号隔开", "User names, separated by commas")
SAVE = Text("保存", "Save")
AS_SOURCE = Text("跟随来源", "As its source says")
READ_AGAIN = Text("重读", "Read again")
DELETE_DOCUMENT = Text(
    "删除“{name}”?马上就查不到了,不能恢复。",
    "Delete “{name}”? It is found no more at once, and for good.",
)
DELETE_SOURCE = Text(
    "移除来源“{name}”和它的 {n} 份文档?", "Remove the source “{name}” with its {n} documents?"
)
