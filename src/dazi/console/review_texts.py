"""Words of thumbs below answers, of the review queue, and of gaps in the documents."""

from __future__ import annotations

from dazi.core.language import Text

HELPFUL = Text("这个回答有帮助吗?", "Was this helpful?")
UP = Text("有帮助", "Helpful")
DOWN = Text("没帮助", "Not helpful")
THANKS = Text("谢谢,已记下。", "Thank you; noted.")
BEFORE = Text(
    "您评过这个回答,评的还在;再按一次就收回。",
    "You rated this answer before, and it stands; press once more to take it back.",
)
TAKEN_BACK = Text("已收回。", "Taken back.")
WHY = Text("哪里不好?", "What is wrong?")
COMMENT = Text("说明(可不填)", "A few words, if you like")
CORRECTION = Text("正确的回答应该是(可不填)", "What would have been right, if you know")
CORRECTED = Text("改正", "The correction")
CONSENT = Text(
    "可以用来改进搭子(先去掉个人信息,由人审过)",
    "May be used to improve Dazi (without personal data, reviewed by a person)",
)
SEND = Text("提交", "Send")

REVIEW = Text("从使用中学习", "Learning from use")
HINT = Text(
    "大家对回答的评价、被驳回的调用、改过的草稿。个人信息已换成代称;采纳的会进入数据集,不会自动上线。",
    "What people said of answers, rejected calls, edited drafts. Personal data has stand-ins; what is "
    "accepted goes into a dataset, and nothing goes into use by itself.",
)
FORBIDDEN = Text("反馈由管理员审。", "Administrators review feedback.")
QUEUE = Text("反馈", "Feedback")
GAPS = Text("文档缺口", "Gaps in documents")
SHOW = Text("看哪些", "Which")
NONE = Text("没有。", "There are none.")
NOT_FOUND = Text("没有这条反馈。", "There is no such feedback.")
BACK = Text("回到列表", "Back to the list")
NO_CONSENT = Text("没有同意用于训练", "no consent to training")
AGREED = Text("同意用于训练", "consent to training")
BY_COMPANY = Text("按公司规定可用", "usable by the company's rules")
SOMEBODY = Text("某人 {mark}", "somebody {mark}")
SAID = Text("说的话", "What was said")
ANSWER = Text("回答", "Answer")
CALLS = Text("调用与结果", "Calls and results")
FEEDBACK = Text("反馈", "Feedback")
DRAFT = Text("草稿与发出的", "The draft and what was sent")
RIGHT = Text("正确的参数", "What the arguments should have been")
SAMPLE = Text("拟用的样本", "Proposed sample")
SAMPLE_HINT = Text(
    "可以改:消息逐条列出,以助手的回答或调用结尾。调用写成 JSON。",
    "Edit as needed: one message after the other, ending with the assistant's answer or call. Calls are JSON.",
)
TO_WRITE = Text(
    "没有人写明正确的回答。采纳之前请补上最后一条。",
    "Nobody said what would have been right. Write the last message before accepting.",
)
ROLES = {
    "user": Text("用户", "User"),
    "assistant": Text("助手", "Assistant"),
    "tool": Text("工具结果", "Tool result"),
    "system": Text("系统", "System"),
}
CALLS_JSON = Text("调用(JSON)", "Calls (JSON)")
ACCEPT = Text("采纳", "Accept")
REFUSE = Text("不采纳", "Refuse")
PRIVATE = Text("不用于训练", "Keep out of training")
WHY_NOT = Text("为什么不采纳", "Why not")
DONE = Text("已记下:{state}", "Noted: {state}")
DECIDED = Text("{state},{when},{who}", "{state}, {when}, {who}")
IN_DATASET = Text("已进入数据集 {name}", "in the dataset {name}")
WRONG_CALLS = Text("调用写得不是 JSON 列表", "the calls are no JSON list")

GAPS_HINT = Text(
    "问了没答上的,按意思归在一起。补了文档就关掉它,再查一遍看是不是答得上了。",
    "What was asked and not answered, grouped by meaning. Close a gap with a document, and see whether "
    "its questions are answered now.",
)
GAPS_FORBIDDEN = Text(
    "缺口给管理员和管理文档的人看。",
    "Gaps are for administrators and those who look after documents.",
)
NO_GAPS = Text("这几周没有没答上的问题。", "Nothing was left unanswered these weeks.")
COUNTED = Text("{n} 次,{people} 人", "{n} times, {people} people")
BY_WEEK = Text("每周次数(左边最早):{weeks}", "By week, earliest first: {weeks}")
COLLECTIONS = Text("最近的文档来源:{names}", "Nearest sources of documents: {names}")
NO_COLLECTION = Text("没有相近的文档", "no document near")
NOTICED = Text("怎样发现的:{whys}", "Noticed by: {whys}")
EXAMPLES = Text("问过的话", "What was asked")
SUGGESTED = Text("建议写一份《{title}》", "A document to write: “{title}”")
ASK = Text("可以问:{who}", "Ask: {who}")
DOCUMENT = Text("文档编号", "Number of the document")
CLOSE = Text("用它补上", "Close with it")
CLOSED = Text("已用文档 {document} 补上", "Closed with the document {document}")
MEASURED = Text(
    "再查一遍:{asked} 个问题里 {answered} 个答得上({when})",
    "Searched again: of {asked} questions {answered} are answered ({when})",
)
SINCE = Text("补上之后又问了 {n} 次", "Asked {n} times since")
AGAIN = Text("再查一遍", "Search again")
REOPEN = Text("重新打开", "Open again")
EDIT_RIGHT = Text("驳回时写明正确的参数(可不填)", "What would have been right, when rejecting")
