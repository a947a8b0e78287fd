"""Words of the pages of experiments."""

from __future__ import annotations

from dazi.core.language import Text
from dazi.ops.experiments.model import State

EXPERIMENTS = Text("实验", "Experiments")
HINT = Text(
    "把提示词版本、模型、适配器或工具说明给一部分人用,看差别。随时可以看、随时可以停,不会因为看得勤而误判。",
    "Give a prompt version, a model, an adapter or descriptions of tools to some, and see what differs. Look and stop "
    "whenever you like: looking often does not make it wrong.",
)
FORBIDDEN = Text("实验是给管理员看的。", "Experiments are for administrators.")
READ_ONLY = Text(
    "您可以看;要有系统管理员(sysadmin)的权限才能开始和停。",
    "You may look; starting and stopping takes a system administrator (sysadmin).",
)
NONE = Text(
    "还没有实验。用 dazi experiments create 或接口新建,见文档。",
    "There are no experiments. Make one with dazi experiments create or the API; see the documents.",
)
NOT_FOUND = Text("没有这个实验。", "There is no such experiment.")
STATES: dict[State, Text] = {
    "draft": Text("草稿", "draft"),
    "running": Text("进行中", "running"),
    "paused": Text("暂停", "paused"),
    "stopped": Text("已停", "stopped"),
    "promoted": Text("已推广", "promoted"),
}
CHIPS: dict[State, str] = {
    "draft": "quiet",
    "running": "good",
    "paused": "wait",
    "stopped": "quiet",
    "promoted": "good",
}
UNIT = {
    "user": Text("按用户分", "by user"),
    "tenant": Text("按租户分", "by tenant"),
    "thread": Text("按会话分", "by thread"),
}
ABOUT = Text(
    "{unit};看{metric};窗口 {window:g} 小时;留出 {holdout:.0%}",
    "{unit}; decided by {metric}; window of {window:g} h; {holdout:.0%} held out",
)
ARMS = Text("各组", "Arms")
ARM = Text("组", "Arm")
MADE_OF = Text("用什么", "Made of")
SHARE = Text("份额", "Share")
SUBJECTS = Text("对象", "Subjects")
COUNTED = Text("计入", "Counted")
TURNS = Text("回合", "Turns")
MEAN = Text("{metric}", "{metric}")
PROMPT = Text("提示词版本 {n}", "prompt version {n}")
CURRENT = Text("在用的提示词", "the prompt in use")
MODEL = Text("模型 {m}", "model {m}")
FIRST = Text("{name}(作比较的)", "{name} (compared with)")
STOPPED = Text("{name}(已停)", "{name} (stopped)")
COURSE = Text("差别的区间", "What the difference lies between")
COURSE_OF = Text("{arm}:{metric}(和第一组的差)", "{arm}: {metric} (less the first arm)")
COURSE_HINT = Text(
    "真实的差一直在带子里的把握是 {sure:.1%};带子整个离开 0 才算有差别。横轴是两组一共多少对象。",
    "With {sure:.1%} confidence the true difference is in the band all along; there is one once the band leaves 0. "
    "Across: subjects of both arms.",
)
ESTIMATE = Text("估计", "estimate")
LOWER = Text("下界", "lower")
UPPER = Text("上界", "upper")
BAND = Text("区间宽", "width of the band")
NOT_YET = Text(
    "两组各满 {least} 个对象才开始画。", "It is drawn from {least} subjects in each arm on."
)
GUARDRAILS = Text("护栏", "Guardrails")
GUARDRAIL = Text(
    "{metric}比第一组差超过 {margin} 就停那一组",
    "an arm whose {metric} is worse by more than {margin} is stopped",
)
RAMP = Text("份额计划", "Planned shares")
STEP = Text("第 {hours:g} 小时起:{shares}", "from hour {hours:g}: {shares}")
LOG = Text("经过", "What was done")
BY_ITSELF = Text("自动", "by itself")
ACTS = {
    "create": Text("新建", "made"),
    "start": Text("开始", "begun"),
    "pause": Text("暂停", "paused"),
    "resume": Text("继续", "gone on"),
    "shares": Text("改份额", "shares set"),
    "ramp": Text("按计划改份额", "shares as planned"),
    "guardrail": Text("护栏停了一组", "an arm stopped by a guardrail"),
    "stop_arm": Text("停了一组", "an arm stopped"),
    "stop": Text("停止", "stopped"),
    "promote": Text("推广", "promoted"),
}
DO = {
    "start": Text("开始", "Start"),
    "pause": Text("暂停", "Pause"),
    "resume": Text("继续", "Go on"),
    "stop": Text("停止", "Stop"),
    "stop_arm": Text("停掉 {arm}", "Stop {arm}"),
    "promote": Text("推广 {arm}", "Promote {arm}"),
    "shares": Text("改份额", "Set shares"),
}
ASK = {
    "start": Text(
        "开始这个实验?从下一句话起,分到的人就用上。",
        "Start it? From their next message on, people are answered by their arm.",
    ),
    "pause": Text(
        "暂停?所有人照常,期间不计数。",
        "Pause it? Everybody is answered as ever, and nothing is counted.",
    ),
    "resume": Text("继续?", "Go on?"),
    "stop": Text(
        "停止?不能再开始;结果留着。", "Stop it? It cannot be started again; what it found stays."
    ),
    "stop_arm": Text("停掉 {arm}?不能再开。", "Stop {arm}? Nobody comes to it again."),
    "promote": Text("把 {arm} 推广给所有人?", "Give {arm} to everybody?"),
    "shares": Text("份额改成 {shares}?份额只能变大。", "Set shares to {shares}? They only grow."),
}
DONE = Text("好了。", "Done.")
SHARE_OF = Text("{arm} 的份额(%)", "Share of {arm} (%)")
NOT_NUMBER = Text("份额要是 0 到 100 的数", "shares are numbers from 0 to 100")
