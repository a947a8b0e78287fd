"""Words of the page about settings."""

from __future__ import annotations

from collections.abc import Mapping

from dazi.core.language import Text

SETTINGS = Text("设置", "Settings")
HINT = Text(
    "现在用的值,和从哪里来。设置是环境变量,在启动时读一次:改的是启动它的环境(服务单元、容器、命令行),改完重启才生效。"
    "这一页不改任何东西。",
    "Values in use, and where each came from. Settings are environment variables that are read once, at the start: "
    "they are changed where the service is started (unit, container, command line), and count after a restart. This "
    "page changes nothing.",
)
FORBIDDEN = Text("设置是给管理员看的。", "Settings are for administrators.")
SOURCES: Mapping[str, Text] = {
    "environment": Text("环境变量", "environment"),
    "option": Text("命令行选项", "command-line option"),
    "default": Text("默认", "default"),
}
SECRET_SET = Text("已设置(不显示)", "set (not shown)")
UNSET = Text("(未设置)", "(unset)")
DEFAULT = Text("默认 {value}", "default {value}")
FILTER = Text("按名字、值或说明找", "Find by name, value or description")
CHANGED_ONLY = Text("只看改过的", "Changed ones only")
NO_MATCH = Text("没有符合的设置。", "No setting fits.")

TRY = Text("试一个值", "Try a value")
TRY_HINT = Text(
    "说出启动时会怎么说,不改任何东西。",
    "Tells what the start would say; nothing is changed.",
)
NAME = Text("设置", "Setting")
VALUE = Text("值", "Value")
CHECK = Text("检查", "Check")
GOOD = Text("可以:{name}={value},重启后生效。", "Fine: {name}={value} would count after a restart.")

FOLDER = Text("公司目录", "Company folder")
FOLDER_HINT = Text(
    "和 dazi check 一样:检查整个目录,说出文件、行号和改法。目录里的改动也要重启才生效。",
    "The same as dazi check: the whole folder, with file, line and mend. Changes in it count after a restart too.",
)
CHECK_FOLDER = Text("检查公司目录", "Check the company folder")
CHECKING = Text("正在检查……", "Checking…")
