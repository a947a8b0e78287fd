"""WeCom (企业微信): an application of one's own, with its callbacks and its messages.

After 接收消息与事件, 发送应用消息, 更新模版卡片消息 and 构造网页授权链接 of
developer.work.weixin.qq.com.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from dazi.core.errors import NotFound
from dazi.core.messages import Image
from dazi.gateway.channels.application import (
    APPROVE,
    MENDED_S,
    MOST_PICTURE,
    REJECT,
    Application,
    fresh,
    picture_in,
)
from dazi.gateway.channels.envelope import Envelope
from dazi.gateway.channels.hosts import WECOM_API, WECOM_AUTHORIZE
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
from dazi.gateway.channels.vendor import Answer, Token

STALE = frozenset({40001, 40014, 42001})
"""Error codes: the token is not valid (any more)."""
BUSY: Mapping[int, float] = {-1: 2.0, 45009: 60.0, 45033: 1.0}
"""Error codes after which the same may be tried again, with the seconds until then: the system is
busy, called too often, called too often at once."""
FINAL = frozenset({40003, 40008, 40035, 40058, 44004, 45002, 60111, 81013, 82001})
"""Error codes about the message or its person: nothing an operator mends would have it taken."""
FRESH_S = 300.0
EVERYBODY = "@all"
TEXT_BYTES = 2048
FIELDS, LABEL_CHARS, VALUE_CHARS, SUBTITLE_CHARS, TITLE_CHARS = 6, 10, 30, 112, 36
"""What a card has room for; more goes before it in words."""
_ENCRYPT = re.compile(rb"<Encrypt>\s*(?:<!\[CDATA\[)?([A-Za-z0-9+/=]+)(?:\]\]>)?\s*</Encrypt>")


@dataclass(frozen=True, slots=True)
class WeComConfig:
    name: str
    corp_id: str
    agent_id: int
    secret: str = field(repr=False)
    token: str = field(repr=False)
    aes_key: str = field(repr=False)
    limits: Limits
    api: str = WECOM_API
    authorize: str = WECOM_AUTHORIZE


class WeCom(Application[WeComConfig]):
    def __init__(self, config: WeComConfig, clock: Callable[[], float] = time.time) -> None:
        """Raises ``ValueError`` for a key or an address that is none."""
        super().__init__(config, (config.api,), clock)
        self._envelope = Envelope(config.token, config.aes_key, config.corp_id)

    # --- what comes in -----------------------------------------------------------------------------

    def read(self, callback: Callback) -> Received:
        if callback.part:
            raise NotFound("channel", "没有这个地址", "no such address")
        q = callback.query
        signature, timestamp, nonce = (
            q.get(n, "") for n in ("msg_signature", "timestamp", "nonce")
        )
        fresh(timestamp, self._clock(), FRESH_S)
        if callback.method == "GET":
            echo = self._envelope.opened(signature, timestamp, nonce, q.get("echostr", ""))
            return Received(reply=Reply(echo))
        found = _ENCRYPT.findall(callback.body)
        if len(found) != 1:
            raise Forged("envelope")
        plain = self._envelope.opened(signature, timestamp, nonce, found[0].decode())
        message = self._message(plain)
        return Received((message,) if message else ())

    def _message(self, plain: bytes) -> Incoming | None:
        """``None`` for events that mean nothing here."""
        try:
            xml = fromstring(plain, forbid_dtd=True)
        except (ParseError, DefusedXmlException, ValueError):
            raise Forged("xml") from None
        kind, sender, created = _of(xml, "MsgType"), _of(xml, "FromUserName"), _whole(xml)
        agent = _of(xml, "AgentID")
        if not sender or (agent and agent != str(self.config.agent_id)):
            raise Forged("agent")
        if kind == "event":
            return self._click(xml, sender, created)
        id = _of(xml, "MsgId") or f"{sender}/{created}/{_of(xml, 'Content')}"
        text = _of(xml, "Content") if kind == "text" else ""
        pictures = (_of(xml, "MediaId"),) if kind == "image" else ()
        what: Any = "text" if kind in ("text", "image") else "other"
        return Incoming(id, sender, float(created), what, text, "", pictures)

    def _click(self, xml: Element, sender: str, created: int) -> Incoming | None:
        task, key = _of(xml, "TaskId"), _of(xml, "EventKey")
        if _of(xml, "Event") != "template_card_event" or key not in (APPROVE, REJECT):
            return None
        # Events have no id of their own: sender and time tell them apart, says the vendor.
        id = f"event/{sender}/{created}/{task}/{key}"
        click = Click(task.partition("@")[0], key == APPROVE)
        reply_to = {"code": _of(xml, "ResponseCode"), "task": task}
        return Incoming(id, sender, float(created), "click", click=click, reply_to=reply_to)

    def passive(self, message: Incoming, text: str) -> Reply | None:
        now, nonce = str(int(self._clock())), hashlib.sha256(message.id.encode()).hexdigest()[:16]
        plain = (
            f"<xml>{_cdata('ToUserName', message.sender)}"
            f"{_cdata('FromUserName', self.config.corp_id)}<CreateTime>{now}</CreateTime>"
            f"{_cdata('MsgType', 'text')}{_cdata('Content', text)}</xml>"
        )
        sealed = self._envelope.seal(plain.encode())
        signature = self._envelope.signature(now, nonce, sealed)
        body = (
            f"<xml>{_cdata('Encrypt', sealed)}{_cdata('MsgSignature', signature)}"
            f"<TimeStamp>{now}</TimeStamp>{_cdata('Nonce', nonce)}</xml>"
        )
        return Reply(body.encode(), "application/xml; charset=utf-8")

    # --- what goes out -----------------------------------------------------------------------------

    def shows_all(self, card: Card) -> bool:
        return len(card.fields) <= FIELDS and all(
            len(label) <= LABEL_CHARS and len(value) <= VALUE_CHARS and "\n" not in value
            for label, value in card.fields
        )

    async def send(self, to: Address, part: Part) -> None:
        if "|" in to.user or to.user == EVERYBODY:  # the interface would take several, or all
            raise Undelivered("invalid_user", "this is no single person", None)
        try:
            await self._send(to, part)
        except Undelivered as e:
            raise _mendable(e) from None

    async def _send(self, to: Address, part: Part) -> None:
        if part.settles:
            await self._settle(to, part)
            return
        body: dict[str, Any] = {"touser": to.user, "agentid": self.config.agent_id}
        if part.card is not None:
            body |= {"msgtype": "template_card", "template_card": _card(part.card)}
        else:
            body |= {"msgtype": "text", "text": {"content": part.text}, "safe": 0}
        answer = await self._call("POST", "message/send", json=body)
        if answer.get("invaliduser"):
            raise Undelivered("invalid_user", "the vendor does not reach this person", None)

    async def _settle(self, to: Address, part: Part) -> None:
        code = to.reply_to.get("code", "")
        if code:
            body = {
                "userids": [to.user],
                "agentid": self.config.agent_id,
                "response_code": code,
                "button": {"replace_name": part.text[:20]},
            }
            await self._call("POST", "message/update_template_card", json=body)

    async def picture(self, name: str) -> Image:
        query = {"media_id": name}
        return picture_in(await self._ask("GET", "media/get", query=query, limit=MOST_PICTURE))

    async def profile(self, user: str) -> Mapping[str, str]:
        try:
            found = await self._call("GET", "user/get", query={"userid": user})
        except Undelivered as e:
            raise _mendable(e) from None
        names = ("email", "biz_mail")
        return {"userid": user} | {n: str(found[n]) for n in names if found.get(n)}

    # --- signing in with a browser -----------------------------------------------------------------

    def sign_in_url(self, redirect: str, state: str) -> str:
        query = {
            "appid": self.config.corp_id,
            "redirect_uri": redirect,
            "response_type": "code",
            "scope": "snsapi_base",
            "state": state,
            "agentid": self.config.agent_id,
        }
        return f"{self.config.authorize}?{urlencode(query)}#wechat_redirect"

    async def signed_in(self, code: str) -> str:
        """The member that a code stands for; empty for somebody from outside. Raises
        ``Undelivered`` and ``Uncertain``."""
        found = await self._call("GET", "auth/getuserinfo", query={"code": code})
        return str(found.get("userid") or found.get("UserId") or "")

    # --- the interface -----------------------------------------------------------------------------

    async def _call(
        self, method: str, path: str, *, query: Mapping[str, str] | None = None, json: Any = None
    ) -> dict[str, Any]:
        return (await self._ask(method, path, query=query, json=json)).json

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        json: Any = None,
        limit: int = 1 << 20,
    ) -> Answer:
        """Once more with a new token where the vendor does not take the one that was held."""
        for last in (False, True):
            token = await self._tokens.get()
            asked = urlencode({"access_token": token, **(query or {})})
            url = f"{self.config.api.rstrip('/')}/cgi-bin/{path}?{asked}"
            answer = await self._vendor.request(method, url, json=json, limit=limit)
            code = _code(answer)
            if code in STALE and not last:
                self._tokens.drop(token)
                continue
            if code or answer.status != 200:
                raise refused(code, answer)
            return answer
        raise AssertionError("unreachable")

    async def _fetch_token(self) -> Token:
        query = urlencode({"corpid": self.config.corp_id, "corpsecret": self.config.secret})
        url = f"{self.config.api.rstrip('/')}/cgi-bin/gettoken?{query}"
        try:
            answer = await self._vendor.request("GET", url)
            code, found = _code(answer), answer.json
        except Uncertain as e:  # asking for a token sends nobody anything
            raise Undelivered("token", e.text.en, 5.0) from None
        if code or not found.get("access_token"):
            raise refused(code or answer.status, answer)
        return Token(str(found["access_token"]), float(found.get("expires_in", 7200)))


def refused(code: int, answer: Answer) -> Undelivered | Uncertain:
    """What to make of an answer that is no success."""
    if code:
        wait = BUSY.get(code)
        return Undelivered(f"errcode_{code}", f"errcode {code}", wait)
    if answer.status == 429:
        given = answer.headers.get("Retry-After", "")
        wait = float(given) if given.isdigit() else 1.0
        return Undelivered("too_many", "HTTP 429", min(wait, 3600.0))
    if answer.status >= 500:
        return Uncertain(f"HTTP {answer.status}")
    return Undelivered("http", f"HTTP {answer.status}", None)


def _mendable(error: Undelivered) -> Undelivered:
    """To be tried again, where it is about the application and not about this message."""
    code = error.code.removeprefix("errcode_")
    if error.retry_after is None and code.isdigit() and int(code) not in FINAL:
        return Undelivered(error.code, f"errcode {code}", MENDED_S)
    return error


def _code(answer: Answer) -> int:
    """``errcode``; 0 for a file, and where there is none."""
    if not answer.headers.get("Content-Type", "").startswith(("application/json", "text/")):
        return 0
    if answer.status != 200:
        return 0
    code = answer.json.get("errcode", 0)
    return code if isinstance(code, int) else 1


def _card(card: Card) -> dict[str, Any]:
    """``button_interaction``. Fields that it has no room for stand in words before it."""
    shown = [
        {"keyname": label[:LABEL_CHARS], "value": value}
        for label, value in card.fields[:FIELDS]
        if len(value) <= VALUE_CHARS
    ]
    return {
        "card_type": "button_interaction",
        "task_id": card.task,
        "main_title": {"title": card.title[:TITLE_CHARS]},
        "sub_title_text": card.note[:SUBTITLE_CHARS],
        "horizontal_content_list": shown,
        "button_list": [
            {"text": card.reject, "style": 2, "key": REJECT},
            {"text": card.approve, "style": 1, "key": APPROVE},
        ],
    }


def _of(xml: Element, name: str) -> str:
    found = xml.find(name)
    return (found.text or "").strip() if found is not None else ""


def _whole(xml: Element) -> int:
    text = _of(xml, "CreateTime")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0


def _cdata(name: str, text: str) -> str:
    inside = "".join(c for c in text if c >= " " or c in "\n\t").replace("]]>", "]]]]><![CDATA[>")
    return f"<{name}><![CDATA[{inside}]]></{name}>"
