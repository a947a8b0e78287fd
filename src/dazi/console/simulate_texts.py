"""Words of the simulator's page."""

from __future__ import annotations

from dazi.core.language import Text

SIMULATE = Text("模拟", "Simulation")
SIZES = Text("算大小和钱", "Sizes and cost")
HINT = Text(
    "这么多人一个工作日,这样的服务、这样伸缩,会怎样:等多久、拒绝多少、要几份、多少钱。与 dazi plan simulate 一样;"
    "这里至多模拟六万轮,再多就抽样。",
    "How a workday of so many people would go on such servers, scaled so: waits, refusals, replicas, cost. "
    "As dazi plan simulate; here 60,000 turns are simulated at most, beyond that a sample of users.",
)
GO = Text("模拟", "Simulate")
GOING = Text("正在模拟……", "Simulating …")
FAILED = Text(
    "没有模拟成:{why}。数字都对的话,过一会儿再试。",
    "It was not simulated: {why}. If the figures are right, try again in a while.",
)
BUSY = Text("别人正在模拟,请稍候再试", "somebody else is simulating; try again soon")
LATE = Text("太久了,已停止;少一些用户试试", "it took too long and was stopped; try fewer users")
BROKEN = Text("进程出错,已记录", "the process failed, which was logged")
GROUPS = {
    "traffic": Text("谁来用", "Who uses it"),
    "servers": Text("用什么服务", "What serves"),
    "scaling": Text("怎样伸缩", "How it scales"),
    "wanted": Text("答应了什么", "What is promised"),
}
LABELS = {
    "users": Text("多少人", "People"),
    "turns": Text("每人一天几轮", "Turns of one a day"),
    "bursts": Text("扎堆的占几成(0 到 0.95)", "Share that comes in bursts (0 to 0.95)"),
    "read": Text("一轮读多少词元", "Tokens read by a turn"),
    "written": Text("一轮写多少词元", "Tokens written by a turn"),
    "calls": Text("一轮调几次工具", "Tool calls of a turn"),
    "kind": Text("server:vLLM;embedded:进程里", "server: vLLM; embedded: inside"),
    "model": Text("模型(vLLM)", "Model (vLLM)"),
    "precision": Text("精度", "Precision"),
    "gpu": Text("显卡", "Card"),
    "cards": Text("一份几块卡", "Cards of a replica"),
    "cores": Text("一份几个核(embedded)", "Cores of a replica (embedded)"),
    "start": Text("启动要几秒,0 为通常", "Seconds to start; 0: as usual"),
    "policy": Text("策略", "Policy"),
    "replicas": Text("开始几份,0 自动", "Replicas at first; 0: by load"),
    "most": Text("至多几份,0 自动", "Replicas at most; 0: by load"),
    "target": Text("想用到几成", "Share that is to be taken"),
    "schedule": Text("时间表,如 0=1,8.5=4,19=1", "Schedule, as 0=1,8.5=4,19=1"),
    "first": Text("首字几秒内", "First token within, s"),
    "whole": Text("整轮几秒内", "Whole turn within, s"),
}
MISSED = Text("没做到", "Missed")
REFUSED = Text("拒绝", "Refused")
FIRST = Text("首字 p95,秒", "First token p95, s")
WHOLE = Text("整轮 p95,秒", "Whole turn p95, s")
REPLICAS = Text("平均几份", "Replicas in the mean")
COST = Text("一天,元", "A day, yuan")

LOAD = Text("每秒几轮", "Turns a second")
LOAD_HINT = Text(
    "来的、答完的、拒绝的,按来的时刻。", "Come, answered and refused, by when they came."
)
COME = Text("来", "come")
ANSWERED = Text("答", "answered")
SERVERS = Text("几份在服务", "Replicas")
SERVERS_HINT = Text(
    "在服务的;订了的包括还在启动的。", "Those that serve; those ordered, with what still starts."
)
SERVING = Text("在服务", "serving")
ORDERED = Text("订了", "ordered")
LATENCY = Text("等多久,p95(秒)", "Latency, p95 (s)")
LATENCY_HINT = Text(
    "首字和整轮,按来的时刻;虚线是答应的。",
    "First token and whole turn, by when they came; dashed: promised.",
)
TO_FIRST = Text("首字", "first token")
TO_WHOLE = Text("整轮", "whole turn")
BUSY_CHART = Text("忙几成,几个在排队", "Busy, and waiting")
BUSY_HINT = Text("服务忙的时间占几成;在排队的个数。", "Share of the time at work; how many wait.")
BUSY_SHARE = Text("忙", "busy")
WAITING = Text("排队", "waiting")
HOUR = Text("时", "hours")
