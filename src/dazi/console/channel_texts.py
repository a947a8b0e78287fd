"""What the page of channels says."""

from __future__ import annotations

from dazi.core.language import Text

CHANNELS = Text("消息渠道", "Channels")
HINT = Text(
    "在企业微信、钉钉里也能问搭子。第一次用要绑定:取一个绑定码,在那边发给搭子:绑定 绑定码。",
    "Dazi answers in WeCom and DingTalk too. To be known there, take a code and send it to Dazi "
    "there: bind CODE.",
)
NONE = Text(
    "没有配置消息渠道。管理员在公司目录的 channels.yaml 里写。",
    "No messaging channels are configured; the administrator writes them in channels.yaml.",
)
BOUND = Text("已绑定", "Bound")
NOT_BOUND = Text("没有绑定", "Not bound")
BY_OPERATOR = Text("由管理员登记", "Entered by the administrator")
CODE = Text("取绑定码", "Take a code")
CODE_SAYS = Text(
    "绑定码 {code},10 分钟内有效,只能用一次。不要给别人:谁发了它,谁就是你。",
    "Code {code}, for ten minutes and once. Give it to nobody: whoever sends it becomes you.",
)
UNBIND = Text("解除绑定", "Unbind")
UNBIND_ASKS = Text("解除以后,那边就不认识你了。", "You will not be known there any more.")
NAMES = {"wecom": Text("企业微信", "WeCom"), "dingtalk": Text("钉钉", "DingTalk")}
