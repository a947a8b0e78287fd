"""DingTalk (钉钉): a robot of one's own by HTTP callbacks, its events, its cards.

After 机器人接收消息, 批量发送单聊消息, 注册卡片回调地址 and 回调事件消息体加解密 of
open.dingtalk.com. A message's signature covers its time alone, not its body: what keeps the body
genuine is TLS, so these callbacks must come in by HTTPS.
"""

from __future__ import annotations

import hashlib
import hmac
import json as text_json
import re
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any
from urllib.parse import quote

import msgspec
from yarl import URL

from dazi.core.errors import NotFound
from dazi.core.messages import Image
from dazi.gateway.channels.envelope import Envelope
from dazi.gateway.channels.hosts import DINGTALK_API, DINGTALK_OLD_API
from dazi.gateway.channels.protocol import (
    Address,
    Callback,
    Card,
    Click,
    Forged,
    Incoming,
    Limits,
    Part,
    Received,
    Reply,
    Uncertain,
    Undelivered,
)
from dazi.gateway.channels.vendor import Answer, Token, Tokens, Vendor
from dazi.gateway.images import LARGEST, image_of

FRESH_S = 3600.0
"""The vendor's own bound on the age of a message."""
WEBHOOK_MARGIN_S = 30.0
MENDED_S = 60.0
"""After a refusal of the application itself somebody may have mended it by then."""
TEXT_BYTES = 6000
"""The vendor names 20,000 bytes for a message body; the characters of ours are JSON in JSON."""
CARD_CHARS = 500
"""What the vendor advises for the text of a card."""
APPROVE, REJECT = "approve", "reject"
_ENCRYPT = re.compile(rb'"encrypt"\s*:\s*"([A-Za-z0-9+/=]+)"')
_THROTTLED = re.compile(r"(?i)throttl|qps|toofast|too\.fast|limit")


@dataclass(frozen=True, slots=True)
class DingTalkConfig:
    """``card_template``: of an interactive card; without one decisions are asked for on an action
    card, whose buttons send a message. ``events``: what makes events readable, if they are wanted.
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


class DingTalk:
    """``clock``: seconds since the epoch."""

    def __init__(self, config: DingTalkConfig, clock: Callable[[], float] = time.time) -> None:
        """Raises ``ValueError`` for a key or an address that is none."""
        self.config = config
        self._clock = clock
        self._robot = config.robot_code or config.app_key
        self._events = (
            Envelope(config.event_token, config.event_key, config.app_key)
            if config.event_key
            else None
        )
        self._vendor = Vendor(config.api, config.old_api, *config.media)
        self._tokens = Tokens(self._fetch_token)

    @property
    def name(self) -> str:
        return self.config.name

    @property
    def limits(self) -> Limits:
        return self.config.limits

    # --- what comes in -----------------------------------------------------------------------------

    def read(self, callback: Callback) -> Received:
        match callback.part:
            case "" if callback.method == "POST":
                return self._robot_message(callback)
            case "cards" if callback.method == "POST" and self.config.card_secret:
                return self._card_click(callback)
            case "events" if callback.method == "POST" and self._events is not None:
                return self._event(callback, self._events)
        raise NotFound("channel", "没有这个地址", "no such address")

    def _robot_message(self, callback: Callback) -> Received:
        secret, timestamp = self.config.app_secret, self._fresh(callback, "timestamp")
        wanted = hmac.digest(secret.encode(), f"{timestamp}\n{secret}".encode(), "sha256")
        _same(b64encode(wanted), callback.headers.get("sign", ""))
        body = _object(callback.body)
        if self.config.corp_id and _text(body, "chatbotCorpId") != self.config.corp_id:
            raise Forged("receiver")
        sender = _text(body, "senderStaffId")
        if not sender:  # somebody from another company
            return Received()
        content, kind = body.get("content"), _text(body, "msgtype")
        inside = content if isinstance(content, dict) else {}
        pictures: tuple[str, ...] = ()
        text = ""
        if kind == "text":
            given = body.get("text")
            text = _text(given, "content").strip() if isinstance(given, dict) else ""
        elif kind == "picture":
            pictures = (_text(inside, "downloadCode"),)
        elif kind == "richText":
            listed = inside.get("richText")
            parts = [p for p in listed if isinstance(p, dict)] if isinstance(listed, list) else []
            text = "".join(_text(p, "text") for p in parts).strip()
            pictures = tuple(c for p in parts if (c := _text(p, "downloadCode")))
        ends = body.get("sessionWebhookExpiredTime")
        reply_to = {
            "webhook": _text(body, "sessionWebhook"),
            "until": str(ends / 1000 if isinstance(ends, int) else 0),
        }
        created = body.get("createAt")
        known: Any = "text" if kind in ("text", "picture", "richText") else "other"
        message = Incoming(
            _text(body, "msgId") or hashlib.sha256(callback.body).hexdigest(),
            sender,
            created / 1000 if isinstance(created, int) else self._clock(),
            known,
            text,
            _text(body, "conversationId"),
            pictures,
            group=_text(body, "conversationType") == "2",
            reply_to=reply_to,
        )
        return Received((message,), Reply(b"{}", "application/json"))

    def _card_click(self, callback: Callback) -> Received:
        timestamp = self._fresh(callback, "x-ddpaas-signature-timestamp")
        wanted = hmac.digest(self.config.card_secret.encode(), timestamp.encode(), "sha256")
        _same(b64encode(wanted), callback.headers.get("x-ddpaas-signature", ""))
        body = _object(callback.body)
        if self.config.corp_id and _text(body, "corpId") != self.config.corp_id:
            raise Forged("receiver")
        given = body.get("content")
        content = _object(given.encode() if isinstance(given, str) else b"{}")
        private = content.get("cardPrivateData")
        actions = private.get("actionIds") if isinstance(private, dict) else None
        action = actions[0] if isinstance(actions, list) and actions else ""
        task, sender = _text(body, "outTrackId"), _text(body, "userId")
        if action not in (APPROVE, REJECT) or not sender:
            return Received(reply=Reply(b"{}", "application/json"))
        message = Incoming(
            f"card/{task}/{sender}/{action}/{timestamp}",
            sender,
            int(timestamp) / 1000,
            "click",
            click=Click(task.partition("@")[0], action == APPROVE),
            reply_to={"task": task},
        )
        return Received((message,), Reply(b"{}", "application/json"))

    def _event(self, callback: Callback, envelope: Envelope) -> Received:
        """Events are understood and acknowledged; none of them means anything here."""
        q = callback.query
        timestamp = q.get("timestamp") or q.get("timeStamp", "")
        if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 15):
            raise Forged("timestamp")
        if abs(self._clock() - int(timestamp) / 1000) > FRESH_S:
            raise Forged("age")
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

    def _fresh(self, callback: Callback, header: str) -> str:
        """The time in milliseconds that the callback says it is from."""
        text = callback.headers.get(header, "")
        if not (text.isascii() and text.isdigit() and len(text) < 15):
            raise Forged("timestamp")
        if abs(self._clock() - int(text) / 1000) > FRESH_S:
            raise Forged("age")
        return text

    def passive(self, message: Incoming, text: str) -> Reply | None:
        return None

    # --- what goes out -----------------------------------------------------------------------------

    def shows_all(self, card: Card) -> bool:
        return len(card.text) <= CARD_CHARS

    async def send(self, to: Address, part: Part) -> None:
        if part.settles:
            await self._settle(part)
        elif part.card is not None and self.config.card_template:
            await self._deliver(to, part.card)
        elif part.card is not None:
            await self._send_by_api(to, "sampleActionCard2", _action_card(part.card))
        elif self._webhook_lives(to):
            await self._send_by_webhook(to, part.text)
        else:
            await self._send_by_api(to, "sampleText", {"content": part.text})

    def _webhook_lives(self, to: Address) -> bool:
        url = to.reply_to.get("webhook", "")
        return bool(url) and float(to.reply_to.get("until") or 0) > self._clock() + WEBHOOK_MARGIN_S

    async def _send_by_webhook(self, to: Address, text: str) -> None:
        body = {"msgtype": "text", "text": {"content": text}}
        answer = await self._vendor.request("POST", to.reply_to["webhook"], json=body)
        if answer.status != 200:
            raise _refused(answer)
        code = answer.json.get("errcode", 0)
        if code:
            wait = 60.0 if code in (130101, 410100) else None
            raise Undelivered(f"errcode_{code}", f"errcode {code}", wait)

    async def _send_by_api(self, to: Address, key: str, parameters: Mapping[str, Any]) -> None:
        body = {
            "robotCode": self._robot,
            "userIds": [to.user],
            "msgKey": key,
            "msgParam": text_json.dumps(parameters, ensure_ascii=False),
        }
        found = (await self._call("POST", "/v1.0/robot/oToMessages/batchSend", body)).json
        if found.get("invalidStaffIdList"):
            raise Undelivered("invalid_user", "the vendor does not reach this person", None)
        if found.get("flowControlledStaffIdList"):
            raise Undelivered("too_many", "flow control", 2.0)

    async def _deliver(self, to: Address, card: Card) -> None:
        body = {
            "cardTemplateId": self.config.card_template,
            "outTrackId": card.task,
            "callbackType": "HTTP",
            "callbackRouteKey": self.config.card_route,
            "cardData": {"cardParamMap": {"title": card.title, "text": card.text, "state": "open"}},
            "openSpaceId": f"dtv1.card//IM_ROBOT.{to.user}",
            "imRobotOpenSpaceModel": {"supportForward": False},
            "imRobotOpenDeliverModel": {"spaceType": "IM_ROBOT", "robotCode": self._robot},
            "userIdType": 1,
        }
        await self._call("POST", "/v1.0/card/instances/createAndDeliver", body)

    async def _settle(self, part: Part) -> None:
        if self.config.card_template:
            body = {
                "outTrackId": part.settles,
                "cardData": {"cardParamMap": {"state": part.text}},
                "cardUpdateOptions": {"updateCardDataByKey": True},
            }
            await self._call("PUT", "/v1.0/card/instances", body)

    async def picture(self, name: str) -> Image:
        body = {"downloadCode": name, "robotCode": self._robot}
        found = (await self._call("POST", "/v1.0/robot/messageFiles/download", body)).json
        url = str(found.get("downloadUrl") or "")
        answer = await self._vendor.request("GET", URL(url, encoded=True), limit=LARGEST + 1)
        if answer.status != 200:
            raise _refused(answer)
        kind = answer.headers.get("Content-Type", "").partition(";")[0].strip()
        return image_of(f"data:{kind};base64,{b64encode(answer.body).decode()}", "picture")

    async def profile(self, user: str) -> Mapping[str, str]:
        for last in (False, True):
            token = await self._tokens.get()
            url = (
                f"{self.config.old_api.rstrip('/')}/topapi/v2/user/get?access_token={quote(token)}"
            )
            answer = await self._vendor.request("POST", url, json={"userid": user})
            code = answer.json.get("errcode", 0) if answer.status == 200 else 0
            if code in (40014, 42001) and not last:
                self._tokens.drop(token)
                continue
            if code or answer.status != 200:
                raise Undelivered("profile", f"errcode {code}", None)
            result = answer.json.get("result")
            found = result if isinstance(result, dict) else {}
            names = ("job_number", "email", "org_email")
            return {"userid": user} | {n: str(found[n]) for n in names if found.get(n)}
        raise AssertionError("unreachable")

    async def check(self) -> None:
        await self._tokens.get()

    async def close(self) -> None:
        await self._vendor.close()

    # --- the interface -----------------------------------------------------------------------------

    async def _call(self, method: str, path: str, body: Any) -> Answer:
        for last in (False, True):
            token = await self._tokens.get()
            headers = {"x-acs-dingtalk-access-token": token}
            url = f"{self.config.api.rstrip('/')}{path}"
            answer = await self._vendor.request(method, url, json=body, headers=headers)
            if answer.status == 401 and not last:
                self._tokens.drop(token)
                continue
            if answer.status != 200:
                raise _refused(answer)
            return answer
        raise AssertionError("unreachable")

    async def _fetch_token(self) -> Token:
        body = {"appKey": self.config.app_key, "appSecret": self.config.app_secret}
        url = f"{self.config.api.rstrip('/')}/v1.0/oauth2/accessToken"
        try:
            answer = await self._vendor.request("POST", url, json=body)
            if 400 <= answer.status < 500:
                raise Undelivered("token", f"HTTP {answer.status}", MENDED_S)
            if answer.status != 200:
                raise _refused(answer)
            found = answer.json
        except Uncertain as e:  # asking for a token sends nobody anything
            raise Undelivered("token", e.text.en, 5.0) from None
        return Token(str(found.get("accessToken") or ""), float(found.get("expireIn", 7200)))


def _refused(answer: Answer) -> Undelivered | Uncertain:
    try:
        code = str(answer.json.get("code") or "")
    except Uncertain:
        code = ""
    if answer.status == 429 or _THROTTLED.search(code):
        return Undelivered("too_many", code or "HTTP 429", 2.0)
    if answer.status >= 500:
        return Uncertain(f"HTTP {answer.status}")
    wait = MENDED_S if answer.status in (401, 403) else None
    return Undelivered("http", f"HTTP {answer.status} {code}".strip(), wait)


def _action_card(card: Card) -> dict[str, str]:
    """Its buttons make whoever presses them send a message, which comes in as one of theirs."""
    lines = [f"### {card.title}", *(f"- {label}:{value}" for label, value in card.fields)]
    return {
        "title": card.title,
        "text": "\n\n".join([*lines, card.note]),
        "actionTitle1": card.approve,
        "actionURL1": _says(f"{card.approve} {card.ticket}"),
        "actionTitle2": card.reject,
        "actionURL2": _says(f"{card.reject} {card.ticket}"),
    }


def _says(text: str) -> str:
    return f"dtmd://dingtalkclient/sendMessage?content={quote(text)}"


def _same(wanted: bytes, given: str) -> None:
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
