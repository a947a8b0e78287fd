"""Every word of the pages, in both languages."""

from __future__ import annotations

from collections.abc import Mapping

from dazi.core.language import Text
from dazi.core.turn import Outcome

BRAND = Text("搭子", "Dazi")
TAGLINE = Text("您的 AI 同事", "Your AI colleague")
SWITCH_LANGUAGE = Text("EN", "中文")
SWITCH_LANGUAGE_HINT = Text("Switch to English", "切换到中文")
DARK = Text("切换深色/浅色", "Dark or light")
TO_CONTENT = Text("跳到正文", "Skip to the content")
MENU = Text("会话列表", "Conversations")
DEMO = Text("演示", "Demo")

CHAT = Text("对话", "Chat")
SIGN_OUT = Text("退出登录", "Sign out")
MORE = Text("还有 {n} 项", "{n} more")

NEW_CHAT = Text("新会话", "New conversation")
NO_CHATS = Text("还没有会话", "No conversations yet")
TODAY = Text("今天", "Today")
YESTERDAY = Text("昨天", "Yesterday")
EARLIER = Text("更早", "Earlier")
SEARCH_CHATS = Text("在会话里找……", "Search conversations…")
FOUND_NO_CHATS = Text("没有找到", "Nothing was found")
SEARCH_GOES_ON = Text("再往前找", "Search further back")
ARCHIVED_CHATS = Text("已归档的会话", "Archived conversations")
NO_ARCHIVED_CHATS = Text("没有归档的会话", "No archived conversations")
ALL_CHATS = Text("回到会话列表", "Back to conversations")
OLDER_CHATS = Text("更多", "More")
CHAT_MENU = Text("这个会话", "This conversation")
RENAME = Text("改标题", "Rename")
NEW_TITLE = Text("标题", "Title")
ARCHIVE = Text("归档", "Archive")
ARCHIVED_NOW = Text(
    "已归档;在“已归档的会话”里还能找到",
    "Archived; it is still there under “Archived conversations”",
)
UNARCHIVE = Text("放回列表", "Put back in the list")
UNARCHIVED_NOW = Text("已放回列表", "Back in the list")
EXPORT_MARKDOWN = Text("导出 Markdown", "Export as Markdown")
EXPORT_JSON = Text("导出 JSON", "Export as JSON")
EXPORT_ALL = Text("导出我的全部会话", "Export all my conversations")
DELETE_CHAT = Text("删除会话", "Delete conversation")
DELETE_CHAT_ASK = Text(
    "删除这个会话?里面说过的话不能恢复(审计记录另行保留)。",
    "Delete this conversation? What was said cannot be restored (the audit keeps its own record).",
)
MEMORY = Text("记住的事", "What is remembered")
MEMORY_HINT = Text(
    "您要搭子一直记住的事,在您以后的每个会话里都用得上;只有您看得到。",
    "What you want remembered, in every later conversation of yours; only you can see it.",
)
REMEMBER = Text(
    "要记住什么?例如:我的发票抬头是云杉商贸", "What to remember? E.g. my invoices go to …"
)
ADD = Text("记住", "Remember")
NO_FACTS = Text("还没有记住什么", "Nothing is remembered yet")
PROPOSED = Text(
    "听您提到过,要记住吗?确认以前不会用",
    "You mentioned these. Remember them? Not used before you confirm.",
)
KEEP = Text("记住", "Remember")
EDIT = Text("修改", "Edit")
FORGET_ASK = Text("忘掉“{fact}”?", "Forget “{fact}”?")
UNTITLED = Text("(无标题)", "(untitled)")
NOT_FOUND = Text("没有这个会话", "No such conversation")
NOT_FOUND_HINT = Text("它不存在,或者不属于您。", "It does not exist, or it is not yours.")
HELLO = Text("您好,{name}", "Hello, {name}")
HELLO_HINT = Text(
    "有什么要查、要办的,直接说;我去公司的系统里做,能做什么以您的权限为准。",
    "Tell me what to look up or get done; I do it in the company's systems, within what you may do.",
)
TRY = Text("试试这样问", "Try asking")
FILL_IN = Text("点一下填入,补充细节后发送", "Fills in the box; add the details and send")

PLACEHOLDER = Text("输入问题……", "Ask anything…")
SEND = Text("发送", "Send")
STOP = Text("停止", "Stop")
BUSY = Text(
    "这条还没答完;等它结束,或先停止。", "Still answering; wait for it to finish, or stop it."
)
TOO_LONG = Text(
    "消息有 {n} 个字符,上限是 {limit};请缩短或分段发送。",
    "The message has {n} characters, the limit is {limit}; shorten or split it.",
)
ADD_PICTURE = Text("加图片", "Add a picture")
REMOVE_PICTURE = Text("去掉这张图片", "Remove this picture")
PICTURE = Text("图片", "picture")
MOST_PICTURES = Text("一条消息最多 {n} 张图片。", "A message has {n} pictures at most.")
UNREADABLE_PICTURE = Text("打不开 {name}。", "{name} cannot be opened.")
EMPTY = Text("消息是空的,请输入内容。", "The message is empty; write something.")
WORKING = Text("正在思考", "Thinking")
CALLING = Text("正在查{system}", "Asking {system}")
THOUGHTS = Text("思考过程", "Reasoning")
STOPPED = Text("已停止。", "Stopped.")
AI_LABEL = Text("AI 生成,请核实", "AI-generated, please verify")
SECONDS = Text("{s} 秒", "{s} s")
REPLACED = Text(
    "{n} 处表述没有依据,已换成系统数据", "{n} unsupported statement(s) replaced by the data itself"
)
CUT_SHORT = Text("太长,未说完", "cut short by the length limit")
CONTEXT = Text("上下文 {n} 词元", "context: {n} tokens")
BACK = Text("取消", "Cancel")
"""Of a dialog: nothing is done."""
SAVE = Text("保存", "Save")
DELETE = Text("删除", "Delete")
UNEXPECTED = Text(
    "出了点问题,请重试;如果一直这样,请联系管理员。",
    "Something went wrong; try again, and tell the administrator if it goes on.",
)

RESULT = Text("查看结果", "Show the result")
ARGUMENTS_NONE = Text("没有参数", "No arguments")
ROWS = Text("共 {n} 条", "{n} rows")
ROWS_SHOWN = Text("共 {n} 条,显示前 {shown} 条", "{n} rows, the first {shown} shown")
NOT_GIVEN = Text("未填写", "not given")
YES = Text("是", "yes")
NO = Text("否", "no")
INTERRUPTED = Text("已中断", "Interrupted")
INTERRUPTED_WRITE = Text("已中断,结果不明,请核实", "Interrupted; check whether it was done")
RUNNING = Text("进行中", "Running")
DECIDED = Text("已处理或已过期", "Decided or expired")
APPROVED = Text("已确认", "Confirmed")
REJECTED = Text("已取消", "Cancelled")
REVIEW = Text("查看并确认", "Review and confirm")
OUTCOMES: Mapping[Outcome, Text] = {
    "ok": Text("完成", "Done"),
    "not_found": Text("没有查到", "Nothing found"),
    "unknown_tool": Text("没有这个工具", "No such tool"),
    "invalid": Text("参数不对", "Wrong arguments"),
    "ungrounded": Text("参数没有出处", "A value without a source"),
    "forbidden": Text("没有权限", "Not allowed"),
    "needs_confirmation": Text("待确认", "Needs confirmation"),
    "rejected": Text("未执行", "Not done"),
    "timeout": Text("超时", "Timed out"),
    "unavailable": Text("系统不可用", "System unavailable"),
    "failed": Text("失败", "Failed"),
    "unknown": Text("结果不明", "Outcome unknown"),
    "client": Text("由调用方执行", "Run by the caller"),
}

FROM = Text("不是本人说的,来自:{sources}", "Not the person's words; from: {sources}")
SOURCES: Mapping[str, Text] = {
    "model": Text("模型自己写的", "written by the model"),
    "tool": Text("系统返回", "a system's answer"),
    "document": Text("文档", "a document"),
    "mail": Text("邮件", "a mail"),
    "web": Text("网页", "a web page"),
}
WAITS_FOR = Text("等{role}审批", "Waits for {role}")
WAITS_NOTE = Text(
    "已提交。{role}批准后自动执行,这一页会更新。",
    "Submitted. It is done as soon as someone who is {role} approves; this page will tell.",
)
APPROVALS = Text("待我审批", "For my approval")
APPROVALS_NONE = Text("没有等待审批的操作", "Nothing waits for approval")
APPROVALS_HINT = Text(
    "别人提出、要由您决定的操作。批准后立即以提出人的身份执行,一字不差。",
    "What others ask for and you decide. Once approved it is done at once, exactly as it stands, "
    "as the person who asked.",
)
ASKED_BY = Text("{user} 提出", "asked for by {user}")
APPROVE = Text("批准", "Approve")
TURN_DOWN = Text("不批准", "Turn down")
REASON = Text("理由(可不填,会告诉提出的人)", "Reason (optional; the requester is told)")
APPROVED_NOW = Text("已批准:{outcome}", "Approved: {outcome}")
TURNED_DOWN_NOW = Text("没有批准,没有执行", "Turned down; not done")

SAID_YES = Text("确认", "Confirmed")
SAID_NO = Text("取消", "Cancelled")

CONFIRM_TITLE = Text("请确认这个操作", "Please confirm this")
CONFIRM_AS = Text("以 {user}({roles})的身份执行", "Done as {user} ({roles})")
CONFIRM_HINT = Text(
    "下面是将要执行的内容,一字不差;确认后立即执行。",
    "This is exactly what will be done, as soon as you confirm.",
)
CONFIRM = Text("确认执行", "Confirm")
CANCEL = Text("取消操作", "Cancel it")
LATER = Text("稍后再说", "Later")
EXPIRES = Text("{time} 内有效", "Valid for {time}")
EXPIRED = Text("已过期,请重新提出", "Expired; please ask again")
HIDDEN_WARNING = Text(
    "注意:内容里有看不见的字符,已标出。", "Careful: it holds invisible characters; they are marked."
)

BUNDLED_LINE = Text(
    "内置小模型:会查系统,不会闲聊 · 了解与升级",
    "Small bundled model: looks things up, no chat · More",
)
BUNDLED_CAN = Text(
    "现在用的是随软件附带的小模型:能听懂常见的问法、调用工具、照着查到的结果回答;"
    "不会闲聊、写作、推理,也不知道公司系统以外的事。",
    "This is the small model that ships with Dazi: it understands common questions, calls tools and "
    "answers from their results. It cannot chat, write, reason, or know anything beyond the "
    "company's systems.",
)
BUNDLED_MORE = Text("要更强的能力,请连接 Qwen3:", "For more, connect Qwen3:")
OR = Text("或", "or")
