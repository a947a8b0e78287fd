"""DingTalk (钉钉): a robot of one's own by HTTP callbacks, its events, its cards."""

from dazi.gateway.channels.dingtalk.channel import TEXT_BYTES, DingTalk
from dazi.gateway.channels.dingtalk.config import DingTalkConfig

__all__ = ("TEXT_BYTES", "DingTalk", "DingTalkConfig")
