"""The routes of sites' pages."""

from __future__ import annotations

from dazi.gateway.accounts.bodies import Done
from dazi.gateway.route_spec import RouteSpec
from dazi.gateway.widget import bodies, handlers
from dazi.gateway.widget.script import script

_SITE = "/v1/widget/{site}"
_ASKED = (400, 401, 403, 404, 413, 429, 503)
_STREAM = {"type": "string", "description": "回答的编号 / of the answer"}
_AFTER = {"type": "integer", "minimum": 0, "default": 0}
_MARK = {
    "type": "string",
    "description": "conversation 给的 mark / the mark that conversation gave",
}

ROUTES: tuple[RouteSpec, ...] = (
    RouteSpec(
        "GET", "/widget.js", script, "网站挂件的脚本 / the script for a company's own site",
        statuses=(), entry="public", files=("text/javascript",),
    ),
    RouteSpec(
        "POST", f"{_SITE}/begin", handlers.begin, "网站的访客进来 / let a visitor of a site in",
        bodies.BegunView, bodies.BeginBody, _ASKED, entry="public", cross_origin=True,
    ),
    RouteSpec(
        "GET", f"{_SITE}/conversation", handlers.conversation,
        "访客的对话 / the visitor's conversation", bodies.ConversationView,
        statuses=(401, 403, 404, 503), entry="visitor", cross_origin=True,
    ),
    RouteSpec(
        "DELETE", f"{_SITE}/conversation", handlers.leave, "开始新对话 / begin anew",
        Done, statuses=(401, 403, 404, 409, 503), entry="visitor", cross_origin=True,
    ),
    RouteSpec(
        "POST", f"{_SITE}/messages", handlers.message, "说一句 / say something",
        bodies.TakenView, bodies.MessageBody, (*_ASKED, 409), entry="visitor", success=202,
        cross_origin=True,
    ),
    RouteSpec(
        "GET", f"{_SITE}/events", handlers.events, "正在生成的回答 / the answer being made",
        statuses=(400, 401, 403, 404, 429, 503), streams=True, entry="visitor",
        cross_origin=True, query={"stream": _STREAM, "after": _AFTER, "mark": _MARK},
    ),
    RouteSpec(
        "POST", f"{_SITE}/stop", handlers.stop, "停止生成 / end the answer", Done,
        statuses=(401, 403, 404, 413, 503), entry="visitor", cross_origin=True,
    ),
    RouteSpec(
        "POST", f"{_SITE}/decision", handlers.decision, "确认或取消自己的操作 / confirm or cancel",
        bodies.TakenView, bodies.DecisionBody, (*_ASKED, 409), entry="visitor", success=202,
        cross_origin=True,
    ),
    RouteSpec(
        "POST", f"{_SITE}/hand-over", handlers.hand_over, "转人工 / ask for a person",
        bodies.ConversationView, bodies.HandOverBody, _ASKED, entry="visitor", cross_origin=True,
    ),
    RouteSpec(
        "POST", f"{_SITE}/rating", handlers.rating, "评价 / rate", bodies.ConversationView,
        bodies.RatingBody, _ASKED, entry="visitor", cross_origin=True,
    ),
    RouteSpec(
        "POST", f"{_SITE}/feedback", handlers.feedback, "对一个回答的评价 / what one says of an answer",
        Done, bodies.ThumbBody, _ASKED, entry="visitor", cross_origin=True,
    ),
)  # fmt: skip
