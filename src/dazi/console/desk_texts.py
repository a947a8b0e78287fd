"""Words of the service desk's pages."""

from __future__ import annotations

from collections.abc import Mapping

from dazi.apps.desk.model import Act
from dazi.core.language import Text

DESK = Text("服务台", "Service desk")
MY_TICKETS = Text("我的工单", "My tickets")
DESK_HINT = Text(
    "先到期的在前;黄色将超时,红色已超时。",
    "What is due first comes first; amber is near its limit, red past it.",
)
MY_HINT = Text("您提过的问题和处理经过。", "What you asked for, and what was done.")
NO_TICKETS = Text("没有工单", "No tickets")
NOT_FOUND = Text("没有这张工单", "No such ticket")
FILTERS: Mapping[str, Text] = {
    "alive": Text("未解决", "Open"),
    "mine": Text("我的", "Mine"),
    "unassigned": Text("没人接", "Unassigned"),
    "done": Text("已结束", "Done"),
}
DUE = Text("{time} 到期", "due {time}")
LATE = Text("超时 {time}", "{time} late")
RESPONSE = Text("首次回复", "First response")
RESOLUTION = Text("解决", "Resolution")
STANDINGS: Mapping[str, Text] = {
    "running": Text("计时中", "running"),
    "warning": Text("将超时", "limit near"),
    "breached": Text("已超时", "limit passed"),
    "paused": Text("暂停", "paused"),
    "met": Text("按时", "kept"),
    "missed": Text("超时完成", "missed"),
    "void": Text("不计", "does not count"),
}
OF_MINUTES = Text("{used} / {limit} 分钟(工作时间)", "{used} / {limit} min of working time")
NOBODY = Text("没人接", "nobody")
ORDERS = Text("订单 {orders}", "orders {orders}")
SUMMARY = Text("摘要", "Summary")
CONVERSATION = Text("对话", "Conversation")
HISTORY = Text("经过", "History")
CUSTOMER = Text("客户", "customer")
ASSISTANT = Text("搭子/客服", "assistant, support")
YOUR_REPLY = Text("写回复、备注或原因……", "Write a reply, a note or a reason…")
WRITE = Text("补充说明……", "Add something…")
SUGGEST = Text("建议回复", "Suggest a reply")
SUGGEST_NONE = Text("没有查到可以建议的内容", "There is nothing to suggest")
FROM = Text("出处:{source}", "from: {source}")
USE = Text("填入,改好后由您发出", "Put in the box; you send it")
CANNED = Text("快捷回复", "Canned reply")
RATE = Text("这次服务怎么样?", "How was the service?")
RATED = Text("谢谢您的评价", "Thank you for rating")
STATISTICS = Text("最近 {days} 天", "The last {days} days")
OPENED = Text("新建", "opened")
RESOLVED = Text("已解决", "resolved")
BACKLOG = Text("未解决", "backlog")
MEDIAN = Text("首次回复中位(分钟)", "median first response (min)")
WITHIN = Text("按时解决", "resolved within limit")
DEFLECTION = Text("无人工解决率", "deflection")
REOPENED = Text("重开率", "reopened")
RATING = Text("满意度", "rating")
BY_WEEK = Text("按周", "By week")
BY_INTENT = Text("按类别", "By category")
DO: Mapping[Act, Text] = {
    "assign": Text("接单", "Take"),
    "reply": Text("回复", "Reply"),
    "ask_customer": Text("回复并等客户", "Reply and wait"),
    "wait_inside": Text("等内部", "Wait inside"),
    "resolve": Text("解决", "Resolve"),
    "hand_back": Text("交还搭子", "Back to the assistant"),
    "note": Text("备注", "Note"),
    "reopen": Text("重新打开", "Reopen"),
    "close": Text("关闭", "Close"),
    "spam": Text("垃圾", "Spam"),
    "customer_wrote": Text("发送", "Send"),
    "hand_over": Text("要人工", "I want a person"),
}
STAFF_ACTS: tuple[Act, ...] = (
    "reply",
    "ask_customer",
    "resolve",
    "assign",
    "wait_inside",
    "hand_back",
    "note",
    "reopen",
    "spam",
)
CUSTOMER_ACTS: tuple[Act, ...] = ("customer_wrote", "hand_over", "reopen", "close")
