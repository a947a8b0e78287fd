"""Words of the pages about tools."""

from __future__ import annotations

from collections.abc import Mapping

from dazi.core.language import Text

TOOLS = Text("工具", "Tools")
HINT = Text(
    "搭子能替您做的事。谁能用什么由公司目录里的声明和策略决定;这里只看和试,不改文件。",
    "What Dazi can do for you. Who may use what is decided by declarations and policies in the company "
    "folder; here they are looked at and tried, and no file is changed.",
)
NONE = Text("没有您能用的工具。", "There are no tools that you may use.")
NO_MATCH = Text("没有符合的工具。", "No tool fits.")
FILTER = Text("按名字或说明找", "Find by name or description")
NOT_FOUND = Text("没有这个工具,或者您不能用。", "No such tool, or you may not use it.")
ALL_TOOLS = Text("全部工具", "All tools")

EFFECTS: Mapping[str, Text] = {
    "read": Text("只读", "read"),
    "write": Text("写入", "write"),
    "sensitive": Text("敏感", "sensitive"),
}
EFFECT = Text("作用", "Effect")
SYSTEM = Text("系统", "System")
DECLARED = Text("声明在", "Declared in")
USERS = Text("谁能用", "Who may use it")
NOBODY = Text("没有角色能用", "no role may")
APPROVER = Text("由谁批准", "Approved by")
BOUND = Text("由身份填写", "Filled from identity")
BOUND_BY = Text("{name}:取自 {attribute}", "{name}: from {attribute}")
TIMEOUT = Text("时限", "Time limit")
SECONDS = Text("{s:g} 秒", "{s:g} s")
POLICIES = Text("策略", "Policies")
POLICIES_HINT = Text(
    "可能管到这个工具的语句,公司自己的在前。",
    "Statements that can apply to this tool, the company's own first.",
)

PARAMETERS = Text("参数", "Parameters")
NO_PARAMETERS = Text("没有参数。", "It takes no parameters.")
PARAMETER = Text("名字", "Name")
KIND = Text("类型", "Type")
MEANING = Text("含义", "Meaning")
MARKS = Text("要求", "Rules")
REQUIRED = Text("必填", "required")
GROUNDED = Text("要有出处", "must have been said")
DEFAULT = Text("默认 {value}", "{value} unless given")
ONE_OF = Text("只能是 {values}", "one of {values}")
RANGE = Text("{low} 到 {high}", "{low} to {high}")

TRY = Text("试一试", "Try it")
TRY_HINT = Text(
    "以您自己的身份真的调用一次,和 /mcp 走同一道门:策略、出处、确认、审计。网页上填的不算您对搭子说的话,所以"
    "钱和收件人仍要您当面确认。",
    "One real call as yourself, through the same door as /mcp: policy, grounding, confirmation, audit. What "
    "is filled in here does not count as said to Dazi, so money and recipients still ask for your agreement.",
)
RUN = Text("调用", "Call")
CLEAR = Text("清空", "Clear")
WHOLE = Text("要一个整数", "a whole number is needed")
NUMBER = Text("要一个数", "a number is needed")
MISSING = Text("这一项必填", "this is required")
NOT_CHOSEN = Text("(不填)", "(not given)")
LATER_ONLY = Text(
    "这个工具用的是同一轮里先查到的结果,只能在对话里用。",
    "This tool works on results found earlier in the same turn: it is used in a conversation.",
)

NOT_YOURS = Text(
    "您自己不能用这个工具;可以用填好的参数替别人问一问。",
    "You may not use this tool yourself; with these arguments you can ask for others.",
)

EXPLAIN = Text("为什么能/不能", "Why, or why not")
EXPLAIN_HINT = Text(
    "用上面填的参数问策略:这个人能不能这样调用,要谁同意,由哪条策略决定。什么都不执行,也不记入审计。",
    "Asks the policies with the arguments above: may they, who must agree, and which statement decides. "
    "Nothing is done, and nothing is recorded.",
)
WHO = Text("谁", "Who")
MYSELF = Text("我自己", "Myself")
ROLE = Text("角色:{name}", "Role: {name}")
ASK = Text("问", "Ask")

STEPS = Text("一步一步", "Step by step")
STEP: Mapping[str, Text] = {
    "turn": Text("收到", "Received"),
    "decision": Text("决定", "Decided"),
    "call": Text("开始执行", "Begun"),
    "outcome": Text("结果", "Outcome"),
}
POLICY = Text("策略", "Policy")
AT = Text("在 {where}", "at {where}")
SAID_BY = Text("{name} 来自 {sources}", "{name} from {sources}")
AGREED = Text("由 {user} 同意", "agreed to by {user}")
NEEDS = Text("要 {role} 批准", "needs {role} to approve")
SIGNALS = Text("结果里的迹象:{labels}", "signs in the result: {labels}")
REASON = Text("原因:{reason}", "reason: {reason}")

IMPORT = Text("导入工具", "Import tools")
IMPORT_HINT = Text(
    "从系统自己的说明(OpenAPI 文档或 MCP 服务器)起草声明。只出草稿:请核对 effect、roles、说明和出处,再放进公司目录。"
    "只从 dazi.toml 的 [services] 里写明的地址取,或用您贴上的文档;要启动命令的 MCP 服务器请用 dazi tool import mcp。",
    "Drafts declarations from what a system says of itself (an OpenAPI document or an MCP server). Drafts "
    "only: look over effect, roles, descriptions and grounded, then put them into the company folder. They are "
    "fetched from addresses that [services] of dazi.toml names, or made of a document that you paste; for an MCP "
    "server that is started by a command use dazi tool import mcp.",
)
FORBIDDEN = Text("导入是给管理员用的。", "Importing is for administrators.")
IMPORT_KIND = Text("从哪里", "From")
IMPORT_KINDS: Mapping[str, Text] = {
    "document": Text("贴上的 OpenAPI 文档", "an OpenAPI document, pasted"),
    "openapi": Text("服务的 OpenAPI 文档", "a service's OpenAPI document"),
    "mcp": Text("MCP 服务器", "an MCP server"),
}
SERVICE = Text("服务名(dazi.toml 的 [services])", "Service, as [services] of dazi.toml names it")
DOCUMENT_PATH = Text("文档的路径", "Path of the document")
DOCUMENT = Text("文档(JSON 或 YAML)", "Document (JSON or YAML)")
ROLES = Text("给哪些角色", "For which roles")
ONLY = Text("只要这些操作(用逗号隔开,不填是全部)", "Only these operations (commas; all if empty)")
DRAFT = Text("起草", "Draft")
DRAFTED = Text("{n} 个工具,跳过 {skipped} 个", "{n} tools, {skipped} skipped")
SKIPPED = Text("跳过的", "Skipped")
COPY = Text("复制", "Copy")
COPIED = Text("已复制", "Copied")
SAVE = Text("下载", "Download")
AFTER = Text(
    "放进公司目录后运行 dazi check,再重启服务。",
    "Once they are in the company folder run dazi check, then restart the service.",
)
DRAFTING = Text("正在起草……", "Drafting…")
WAIT = Text("正在调用……", "Calling…")
