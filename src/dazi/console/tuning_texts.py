"""Words of the page about trainings."""

from __future__ import annotations

from dazi.core.language import Text

TUNING = Text("调优", "Tuning")
HINT = Text(
    "dazi tune run 的训练:损失、速度、还要多久。停下会先存盘,再运行同一条命令就接着做。",
    "Trainings of dazi tune run: loss, speed, time left. A stop saves first; the same command goes on.",
)
FORBIDDEN = Text("调优是给管理员看的。", "Tuning is for administrators.")
NONE = Text("还没有训练过。", "Nothing has been trained yet.")
STATES = {
    "running": Text("进行中", "running"),
    "stopped": Text("已停下", "stopped"),
    "done": Text("做完了", "done"),
    "failed": Text("没做完", "not finished"),
}
STEPS = Text("步", "steps")
LOSS = Text("损失", "loss")
HELD = Text("验证损失", "validation loss")
TOKENS = Text("词元/秒", "tokens/s")
LEFT = Text("还要", "left")
SPENT = Text("已用", "spent")
SAMPLES = Text("样本", "samples")
CURVE = Text("{name} 的损失", "Loss of {name}")
STOP = Text("停下", "Stop")
GO_ON = Text("接着做", "Go on")
GOING_ON = Text("接着做了,过一会儿看得到", "It goes on; the first steps take a moment")
CANNOT = Text(
    "接着做不了:配方文件不在了,或者已经在做。在终端里运行 dazi tune run。",
    "It cannot go on: its recipe is gone, or it runs already. Use dazi tune run in a terminal.",
)
STOPPING = Text("已请它存盘并停下", "It was asked to save and stop")
GONE = Text("它没有在运行", "It is not running")
