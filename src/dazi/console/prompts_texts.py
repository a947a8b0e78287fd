"""Words of the page of prompt versions."""

from __future__ import annotations

from dazi.core.language import Text

PROMPTS = Text("提示词", "Prompts")
HINT = Text(
    "助手被告知什么:系统文字和工具说明。版本只增不改,一次只有一个在用;退回就是启用旧的。"
    "这里的文字不能保证什么:不许做的事由代码和策略拦住。",
    "What the assistant is told: the system text and what tools are said to do. Versions are only added, one is in "
    "use; going back is using an older one. Words guarantee nothing: what must not happen is stopped by code and "
    "policies.",
)
FORBIDDEN = Text("提示词是给管理员看的。", "Prompts are for administrators.")
READ_ONLY = Text(
    "您可以看;要有系统管理员(sysadmin)的权限才能新增和启用。",
    "You may look; adding and using versions takes a system administrator (sysadmin).",
)
IGNORED = Text(
    "现在的模型太小,不读规则文字:系统文字的版本对它没有作用,只有工具说明有。换一个模型才用得上。",
    "The model is too small to be told rules: versions of the system text do nothing for it, only descriptions of "
    "tools do. They come into use with another model.",
)
VERSIONS = Text("版本", "Versions")
NUMBER = Text("版本 {n}", "Version {n}")
SHIPPED = Text("随产品的", "as shipped")
ACTIVE = Text("在用", "in use")
BY = Text("{who},{when}", "{who}, {when}")
USE = Text("启用", "Use")
USE_ASK = Text(
    "启用版本 {n}?所有人的下一句话就用它;审计里会记下是您启用的。",
    "Use version {n}? Everybody's next message is answered by it, and the audit notes that you did so.",
)
USED = Text("版本 {n} 已启用", "Version {n} is in use")
START_FROM = Text("以它为底", "Start from it")
COMPARE = Text("比较", "Compare")
FROM = Text("旧", "Old")
TO = Text("新", "New")
SAME = Text("没有差别。", "There is no difference.")
PARTS = {
    "zh": Text("中文系统文字", "Chinese system text"),
    "en": Text("英文系统文字", "English system text"),
}
TOOL_PART = Text("工具 {name}({language})", "Tool {name} ({language})")
MARKS = {
    "added": Text("加", "added"),
    "removed": Text("删", "removed"),
    "same": Text("同", "same"),
}
EDIT = Text("新版本", "New version")
EDIT_HINT = Text(
    "可用:{company} 公司名、{today} 日期(必须有)、{weekday} 星期、{roles} 角色。花括号本身写两个。",
    "There are: {company}, {today} (needed), {weekday}, {roles}. For a brace itself write two.",
)
ZH = Text("中文", "Chinese")
EN = Text("英文", "English")
TOOL = Text("工具说明", "Description of a tool")
TOOL_ZH = Text("中文说明", "In Chinese")
TOOL_EN = Text("英文说明", "In English")
NOTE = Text("为什么改(会留下)", "Why (it is kept)")
GOOD = Text("可以保存。", "It can be saved.")
PROBLEM = Text("{part}:{what}", "{part}: {what}")
PROBLEM_AT = Text("{part} 第 {line} 行:{what}", "{part}, line {line}: {what}")
SAVE = Text("存成新版本", "Save as a new version")
SAVED = Text("已存为版本 {n},还没启用", "Saved as version {n}, not in use yet")
PREVIEW = Text("对某个角色是什么样", "As it is for a role")
ROLE = Text("角色", "Role")
LANGUAGE = Text("语言", "Language")
TOKENS = Text("约 {n} 个词元", "about {n} tokens")
TOOLS = Text(
    "它看到的工具说明(一句话只带用得上的几个)",
    "What tools are said to do (a message brings only those it needs)",
)
