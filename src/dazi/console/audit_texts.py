"""Words of the pages of the ledger."""

from __future__ import annotations

from collections.abc import Mapping

from dazi.core.language import Text

AUDIT = Text("审计", "Audit")
HINT = Text(
    "账本里的每一条,最新的在前。属于个人的内容打开一条才解密;导出会留下记录。",
    "Every record of the ledger, newest first. What is personal is opened with the record it is in; "
    "an export goes on record.",
)
FORBIDDEN = Text("审计账本是给审计管理员看的。", "The ledger is for audit administrators.")
IN_MEMORY = Text(
    "这里的账本只在内存里(DAZI_AUDIT=memory),没有可看的。",
    "The ledger is in memory only here (DAZI_AUDIT=memory): there is nothing to look at.",
)
LOOK_FOR = Text("找记录", "Look for records")
WORDS = Text("内容里的字", "Words in it")
USER = Text("用户", "User")
KIND = Text("种类", "Kind")
TOOL = Text("工具", "Tool")
OUTCOME = Text("结局", "Outcome")
TURN = Text("轮次", "Turn")
THREAD = Text("会话", "Conversation")
SINCE = Text("从", "From")
UNTIL = Text("到(不含)", "Until, without it")
ANY = Text("全部", "any")
FIND = Text("找", "Find")
CLEAR = Text("清空", "Clear")
NONE = Text("没有符合的记录。", "No record matches.")
NONE_SO_FAR = Text(
    "看了 {n} 条,一直看到第 {seq} 条,没有符合的;可以再往前找。",
    "Looked at {n}, back to record {seq}; none matches so far. Go on further back.",
)
OLDER = Text("更早的", "Older")
GO_ON = Text("再往前找", "Look further back")
NEWEST = Text("回到最新", "Back to the newest")
WRONG_TIME = Text("时间写成 2025-04-03T12:00。", "Write a time as 2025-04-03T12:00.")
EXPORT = Text("导出找到的全部", "Export all that match")
SEALED = Text("内容保持加密", "leave the content sealed")
NUMBER = Text("序号", "Number")
TIME = Text("时间", "Time")
HASH = Text("哈希", "Hash")
PREVIOUS = Text("前一条的哈希", "Hash before")
REPLAY = Text("看这一轮的经过", "See this turn step by step")
SIGNED_IN = Text("成功", "succeeded")
REFUSED = Text("被拒", "refused")
FAILED = Text("失败", "failed")

KINDS: Mapping[str, Text] = {
    "turn": Text("收到消息", "Message"),
    "decision": Text("没有执行", "Not carried out"),
    "call": Text("准许执行", "Carried out"),
    "outcome": Text("结果", "Outcome"),
    "answer": Text("回答", "Answer"),
    "route": Text("选择模型服务", "Model server"),
    "sign_in": Text("登录", "Sign-in"),
    "admin": Text("管理", "Administration"),
    "job": Text("后台任务", "Background job"),
}

VERIFY = Text("核对整本账", "Verify the whole ledger")
VERIFYING = Text("核对到第 {seq} 条,共 {all} 条", "At record {seq} of {all}")
STOP = Text("停止", "Stop")
STOPPED = Text("停在第 {seq} 条,到那里都对得上。", "Stopped at record {seq}; all fits up to there.")
BAD_RECORD = Text("打开第 {seq} 条", "Open record {seq}")

TURN_TITLE = Text("一轮的经过", "A turn, step by step")
NO_TURN = Text("账本里没有这一轮。", "The ledger has no such turn.")
TO_AUDIT = Text("回到审计", "Back to the ledger")
KEYS = Text("← → 或 J K 前后一步,Home、End 到头尾", "← → or J K: a step; Home, End: first, last")
EARLIER_STEP = Text("上一步", "Step back")
LATER_STEP = Text("下一步", "Step forward")
STEP = Text("第 {i} 步,共 {n} 步", "Step {i} of {n}")
BAR = Text("每一步在什么时候", "When each step was")
TOOK = Text("用时", "Took")
TOKENS = Text("词元(读/写)", "Tokens (read / written)")
COST = Text("花费(元)", "Cost (CNY)")
CALLS = Text("调用", "Calls")
RECORDS = Text("记录", "Records")
BEGAN = Text("开始", "Began")

CHAIN = Text("哈希链", "Hash chain")
CHAIN_HINT = Text(
    "每条的哈希覆盖它的内容和前一条的哈希;检查点是对“第 N 条的哈希是 H”的签名。",
    "A record's hash covers its content and the hash before it; a checkpoint is a signature under "
    "“record N has hash H”.",
)
VERIFY_TURN = Text("核对这一轮", "Verify this turn")
FITS = Text("对得上", "fits")
CHANGED = Text("内容被改过", "content was changed")
UNLINKED = Text("接不上前一条", "does not follow the record before")
BEFORE_GONE = Text("前一条已依规删除", "the record before was removed by rule")
PIECE_GOOD = Text(
    "第 {low} 到第 {high} 条:哈希链完整;",
    "Records {low} to {high}: the chain holds; ",
)
SIGNED_BY = Text(
    "第 {seq} 条处的检查点({at},密钥 {key})签名有效。",
    "the checkpoint at record {seq} ({at}, key {key}) is validly signed.",
)
UNSIGNED = Text(
    "后面还没有检查点,所以还没有签名盖住它。",
    "no checkpoint lies behind it yet, so no signature covers it.",
)

MODEL = Text("模型", "Model")
SAID = Text("说的话", "What was said")
ANSWERED = Text("回答", "Answer")
ROLES = Text("角色", "Roles")
CHANNEL = Text("渠道", "Channel")
OFFERED = Text("给模型看的工具", "Tools offered")
CONSIDERED = Text("考虑过的工具", "Tools considered")
GIVEN = Text("给了模型什么", "What the model was given")
FROM = Text("来自", "Came from")
ARGUMENTS = Text("参数", "Arguments")
REPLACED = Text("换掉的句子", "Sentences replaced")
REASON = Text("结束的原因", "Why it ended")
APPROVED_ANSWER = Text("预先批准的回答", "Approved answer")
RESULT = Text("结果的摘要(SHA-256)", "Digest of the result (SHA-256)")
SIGNALS = Text("结果里像在对模型说话的", "What in it speaks to the model")
SCORE = Text("把握", "Score")
SERVER = Text("模型服务", "Model server")
PLACE = Text("在哪里", "Where it is")
RULE = Text("路由", "Route")
LEAVING = Text("个人信息的处理", "Personal data")
FOUND_TYPES = Text("认出的类型", "Types found")
TRIED = Text("试过", "Tried")
TICKET = Text("确认单", "Confirmation")
NOT_READABLE: Mapping[str, Text] = {
    "erased": Text("个人内容已抹除,谁也读不出。", "What was personal has been erased for good."),
    "missing": Text("解密的密钥不在了。", "The key to open it is missing."),
    "damaged": Text("密文损坏,读不出。", "What is sealed is damaged."),
}

GATES_HINT = Text(
    "每个调用按这个顺序过关;账本记下停在哪一关,没停就是都过了。",
    "A call passes these in order. The ledger records where it was stopped; else it passed them all.",
)
GATES = {
    "name": Text("名称", "Name"),
    "schema": Text("参数格式", "Schema"),
    "grounding": Text("出处", "Grounding"),
    "policy": Text("策略", "Policy"),
    "approval": Text("同意", "Approval"),
    "intent": Text("只做一次", "Once only"),
    "outcome": Text("结果", "Outcome"),
}
STATES = {
    "passed": Text("通过", "passed"),
    "stopped": Text("停在这里", "stopped here"),
    "waits": Text("等人", "waits for a person"),
    "needless": Text("不需要", "not needed"),
    "beyond": Text("没有走到", "not reached"),
    "untold": Text("账本没有记", "not recorded"),
}
OWN_WORDS = Text("其余的值都是本人说的", "every other value is the person's own words")
ALL_OWN = Text("值都是本人说的", "every value is the person's own words")
VALUE_FROM = Text("{name} 来自 {sources}", "{name} from {sources}")
AGREED_BY = Text("{by} 同意", "agreed to by {by}")
TURNED_DOWN_BY = Text("{by} 不同意", "turned down by {by}")
WAITS_FOR = Text("等 {role}", "waits for {role}")
REQUESTER = Text("本人", "the requester")
DECIDED_BY = Text("由 {policy} 决定", "decided by {policy}")
STANDS_AT = Text("{policy},现在在 {where}", "{policy}, now at {where}")
READ_ONLY = Text("只读,重复也无妨", "reads only, so a repeat does no harm")
KEY_OF = Text("去重键 {key}", "key {key}")
RESTS = Text("系统暂歇,没有开始", "the system rests; not begun")
