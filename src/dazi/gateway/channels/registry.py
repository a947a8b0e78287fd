"""Which kinds of channels there are: the one place where a vendor is added.

A kind is a section of ``channels.yaml`` (``config.SECTIONS``) and what makes a ``Channel`` of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

from dazi.core.errors import ConfigError
from dazi.gateway.channels.config import FILE, Declared, DingTalkSection, WeComSection
from dazi.gateway.channels.dingtalk import TEXT_BYTES as DINGTALK_BYTES
from dazi.gateway.channels.dingtalk import DingTalk, DingTalkConfig
from dazi.gateway.channels.protocol import Channel, Limits
from dazi.gateway.channels.wecom import TEXT_BYTES, WeCom, WeComConfig

Secret = Callable[[str], str]
"""What stands where the section's ``NAME_env`` or ``NAME_file`` leads to; empty where it has
neither."""

WECOM_USUAL = Limits(TEXT_BYTES, 30, 1000, 100_000)
"""发送应用消息: 30 a minute and 1,000 an hour to one member, 200 a day for each account that a company
may have: 100,000 for 500."""
DINGTALK_USUAL = Limits(DINGTALK_BYTES, 20)
"""The vendor publishes 20 a minute for a robot in a group, and nothing for single chats."""


def _wecom(declared: Declared, secret: Secret) -> Channel:
    s = cast(WeComSection, declared.section)
    config = WeComConfig(
        declared.name,
        s.corp_id,
        s.agent_id,
        secret("secret"),
        secret("token"),
        secret("aes_key"),
        s.paced(WECOM_USUAL),
        s.api,
        s.authorize,
    )
    return WeCom(config)


def _dingtalk(declared: Declared, secret: Secret) -> Channel:
    s = cast(DingTalkSection, declared.section)
    config = DingTalkConfig(
        declared.name,
        s.app_key,
        secret("app_secret"),
        s.paced(DINGTALK_USUAL),
        s.robot_code,
        s.corp_id,
        s.api,
        s.old_api,
        tuple(s.media),
        s.card_template,
        s.card_route,
        secret("card_secret"),
        secret("event_token"),
        secret("event_key"),
    )
    return DingTalk(config)


KINDS: Mapping[str, Callable[[Declared, Secret], Channel]] = {
    "wecom": _wecom,
    "dingtalk": _dingtalk,
}


def open_channel(declared: Declared, secret: Secret) -> Channel:
    """Raises ``ConfigError`` where a secret is missing or is none."""
    try:
        return KINDS[declared.section.kind](declared, secret)
    except ValueError as e:
        raise ConfigError(
            declared.folder / FILE,
            declared.line,
            f"{declared.name}:{e}",
            f"{declared.name}: {e}",
        ) from None
