"""What channels say by themselves."""

from __future__ import annotations

from dazi.core.language import Text

BIND = Text(
    "还不知道您是谁,所以这里什么都不能查。{how}绑定后就可以用。",
    "I don't know who you are, so nothing can be looked up here. {how}After that it works.",
)
BIND_BY_CODE = Text(
    "请在网页登录后取一个绑定码{where},再发给我:绑定 绑定码。",
    "Sign in on the web page and take a binding code{where}, then send me: bind CODE. ",
)
AT = Text("({url}/channels)", " ({url}/channels)")
BIND_BY_ADMIN = Text("请联系管理员登记您的账号。", "Ask the administrator to enter your account. ")
BOUND = Text(
    "绑定好了,您现在是 {user}。有什么可以帮您?", "Done: you are {user} now. How can I help?"
)
KNOWN = Text(
    "管理员已经把您登记为 {user},不用绑定;要换成别人请联系管理员。",
    "The administrator has entered you as {user}, so there is nothing to bind; ask them to change it.",
)
BAD_CODE = Text(
    "绑定码不对、用过了或过期了(10 分钟有效)。请重新取一个。",
    "The code is wrong, used or too old (it lasts ten minutes). Take a new one.",
)
TRIED_TOO_OFTEN = Text(
    "绑定码试错太多次,请一小时后再试。", "Too many wrong codes; try again in an hour."
)
NOT_FOR_YOU = Text(
    "您的账号没有在这里使用搭子的权限,请联系管理员。",
    "Your account may not use Dazi here; ask the administrator.",
)
NEW_THREAD = Text(
    "好的,新会话开始了,前面说的不再带上。", "All right, a new conversation begins here."
)
PRIVATELY = Text(
    "群里的回答谁都看得到,请在单聊里找我。",
    "Everybody in a group sees what I answer; write to me directly.",
)
OTHER = Text(
    "这里能读文字和图片;语音、文件、位置等还读不了,请用文字说。",
    "I read words and pictures here; voice, files and places I cannot, so please write.",
)
NO_PICTURE = Text("这张图片没能取到,请用文字说。", "I could not get this picture; please write.")
NO_EYES = Text(
    "现在的模型看不了图片,请用文字说。", "The model in use does not read pictures; please write."
)
PICTURE = Text("请看这张图片。", "Please look at this picture.")
FAILED = Text(
    "处理时出了错,已经记录。请稍后再试,或联系管理员。",
    "Something went wrong and was logged. Try later, or tell the administrator.",
)
DOUBTFUL = Text(
    "(刚才有一段话不知道有没有送到;为免重复没有再发。全文在网页的会话里。)",
    "(It is not known whether one of the messages above arrived; it was not sent again. All of it "
    "is in the conversation on the web page.)",
)
CONFIRM = Text("请确认:{what}", "Please confirm: {what}")
APPROVAL = Text("{user} 申请:{what}", "{user} asks for: {what}")
CONFIRM_NOTE = Text("确认后才会执行。{until} 前有效。", "Done only once confirmed; until {until}.")
UNTRUSTED = Text("注意:{names} 不是本人说的。", "Note: {names} not in the person's own words.")
YES, NO = Text("确认", "Confirm"), Text("取消", "Cancel")
APPROVE, REJECT = Text("批准", "Approve"), Text("驳回", "Reject")
DONE_YES, DONE_NO = Text("已同意", "Agreed"), Text("已拒绝", "Refused")
OVER = Text("已失效", "Over")
EXACT = Text("要执行的内容(完整):", "What will be done, in full:")
TURNED_DOWN = Text("好的,已拒绝,没有执行。", "All right: refused, and not done.")
DECIDED_EARLIER = Text("您的决定已经记下:{state}。", "Your decision stands: {state}.")
GENERATED = Text("(AI 生成,请核实)", "(AI-generated, please verify)")
SOURCES = Text("出处:", "Sources:")
COLON = Text(":", ": ")
TEST = Text(
    "这是搭子的测试消息。收到就说明渠道通了。", "A test from Dazi: if you read this, it works."
)
