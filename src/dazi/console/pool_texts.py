"""Words of the page about models and their servers."""

from __future__ import annotations

from collections.abc import Mapping

from dazi.core.language import Text

POOL = Text("模型与服务", "Models and servers")
HINT = Text(
    "谁在回答,每个服务怎么样,请求按什么规则去哪里。每几秒更新一次。",
    "Who answers, how each server is, and by which rules requests go where. Renewed every few seconds.",
)
FORBIDDEN = Text("只有管理员能看模型服务的状态。", "Only administrators see the model servers.")
UPDATED = Text("更新于 {time}", "As of {time}")

IN_USE = Text("在用的模型", "The model in use")
NAME = Text("模型", "Model")
VERSION = Text("版本", "Version")
CONTEXT = Text("上下文", "Context")
TOKENS = Text("{n:,} 词元", "{n:,} tokens")
OFFERED = Text("一次最多给几个工具", "Tools offered at most")
TRAITS = Text("特点", "Traits")
BUNDLED = Text("随软件附带的小模型", "the small model that ships with Dazi")
THINKS = Text("会先思考", "thinks first")
VISION = Text("能看图", "sees pictures")
CONCISE = Text("用简短的提示", "short prompts")
REACHED = Text("启动后答过", "Has answered")
EMBEDDED = Text(
    "一个模型,没有服务池。多个服务写在公司目录的 models.yaml。",
    "One model and no pool. Several servers are declared in models.yaml of the company folder.",
)

SERVERS = Text("服务", "Servers")
FILE = Text("来自 {file}", "from {file}")
STATES: Mapping[str, Text] = {
    "up": Text("正常", "up"),
    "unknown": Text("还没查过", "not looked at yet"),
    "down": Text("不通", "down"),
    "resting": Text("熔断,暂停使用", "resting (breaker open)"),
    "busy": Text("忙", "busy"),
    "draining": Text("不再接新请求", "draining"),
}
PLACES: Mapping[str, Text] = {
    "private": Text("公司内", "in the house"),
    "cloud": Text("云", "cloud"),
}
COLUMNS: Mapping[str, Text] = {
    "name": Text("服务", "Server"),
    "state": Text("状态", "State"),
    "model": Text("模型", "Model"),
    "place": Text("在哪里", "Where"),
    "tier": Text("级", "Tier"),
    "under_way": Text("进行中", "Under way"),
    "served": Text("答完", "Served"),
    "failed": Text("失败", "Failed"),
    "moved": Text("转走", "Moved"),
    "cut": Text("中断", "Cut"),
    "first_ms": Text("首词元", "First token"),
    "cached": Text("缓存命中", "Cached"),
    "trouble": Text("最近的错误", "Last error"),
}
RESTS = Text("{s:.0f} 秒后再试", "tried again in {s:.0f} s")
WAITING = Text("{n} 个请求在等位置", "{n} requests wait for a place")
MISTAKE = Text(
    "文件现在的样子不能用,仍按以前的:", "The file as it is now is not used; still as before: "
)
SPENT = Text("今天云端已用 {yuan:.2f} 元", "{yuan:.2f} yuan spent on clouds today")
SPENT_OF = Text(
    "今天云端已用 {yuan:.2f} 元,上限 {most:.2f} 元",
    "{yuan:.2f} of {most:.2f} yuan spent on clouds today",
)

ROUTES = Text("路由,自上而下", "Routes, from the top")
ROUTES_HINT = Text("第一条条件都满足的决定。", "The first whose conditions all hold decides.")
NO_ROUTES = Text("没有写路由:都留在公司内。", "No routes are written: all stays in the house.")
ROUTE = Text("规则", "Rule")
WHEN = Text("条件", "When")
TO = Text("去", "To")
LEAVING = Text("个人信息", "Personal data")
ALWAYS = Text("总是", "always")
LEAVINGS: Mapping[str, Text] = {
    "pseudonymise": Text("换成化名", "pseudonyms"),
    "refuse": Text("不许出去", "may not leave"),
    "as-is": Text("原样", "as it is"),
}
CONDITIONS: Mapping[str, Text] = {
    "labels": Text("内容里有 {value}", "content holds {value}"),
    "roles": Text("角色是 {value}", "role is {value}"),
    "tasks": Text("任务是 {value}", "task is {value}"),
    "results": Text("含有 {value} 的结果", "results of {value}"),
    "load": Text("公司内占用到 {value}", "the house is {value} taken"),
    "tokens": Text("至少 {value} 词元", "at least {value} tokens"),
}

PARTS = Text("还有什么在工作", "What works beside it")
ABSENT = Text("没有", "none")

MODELS = Text("这台机器知道的模型", "Models that this machine knows")
MODELS_HINT = Text(
    "用 dazi model use 名字 选择,用 dazi model add 添加;重启后生效。",
    "Choose one with dazi model use NAME, add one with dazi model add; it counts after a restart.",
)
KIND = Text("类型", "Kind")
PLACE = Text("位置", "Place")
KINDS: Mapping[str, Text] = {
    "local": Text("在本进程里", "in this process"),
    "server": Text("服务", "a server"),
    "files": Text("给服务用的文件", "files for a server"),
}
CHOSEN = Text("选用", "chosen")
