"""Words of the pages of API keys, of one's own account, and of limits."""

from __future__ import annotations

from dazi.core.language import Text

KEYS = Text("密钥", "API keys")
HINT = Text(
    "给程序用的密钥。只显示一次,库里只存哈希;它能做的,永远不超过本人此刻能做的。",
    "Keys for programs: shown once, of which a hash is kept. A key may never do more than its owner "
    "may at that moment.",
)
OWN = Text("我的密钥", "My keys")
ALL = Text("全部密钥", "All keys")
NEW = Text("新建密钥", "New key")
NO_ROLE = Text(
    "您的角色不能做密钥(管理员角色不能给密钥)。",
    "None of your roles can be given to a key (administrative ones cannot).",
)
NONE = Text("还没有密钥", "No keys yet")
NAME = Text("名字,例如 夜间报表", "Name, such as nightly report")
OWNER = Text("谁的", "Whose")
ONESELF = Text("{user}(我)", "{user} (me)")
ROLES = Text("只用这些角色(不选就是全部)", "Only these roles (all if none)")
TOOLS = Text("只用这些工具(不选就是全部)", "Only these tools (all if none)")
MODELS = Text("只用这些模型,逗号隔开(不写就是全部)", "Only these models, with commas (all if none)")
CHANNELS = Text("只从这些渠道,例如 api、mcp", "Only through these channels, such as api, mcp")
NETWORKS = Text("只从这些地址或网段,例如 10.1.0.0/16", "Only from these addresses or ranges")
DAYS = Text("有效几天(最多 {most:g})", "Days it lasts (at most {most:g})")
WRONG_DAYS = Text("天数要是数字", "days are a number")
CREATE = Text("新建", "Create")
MADE = Text("密钥“{name}”", "Key “{name}”")
ONCE = Text(
    "只显示这一次,关掉就再也看不到。放进程序的密钥库,不要写进代码。",
    "Shown once: it is gone when this is closed. Put it into the program's secret store, not its "
    "code.",
)
REVOKE = Text("吊销", "Revoke")
REVOKE_ASK = Text(
    "吊销密钥“{name}”({user})?正在用它的对话 5 秒内结束,不能恢复。",
    "Revoke the key “{name}” ({user})? What runs on it ends within 5 seconds; this cannot be undone.",
)
REVOKED_NOW = Text("已吊销", "Revoked")
REVOKED = Text("{at} 由 {by} 吊销", "revoked {at} by {by}")
EXPIRED = Text("已过期", "expired")
STANDS = Text("有效到 {at}", "valid until {at}")
USED = Text("最后一次用 {at}", "last used {at}")
NEVER_USED = Text("没有用过", "never used")
MADE_BY = Text("{by} 做的", "made by {by}")
SCOPE_ROLES = Text("角色", "roles")
SCOPE_TOOLS = Text("工具", "tools")
SCOPE_MODELS = Text("模型", "models")
SCOPE_CHANNELS = Text("渠道", "channels")
SCOPE_NETWORKS = Text("地址", "addresses")
MORE = Text("更早的", "Older")
FIRST = Text("回到最新", "Back to the newest")

ACCOUNT = Text("我的账号", "My account")
PASSWORD = Text("密码", "Password")
OLD = Text("现在的密码", "Present password")
CHANGE = Text("改密码", "Change password")
CHANGE_HINT = Text("改完以后,别处的登录全部结束。", "Sign-ins elsewhere end with the change.")
CHANGED = Text(
    "密码改好了,别处的登录已经结束。", "Password changed; sign-ins elsewhere have ended."
)
ENROLLED = Text("两步验证绑定好了。", "Your second factor is set up.")
ELSEWHERE = Text(
    "您的密码不在这里改:账号来自 {source}。", "Your password is kept elsewhere: {source}."
)
OF_FILE = Text(
    "演示用户写在 dazi.toml 里,密码和两步验证都不在这里改。",
    "Users of dazi.toml have neither password nor second factor here.",
)
FACTOR = Text("两步验证", "Second factor")
HAS_FACTOR = Text(
    "已绑定。换手机或丢了,请安全管理员重置。",
    "It is set up. To change it, ask a security administrator to reset it.",
)
FACTOR_HINT = Text(
    "用验证器应用扫一扫,以后登录除了密码还要 6 位数字。",
    "Scan a code with an authenticator app; signing in then takes its six digits too.",
)
ENROL = Text("绑定两步验证", "Set up a second factor")
CODE = Text("应用里的 6 位数字", "The app's six digits")
CONFIRM = Text("确认", "Confirm")
SESSIONS = Text("我的会话", "My sessions")
END_OTHERS = Text("结束别处的会话", "End the others")
ENDED = Text("结束了 {n} 个会话", "{n} sessions ended")
USAGE = Text("用量和限额", "Usage and limits")
MY_KEYS = Text("看和新建密钥", "See and make keys")
KEYS_N = Text("有效的密钥:{n} 个", "Keys that stand: {n}")

LIMITS = Text("限额", "Limits")
LIMITS_HINT = Text(
    "声明在 {path} 的 [[limits]] 里,只能在那里改;这里看此刻用了多少。",
    "Declared as [[limits]] in {path} and changed there; here is what is used now.",
)
LIMITS_FORBIDDEN = Text("限额是给管理员看的。", "Limits are for administrators.")
NO_LIMITS = Text("没有声明限额。", "No limits are declared.")
RULE = Text("对谁", "For")
WHERE = Text("写在", "Stands at")
UNITS = {
    "requests": Text("每分钟请求", "requests a minute"),
    "tokens": Text("每分钟词元", "tokens a minute"),
    "concurrent": Text("同时请求", "requests at once"),
    "month": Text("本月花费(元)", "this month (CNY)"),
}
PER = {
    "key": Text("每个密钥", "each key"),
    "user": Text("每个用户", "each user"),
    "role": Text("角色", "role"),
    "tenant": Text("每个租户", "each tenant"),
    "channel": Text("每个渠道", "each channel"),
    "all": Text("整个系统", "the whole system"),
}
NOW = Text("此刻", "Now")
WHOSE = Text("谁(用户名)", "Who (user name)")
TENANT = Text("租户", "Tenant")
CHANNEL = Text("渠道", "Channel")
LOOK = Text("看", "Look")
NO_USER = Text("没有用户 {user}。", "There is no user {user}.")
NONE_APPLY = Text("没有限额管到这里。", "No limit applies here.")
USED_OF = Text("{used} / {limit}", "{used} / {limit}")
TODAY = Text("今天用了多少", "Used today")
TODAY_HINT = Text(
    "从账本里数,本机时间零点起,按词元从多到少。",
    "Counted in the ledger since midnight here, most tokens first.",
)
COUNTING = Text("正在数……", "Counting…")
NOTHING_TODAY = Text("今天还没有人用。", "Nothing was used today.")
USER = Text("用户", "User")
MODEL = Text("模型", "Model")
TURNS = Text("轮数", "Turns")
READ = Text("读的词元", "Tokens read")
WRITTEN = Text("写的词元", "Tokens written")
YUAN = Text("花费(元)", "Cost (CNY)")
REST = Text("其余 {n} 行", "{n} more rows")
SUM = Text("合计", "All")
