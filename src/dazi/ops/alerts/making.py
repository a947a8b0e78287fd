"""The senders that routes declare."""

from __future__ import annotations

from collections.abc import Iterable

from dazi.core.language import Text
from dazi.ops.alerts.declare import RouteSpec
from dazi.ops.alerts.mailing import Letter, Mail, Post
from dazi.ops.alerts.notify import Notifier, NotSent
from dazi.ops.alerts.robots import DINGTALK, WECOM, DingTalk, WeCom
from dazi.ops.alerts.webhook import Webhook


class NoPost:
    """Where no mail server is declared."""

    async def hand_over(self, letter: Letter) -> None:
        raise NotSent(
            Text("dazi.toml 里没有 [mail]", "there is no [mail] in dazi.toml"), again=False
        )


def notifiers(routes: Iterable[RouteSpec], post: Post) -> dict[str, Notifier]:
    return {r.name: _notifier(r, post) for r in routes}


def _notifier(r: RouteSpec, post: Post) -> Notifier:
    match r.kind:
        case "mail":
            return Mail(r.to, post)
        case "wecom":
            return WeCom(r.token, r.url or WECOM)
        case "dingtalk":
            return DingTalk(r.token, r.secret, r.url or DINGTALK)
        case _:
            return Webhook(r.name, r.url, r.secret)
