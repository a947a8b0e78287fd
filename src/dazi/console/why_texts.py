"""Words of the panel that tells why an answer is as it is."""

from __future__ import annotations

from collections.abc import Mapping

from dazi.core.language import Text

WHY = Text("为什么这样回答", "Why this answer")
CLOSE = Text("关闭", "Close")
OWN_PAGE = Text("单独打开", "Open as a page")
NOT_FOUND = Text(
    "没有这一轮的记录,或者不是您的。", "There is no record of this turn, or it is not yours."
)
CHAT = Text("回到会话", "Back to the conversation")

RESTS = Text("依据", "What it rests on")
NOTHING = Text("没有查任何系统,也没有引用文档。", "No system was asked and no document quoted.")
APPROVED = Text(
    "预先批准的回答“{name}”,没有用模型。", "The approved answer “{name}”; no model was used."
)
PASSAGE = Text("[{number}] {title}", "[{number}] {title}")
REPLACED = Text(
    "{n} 处没有依据的表述,换成了系统数据。",
    "{n} statements without evidence were replaced by data.",
)

MODEL = Text("模型", "Model")
ANSWERED = Text("由 {model} 回答", "Answered by {model}")
AT_SERVER = Text("在服务 {backend} 上({place})", "at the server {backend} ({place})")
LESSER = Text(
    "较弱的模型顶上来的:合适的服务当时用不了。",
    "A lesser model stood in: no better server could be used.",
)
CHANGED = Text(
    "途中换过服务,先试了 {tried}。", "It went elsewhere on the way; tried first: {tried}."
)
RULE = Text("按路由“{rule}”", "by the route “{rule}”")
LEFT: Mapping[str, Text] = {
    "pseudonymise": Text("个人信息换成了化名才出去", "personal data left as pseudonyms"),
    "as-is": Text("内容原样出去", "content left as it is"),
    "refuse": Text("敏感内容不许出去", "sensitive content may not leave"),
}

GUARD = Text("护栏", "Guard")
LABELS = Text("内容里认出:{labels}", "Found in the content: {labels}")
SIGNALS = Text("{tool} 的结果里有对模型说话的迹象:{labels}({score:.0%})",
               "Signs in the result of {tool} that speak to the model: {labels} ({score:.0%})")  # fmt: skip
CLEAN = Text("没有认出什么。", "Nothing was found.")

CONTEXT = Text("给了模型什么", "What the model was given")
TOOLS_GIVEN = Text("给过的工具:{tools}", "Tools offered: {tools}")
NO_TOOLS = Text("没有", "none")

DECISIONS = Text("决定", "Decisions")
FIGURES = Text("数字", "Figures")
TOKENS = Text("读 {read:,} 词元,写 {written:,} 词元", "{read:,} tokens read, {written:,} written")
TOOK = Text("{s:.1f} 秒", "{s:.1f} s")
COST = Text("{yuan:.4f} 元", "{yuan:.4f} yuan")
AT = Text("{time}", "{time}")
NUMBER = Text("编号 {turn}(和审计记录里的一样)", "number {turn} (as in the audit records)")
UNFINISHED = Text("这一轮没有答完。", "This turn has not come to an end.")
