"""Words of the pages of accounts."""

from __future__ import annotations

from collections.abc import Mapping

from dazi.access.duties import SEPARATED
from dazi.core.language import Text

PEOPLE = Text("用户", "Users")
HINT = Text(
    "账号和角色。每件事先写进审计账本再做;写在 dazi.toml 里的用户只能在那里改。",
    "Accounts and roles. Each act goes on record before it is done; users of dazi.toml are changed "
    "there and not here.",
)
FORBIDDEN = Text(
    "用户是给系统管理员和安全管理员管的。", "Users are for system and security administrators."
)
LOOK_FOR = Text("找用户", "Look for users")
WORDS = Text("用户名、姓名、部门、属性", "Name, department, attribute")
ROLE = Text("角色", "Role")
STATE = Text("状态", "State")
SORT = Text("排序", "Sorted by")
ANY = Text("全部", "any")
FIND = Text("找", "Find")
STATES: Mapping[str, Text] = {
    "active": Text("可以登录", "active"),
    "disabled": Text("已停用", "disabled"),
    "service": Text("服务账号", "services"),
    "local": Text("在这里建的", "made here"),
    "file": Text("写在 dazi.toml 里的", "of dazi.toml"),
    "outside": Text("来自目录或统一登录", "of a directory outside"),
}
SORTS: Mapping[str, Text] = {
    "user": Text("用户名", "user name"),
    "name": Text("姓名", "name"),
    "department": Text("部门", "department"),
    "newest": Text("最新的在前", "newest first"),
}
FOUND = Text("{n:,} 个用户", "{n:,} users")
NONE = Text("没有这样的用户。", "No such user.")
MORE = Text("后面的 {n} 个", "The next {n}")
FIRST = Text("回到开头", "Back to the beginning")
NEW = Text("新建账号", "New account")
REQUESTS = Text("角色申请", "Requests for roles")
REQUESTS_N = Text("角色申请({n})", "Requests for roles ({n})")
TO_PEOPLE = Text("回到用户", "Back to users")
NO_USER = Text("没有这个用户。", "There is no such user.")
DISABLED = Text("已停用", "disabled")
SERVICE = Text("服务账号", "service account")
OF_FILE = Text("写在 dazi.toml 里", "of dazi.toml")
FILE_HINT = Text(
    "这个用户写在 {path}:{line},只能在那里改;演示用户只能在本机用。",
    "This user stands at {path}:{line} and is changed there; users of the file are for this machine "
    "only.",
)
LOCKED = Text("密码错得太多,锁到 {at}", "locked until {at} after wrong passwords")
CODE_LOCKED = Text("验证码错得太多,锁到 {at}", "locked until {at} after wrong codes")

USER = Text("用户名", "User name")
NAME = Text("姓名", "Name in Chinese")
NAME_EN = Text("英文名", "Name in English")
DEPARTMENT = Text("部门", "Department")
ATTRIBUTES = Text("身份属性,一行一个:键=值", "Attributes, a line each: KEY=VALUE")
ATTRIBUTES_SHORT = Text("身份属性", "Attributes")
WANTED_ROLES = Text("申请的角色(由安全管理员确认)", "Roles to ask for (another confirms them)")
IS_SERVICE = Text("服务账号:没有密码,只用密钥", "A service: no password, keys only")
SOURCE = Text("来源", "Source")
CREATED = Text("建立", "Made")
SECOND_FACTOR = Text("两步验证", "Second factor")
HAS = Text("已绑定", "set up")
HAS_NOT = Text("没有", "none")
CREATE = Text("新建", "Create")
CREATED_NOW = Text("{user} 的一次性密码", "One-time password of {user}")
MADE_SERVICE = Text("已建立服务账号 {user}", "The service account {user} is made")
ASKED_NOW = Text(
    "申请已提交,等另一位管理员确认。", "Asked for; another administrator has to confirm it."
)
DONE = Text("好了", "Done")

EDIT = Text("修改", "Edit")
DISABLE = Text("停用", "Disable")
DISABLE_ASK = Text(
    "停用 {user}?会话立即结束,密钥停止使用。", "Disable {user}? Sessions end and keys stop to work."
)
ENABLE = Text("启用", "Enable")
DELETE = Text("删除账号", "Delete account")
DELETE_ASK = Text(
    "删除 {user}?账号、密码、密钥都没有了,用户名不再给别人。",
    "Delete {user}? Account, password and keys are gone, and nobody else gets the name.",
)
RESET = Text("重置密码", "Reset password")
RESET_ASK = Text(
    "给 {user} 换一个一次性密码?原来的密码和会话全部作废。",
    "Give {user} a one-time password? The old one and all sessions end.",
)
UNLOCK = Text("解锁", "Unlock")
RESET_FACTOR = Text("重置两步验证", "Reset second factor")
RESET_FACTOR_ASK = Text(
    "重置 {user} 的两步验证?下次登录要重新绑定。",
    "Reset the second factor of {user}? It is set up anew at the next sign-in.",
)
END_ALL = Text("结束全部会话", "End all sessions")
SESSIONS = Text("会话", "Sessions")
NO_SESSIONS = Text("没有登录的会话", "No sessions")
SESSION = Text(
    "{channel},{address},{began} 登录,{seen} 最后一次操作",
    "{channel}, {address}, since {began}, last seen {seen}",
)
END = Text("结束", "End")
THIS_ONE = Text("就是这里", "this one")

ROLES = Text("角色", "Roles")
NO_ROLES = Text("没有角色", "No roles")
CHANGE_ROLES = Text("改角色", "Change roles")
ASK_ROLES = Text("申请改角色", "Ask for other roles")
CHANGE_HINT = Text(
    "普通角色马上生效,会话结束;三个管理员角色要另一位管理员确认。",
    "Ordinary roles change at once, and sessions end; the three administrative ones wait for another "
    "administrator.",
)
ASK_HINT = Text("您可以提出,由安全管理员确认。", "You may ask; a security administrator confirms.")
MAY_USE = Text("可以用的工具", "Tools they may use")
MAY_NOTHING = Text("什么工具也不能用", "No tools")
GAINS = Text("会多出:{tools}", "Gains: {tools}")
LOSES = Text("会失去:{tools}", "Loses: {tools}")
NO_CHANGE = Text("能用的工具不变", "The same tools as before")
ADMINISTRATIVE = Text("管理员角色", "administrative")

REQUESTS_HINT = Text(
    "提出的人和当事人都不能自己确认(四眼原则);两个人里要有一位安全管理员。7 天没有人理,就作废。",
    "Neither whoever asked nor whom it is about confirms it (four eyes), and one of the two is a "
    "security administrator. After seven days it lapses.",
)
NO_REQUESTS = Text("没有等待确认的申请", "No requests are waiting")
ASKS_GIVE = Text("{requester} 要给 {user}:{roles}", "{requester} asks to give {user}: {roles}")
ASKS_TAKE = Text(
    "{requester} 要从 {user} 收回:{roles}", "{requester} asks to take from {user}: {roles}"
)
NOW_THEN = Text("现在 {now},之后 {then}", "Now {now}; then {then}")
ASKED_AT = Text("{at} 提出,{until} 作废", "Asked for {at}, lapses {until}")
APPROVE = Text("批准", "Approve")
REJECT = Text("不批准", "Reject")
TAKE_BACK = Text("撤回", "Take back")
NOT_YOU = Text("要另一位管理员确认。", "Another administrator has to confirm this.")
APPROVED = Text("已批准,{user} 的会话已结束。", "Approved; the sessions of {user} have ended.")
REJECTED = Text("没有批准", "Rejected")

DUTY_NAMES: Mapping[str, Text] = {
    "sysadmin": Text("系统管理员", "system administrator"),
    "secadmin": Text("安全管理员", "security administrator"),
    "auditadmin": Text("审计管理员", "audit administrator"),
}
assert set(DUTY_NAMES) == SEPARATED
