"""What the page of background jobs says."""

from __future__ import annotations

from collections.abc import Mapping

from dazi.core.language import Text
from dazi.store.jobs.model import State

JOBS = Text("后台任务", "Background jobs")
HINT = Text(
    "花时间的事在后台做,关掉网页也会继续;服务重启后接着做。这里只有您自己的。",
    "What takes time is done in the background, also when this page is closed, and goes on after a "
    "restart. Only your own are here.",
)
NONE = Text("还没有任务。", "No jobs yet.")
SCHEDULES = Text("定时任务", "Schedules")
NO_SCHEDULES = Text("没有定时任务。", "No schedules.")
EXPORT = Text("导出我的全部会话", "Export all my conversations")
NEW = Text("定时提问", "Ask again and again")
QUESTION = Text(
    "要问的话,如:上个月各地区的销售额", "What to ask, such as: last month's sales by region"
)
WHEN = Text("什么时候", "When")
EVERY_DAY = Text("每天", "every day")
WORKDAYS = Text("每个工作日", "every working day")
EVERY_WEEK = Text("每周一", "every Monday")
EVERY_MONTH = Text("每月 1 日", "on the 1st of each month")
AT = Text("几点", "At")
SAVE_RULE = Text("保存", "Save")
NEXT = Text("下次:{when}", "next: {when}")
OFF = Text("已停用", "off")
SWITCH = Text("启用或停用", "On or off")
CANCEL = Text("取消", "Cancel")
RETRY = Text("重试", "Try again")
REMOVE = Text("删除", "Delete")
REMOVE_ASK = Text(
    "删除“{title}”和它的结果?不能恢复。", "Delete “{title}” with its results? For good."
)
REMOVE_RULE_ASK = Text("删除定时任务“{title}”?", "Delete the schedule “{title}”?")
OPEN_THREAD = Text("打开会话", "Open the conversation")
STOPPING = Text("正在取消…", "stopping…")
LEFT_S = Text("约剩 {n} 秒", "about {n} s left")
LEFT_MIN = Text("约剩 {n} 分钟", "about {n} min left")
TRIES = Text("第 {n} 次", "try {n}")
OLDER = Text("更早的", "Older ones")
WAITS = Text("有一件事等您确认,请打开会话", "something waits for your word: open the conversation")
HOUR = Text("时间应为 时:分,如 08:00", "the time must be hours:minutes, such as 08:00")

STATES: Mapping[State, Text] = {
    "queued": Text("排队", "queued"),
    "running": Text("进行中", "running"),
    "done": Text("完成", "done"),
    "failed": Text("失败", "failed"),
    "cancelled": Text("已取消", "cancelled"),
}
