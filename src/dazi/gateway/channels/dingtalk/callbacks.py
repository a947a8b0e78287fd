"""What DingTalk sends: messages to the robot, clicks on cards, events.

After 机器人接收消息, 注册卡片回调地址 and 回调事件消息体加解密 of open.dingtalk.com. A message's
signature covers its time alone, not its body: what keeps the body genuine is TLS, so these callbacks
must come in by HTTPS.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from secrets import token_hex
from typing import Any, NamedTuple

import msgspec

from dazi.core.errors import NotFound
from dazi.gateway.channels.application import APPROVE, REJECT, fresh
from dazi.gateway.channels.dingtalk.config import DingTalkConfig
from dazi.gateway.channels.envelope import Envelope
from dazi.gateway.channels.protocol import (
    Callback,
    Click,
    Forged,
    Incoming,
    Kind,
    Received,
    Reply,
)

FRESH_S = 3600.0
"""The vendor's own bound on the age of a message."""
_ENCRYPT = re.compile(rb'"encrypt"\s*:\s*"([A-Za-z0-9+/=]+)"')
_NOTED = Reply(b"{}", "application/json")


class Callbacks:
    """``clock``: seconds since the epoch."""

    def __init__(self, config: DingTalkConfig, clock: Callable[[], float]) -> None:
        """Raises ``ValueError`` for a key that is none."""
        self._config = config
        self._clock = clock
        self._events = (
            Envelope(config.event_token, config.event_key, config.app_key)
            if config.event_key
            else None
        )

    def read(self, callback: Callback) -> Received:
        """As ``Channel.read``."""
        match callback.part:
            case "" if callback.method == "POST":
                return self._robot_message(callback)
            case "cards" if callback.method == "POST" and self._config.card_secret:
                return self._card_click(callback)
            case "events" if callback.method == "POST" and self._events is not None:
                return self._event(callback, self._events)
        raise NotFound("channel", "没有这个地址", "no such address")

    def _robot_message(self, callback: Callback) -> Received:
        secret, timestamp = self._config.app_secret, callback.headers.get("timestamp", "")
        self._fresh(timestamp)
        _same(secret, f"{timestamp}\n{secret}", callback.headers.get("sign", ""))
        body = _object(callback.body)
        self._for_us(_text(body, "chatbotCorpId"))
        sender = _text(body, "senderStaffId")
        if not sender:  # somebody from another company
            return Received()
        said = _said(body)
        created, ends = body.get("createAt"), body.get("sessionWebhookExpiredTime")
        reply_to = {
            "webhook": _text(body, "sessionWebhook"),
            "until": str(ends / 1000 if isinstance(ends, int) else 0),
        }
        message = Incoming(
            _text(body, "msgId") or hashlib.sha256(callback.body).hexdigest(),
            sender,
            created / 1000 if isinstance(created, int) else self._clock(),
            said.kind,
            said.text,
            _text(body, "conversationId"),
            said.pictures,
            group=_text(body, "conversationType") == "2",
            reply_to=reply_to,
        )
        return Received((message,), _NOTED)

    def _card_click(self, callback: Callback) -> Received:
        timestamp = callback.headers.get("x-ddpaas-signature-timestamp", "")
        at = self._fresh(timestamp)
        signature = callback.headers.get("x-ddpaas-signature", "")
        _same(self._config.card_secret, timestamp, signature)
        body = _object(callback.body)
        self._for_us(_text(body, "corpId"))
        given = body.get("content")
        content = _object(given.encode() if isinstance(given, str) else b"{}")
        private = content.get("cardPrivateData")
        actions = private.get("actionIds") if isinstance(private, dict) else None
        action = actions[0] if isinstance(actions, list) and actions else ""
        task, sender = _text(body, "outTrackId"), _text(body, "userId")
        if action not in (APPROVE, REJECT) or not sender:
            return Received(reply=_NOTED)
        message = Incoming(
            f"card/{task}/{sender}/{action}/{timestamp}",
            sender,
            at,
            "click",
            click=Click(task.partition("@")[0], action == APPROVE),
            reply_to={"task": task},
        )
        return Received((message,), _NOTED)

    def _event(self, callback: Callback, envelope: Envelope) -> Received:
        """Events are understood and acknowledged; none of them means anything here."""
        q = callback.query
        timestamp = q.get("timestamp") or q.get("timeStamp", "")
        self._fresh(timestamp)
        found = _ENCRYPT.findall(callback.body)
        if len(found) != 1:
            raise Forged("envelope")
        signature = q.get("msg_signature") or q.get("signature", "")
        envelope.opened(signature, timestamp, q.get("nonce", ""), found[0].decode())
        now, nonce, sealed = str(int(self._clock() * 1000)), token_hex(8), envelope.seal(b"success")
        answer = {
            "msg_signature": envelope.signature(now, nonce, sealed),
            "timeStamp": now,
            "nonce": nonce,
            "encrypt": sealed,
        }
        return Received(reply=Reply(msgspec.json.encode(answer), "application/json"))

    def _fresh(self, timestamp: str) -> float:
        return fresh(timestamp, self._clock(), FRESH_S, per_second=1000)

    def _for_us(self, corp: str) -> None:
        if self._config.corp_id and corp != self._config.corp_id:
            raise Forged("receiver")


class _Said(NamedTuple):
    kind: Kind
    text: str = ""
    pictures: tuple[str, ...] = ()


def _said(body: Mapping[str, Any]) -> _Said:
    content = body.get("content")
    inside = content if isinstance(content, dict) else {}
    match _text(body, "msgtype"):
        case "text":
            given = body.get("text")
            return _Said("text", _text(given, "content").strip() if isinstance(given, dict) else "")
        case "picture":
            return _Said("text", "", (_text(inside, "downloadCode"),))
        case "richText":
            listed = inside.get("richText")
            parts = [p for p in listed if isinstance(p, dict)] if isinstance(listed, list) else []
            pictures = tuple(c for p in parts if (c := _text(p, "downloadCode")))
            return _Said("text", "".join(_text(p, "text") for p in parts).strip(), pictures)
    return _Said("other")


def _same(secret: str, signed: str, given: str) -> None:
    wanted = b64encode(hmac.digest(secret.encode(), signed.encode(), "sha256"))
    if not hmac.compare_digest(wanted, given.encode("utf-8", "replace")):
        raise Forged("signature")


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        raise Forged("json") from None
    if not isinstance(found, dict):
        raise Forged("json")
    return found


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    return value if isinstance(value, str) else ""
