"""What one application at DingTalk is."""

from __future__ import annotations

from dataclasses import dataclass, field

from dazi.gateway.channels.hosts import DINGTALK_API, DINGTALK_OLD_API
from dazi.gateway.channels.protocol import Limits


@dataclass(frozen=True, slots=True)
class DingTalkConfig:
    """``card_template``: of an interactive card; without one decisions are asked for on an action
    card, whose buttons send a message. ``event_key``: what makes events readable, if they are wanted.
    ``media``: origins that pictures may be taken from."""

    name: str
    app_key: str
    app_secret: str = field(repr=False)
    limits: Limits
    robot_code: str = ""
    corp_id: str = ""
    api: str = DINGTALK_API
    old_api: str = DINGTALK_OLD_API
    media: tuple[str, ...] = ()
    card_template: str = ""
    card_route: str = ""
    card_secret: str = field(default="", repr=False)
    event_token: str = field(default="", repr=False)
    event_key: str = field(default="", repr=False)

    @property
    def robot(self) -> str:
        return self.robot_code or self.app_key
