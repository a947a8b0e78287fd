"""WeCom and DingTalk on this machine: what they call, and what they answer, by their published rules.

The ciphers here are written anew (CBC by hand over single AES blocks), so that a mistake in the
product's is not a mistake in these as well.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import itertools
import json
import os
import struct
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from aiohttp import web
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

AES_KEY = base64.b64encode(bytes(range(32))).decode().rstrip("=")
TOKEN = "a-token-of-ours"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def sha1(*parts: str) -> str:
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()


def encrypted(plain: bytes, receiver: str, key: str = AES_KEY, pad: bytes | None = None) -> str:
    """``pad``: what is put at the end instead of what belongs there."""
    secret = base64.b64decode(key + "=")
    whole = os.urandom(16) + struct.pack(">I", len(plain)) + plain + receiver.encode()
    missing = 32 - len(whole) % 32
    whole += bytes([missing]) * missing if pad is None else pad
    block = Cipher(algorithms.AES(secret), modes.ECB()).encryptor()
    last, out = secret[:16], b""
    for i in range(0, len(whole), 16):
        last = block.update(bytes(a ^ b for a, b in zip(whole[i : i + 16], last, strict=True)))
        out += last
    return base64.b64encode(out).decode()


def decrypted(text: str, key: str = AES_KEY) -> tuple[bytes, str]:
    """Message and receiver."""
    secret, raw = base64.b64decode(key + "="), base64.b64decode(text)
    block = Cipher(algorithms.AES(secret), modes.ECB()).decryptor()
    last, out = secret[:16], b""
    for i in range(0, len(raw), 16):
        piece = raw[i : i + 16]
        out += bytes(a ^ b for a, b in zip(block.update(piece), last, strict=True))
        last = piece
    out = out[: -out[-1]]
    (size,) = struct.unpack(">I", out[16:20])
    return out[20 : 20 + size], out[20 + size :].decode()


Fault = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Sent:
    """A message as the vendor took it."""

    user: str
    body: dict[str, Any]

    @property
    def text(self) -> str:
        body = self.body
        if body.get("msgKey") == "sampleText":
            return str(json.loads(body["msgParam"])["content"])
        return str(body.get("text", {}).get("content", ""))

    @property
    def card(self) -> dict[str, Any]:
        if str(self.body.get("msgKey", "")).startswith("sampleActionCard"):
            return dict(json.loads(self.body["msgParam"]))
        return dict(self.body.get("template_card", {}))


@dataclass
class Vendor:
    """``sent``: in order; ``faults``: answers that the next messages get instead."""

    url: str = ""
    sent: list[Sent] = field(default_factory=list)
    changed: list[dict[str, Any]] = field(default_factory=list)
    faults: deque[Fault] = field(default_factory=deque)
    tokens: int = 0
    token: str = ""
    profiles: dict[str, dict[str, str]] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    changes: asyncio.Event = field(default_factory=asyncio.Event)

    def to(self, user: str) -> list[Sent]:
        return [s for s in self.sent if s.user == user]

    def texts(self, user: str) -> list[str]:
        return [s.text for s in self.to(user) if s.text]

    async def until(self, enough: Callable[[], bool], seconds: float = 90.0) -> None:
        async with asyncio.timeout(seconds):
            while not enough():
                self.changes.clear()
                if enough():
                    return
                await self.changes.wait()

    def took(self, user: str, body: dict[str, Any]) -> None:
        self.sent.append(Sent(user, body))
        self.changes.set()

    def renew(self) -> str:
        self.tokens += 1
        self.token = f"token-{self.tokens}-{os.urandom(4).hex()}"
        return self.token


def answers(**body: Any) -> Fault:
    async def fault(_: web.Request) -> web.StreamResponse:
        return web.json_response(body)

    return fault


def status(code: int, **headers: str) -> Fault:
    async def fault(_: web.Request) -> web.StreamResponse:
        return web.json_response({}, status=code, headers=headers)

    return fault


async def hangs_up(request: web.Request) -> web.StreamResponse:
    """The message may have been taken: nobody says."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


# --- WeCom ---------------------------------------------------------------------------------------


@dataclass
class FakeWeCom(Vendor):
    corp: str = "ww0123456789abcdef"
    agent: int = 1000002
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(7_000_000_001))

    def query(self, sealed: str, at: float | None = None, nonce: str = "") -> dict[str, str]:
        stamp, nonce = str(int(at or time.time())), nonce or os.urandom(6).hex()
        signature = sha1(TOKEN, stamp, nonce, sealed)
        return {"msg_signature": signature, "timestamp": stamp, "nonce": nonce}

    def xml(self, sender: str, kind: str, created: float, inside: str) -> bytes:
        return (
            f"<xml><ToUserName><![CDATA[{self.corp}]]></ToUserName>"
            f"<FromUserName><![CDATA[{sender}]]></FromUserName>"
            f"<CreateTime>{int(created)}</CreateTime><MsgType><![CDATA[{kind}]]></MsgType>"
            f"{inside}<AgentID>{self.agent}</AgentID></xml>"
        ).encode()

    def said(self, sender: str, text: str, created: float = 0.0, id: int = 0) -> bytes:
        inside = f"<Content><![CDATA[{text}]]></Content><MsgId>{id or next(self.numbers)}</MsgId>"
        return self.xml(sender, "text", created or time.time(), inside)

    def showed(self, sender: str, media: str) -> bytes:
        inside = f"<MediaId><![CDATA[{media}]]></MediaId><MsgId>{next(self.numbers)}</MsgId>"
        return self.xml(sender, "image", time.time(), inside)

    def clicked(self, sender: str, task: str, key: str, created: float = 0.0) -> bytes:
        inside = (
            f"<Event><![CDATA[template_card_event]]></Event><EventKey><![CDATA[{key}]]></EventKey>"
            f"<TaskId><![CDATA[{task}]]></TaskId><CardType><![CDATA[button_interaction]]></CardType>"
            f"<ResponseCode><![CDATA[code-{os.urandom(4).hex()}]]></ResponseCode>"
        )
        return self.xml(sender, "event", created or time.time(), inside)

    def envelope(self, sealed: str) -> bytes:
        return (
            f"<xml><ToUserName><![CDATA[{self.corp}]]></ToUserName>"
            f"<Encrypt><![CDATA[{sealed}]]></Encrypt>"
            f"<AgentID><![CDATA[{self.agent}]]></AgentID></xml>"
        ).encode()

    def callback(self, plain: bytes, at: float | None = None) -> tuple[str, bytes]:
        """The query and the body of a genuine callback."""
        sealed = encrypted(plain, self.corp)
        return urlencode(self.query(sealed, at)), self.envelope(sealed)

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/cgi-bin/gettoken", self._gettoken)
        app.router.add_post("/cgi-bin/message/send", self._send)
        app.router.add_post("/cgi-bin/message/update_template_card", self._change)
        app.router.add_get("/cgi-bin/media/get", self._media)
        app.router.add_get("/cgi-bin/user/get", self._user)
        app.router.add_get("/cgi-bin/auth/getuserinfo", self._code)
        return app

    async def _gettoken(self, request: web.Request) -> web.StreamResponse:
        if request.query["corpid"] != self.corp or request.query["corpsecret"] != "s3cret":
            return web.json_response({"errcode": 40001, "errmsg": "invalid credential"})
        token = self.renew()
        return web.json_response({"errcode": 0, "access_token": token, "expires_in": 7200})

    def _stale(self, request: web.Request) -> web.StreamResponse | None:
        if request.query.get("access_token") != self.token:
            return web.json_response({"errcode": 42001, "errmsg": "access_token expired"})
        return None

    async def _send(self, request: web.Request) -> web.StreamResponse:
        if (stale := self._stale(request)) is not None:
            return stale
        if self.faults:
            return await self.faults.popleft()(request)
        body = await request.json()
        assert body["agentid"] == self.agent and body["msgtype"] in body
        if body["msgtype"] == "text":
            assert len(body["text"]["content"].encode()) <= 2048
        if body["touser"] in self.unknown:
            return web.json_response({"errcode": 0, "invaliduser": body["touser"]})
        self.took(body["touser"], body)
        return web.json_response({"errcode": 0, "errmsg": "ok", "msgid": "m", "response_code": "r"})

    async def _change(self, request: web.Request) -> web.StreamResponse:
        if (stale := self._stale(request)) is not None:
            return stale
        self.changed.append(await request.json())
        self.changes.set()
        return web.json_response({"errcode": 0, "errmsg": "ok"})

    async def _media(self, request: web.Request) -> web.StreamResponse:
        if (stale := self._stale(request)) is not None:
            return stale
        if request.query["media_id"] != "a-picture":
            return web.json_response({"errcode": 40007, "errmsg": "invalid media_id"})
        return web.Response(body=PNG, content_type="image/png")

    async def _user(self, request: web.Request) -> web.StreamResponse:
        user = request.query["userid"]
        return web.json_response({"errcode": 0, "userid": user} | self.profiles.get(user, {}))

    async def _code(self, request: web.Request) -> web.StreamResponse:
        user = self.codes.pop(request.query["code"], "")
        if not user:
            return web.json_response({"errcode": 40029, "errmsg": "invalid code"})
        return web.json_response({"errcode": 0, "userid": user})


# --- DingTalk ------------------------------------------------------------------------------------


@dataclass
class FakeDingTalk(Vendor):
    app_key: str = "dingabcdef"
    secret: str = "d1ng-s3cret"
    corp: str = "ding0001"
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def headers(self, at: float | None = None, secret: str = "") -> dict[str, str]:
        secret = secret or self.secret
        stamp = str(int((at or time.time()) * 1000))
        mac = hmac.new(secret.encode(), f"{stamp}\n{secret}".encode(), hashlib.sha256).digest()
        return {"timestamp": stamp, "sign": base64.b64encode(mac).decode()}

    def card_headers(self, secret: str = "c4rd") -> dict[str, str]:
        stamp = str(int(time.time() * 1000))
        mac = hmac.new(secret.encode(), stamp.encode(), hashlib.sha256).digest()
        return {
            "x-ddpaas-signature-timestamp": stamp,
            "x-ddpaas-signature": base64.b64encode(mac).decode(),
        }

    def said(self, sender: str, text: str, *, webhook: bool = True, **more: Any) -> dict[str, Any]:
        now = int(time.time() * 1000)
        return {
            "msgtype": "text",
            "text": {"content": f" {text} "},
            "msgId": f"msg{next(self.numbers)}==",
            "createAt": now,
            "conversationType": "1",
            "conversationId": "cid1",
            "senderStaffId": sender,
            "chatbotCorpId": self.corp,
            "sessionWebhook": f"{self.url}/robot/sendBySession?session={quote(sender)}",
            "sessionWebhookExpiredTime": now + (5_400_000 if webhook else -1000),
        } | more

    def event(self, kind: str) -> tuple[str, bytes]:
        sealed = encrypted(json.dumps({"EventType": kind}).encode(), self.app_key)
        stamp, nonce = str(int(time.time() * 1000)), os.urandom(4).hex()
        query = {
            "msg_signature": sha1(TOKEN, stamp, nonce, sealed),
            "timestamp": stamp,
            "nonce": nonce,
        }
        return urlencode(query), json.dumps({"encrypt": sealed}).encode()

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/v1.0/oauth2/accessToken", self._gettoken)
        app.router.add_post("/v1.0/robot/oToMessages/batchSend", self._batch)
        app.router.add_post("/v1.0/card/instances/createAndDeliver", self._deliver)
        app.router.add_put("/v1.0/card/instances", self._change)
        app.router.add_post("/v1.0/robot/messageFiles/download", self._download)
        app.router.add_get("/a-picture", self._picture)
        app.router.add_post("/robot/sendBySession", self._session)
        app.router.add_post("/topapi/v2/user/get", self._user)
        return app

    async def _gettoken(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        if body != {"appKey": self.app_key, "appSecret": self.secret}:
            return web.json_response({"code": "invalidClientIdOrSecret"}, status=400)
        return web.json_response({"accessToken": self.renew(), "expireIn": 7200})

    def _stale(self, request: web.Request) -> web.StreamResponse | None:
        if request.headers.get("x-acs-dingtalk-access-token") != self.token:
            return web.json_response({"code": "InvalidAuthentication"}, status=401)
        return None

    async def _batch(self, request: web.Request) -> web.StreamResponse:
        if (stale := self._stale(request)) is not None:
            return stale
        if self.faults:
            return await self.faults.popleft()(request)
        body = await request.json()
        (user,) = body["userIds"]
        self.took(user, body)
        return web.json_response({"processQueryKey": "q"})

    async def _deliver(self, request: web.Request) -> web.StreamResponse:
        if (stale := self._stale(request)) is not None:
            return stale
        body = await request.json()
        self.took(body["openSpaceId"].removeprefix("dtv1.card//IM_ROBOT."), body)
        return web.json_response({"success": True})

    async def _change(self, request: web.Request) -> web.StreamResponse:
        if (stale := self._stale(request)) is not None:
            return stale
        self.changed.append(await request.json())
        self.changes.set()
        return web.json_response({"success": True})

    async def _download(self, request: web.Request) -> web.StreamResponse:
        if (stale := self._stale(request)) is not None:
            return stale
        return web.json_response({"downloadUrl": f"{self.url}/a-picture"})

    async def _picture(self, _: web.Request) -> web.StreamResponse:
        return web.Response(body=PNG, content_type="image/png")

    async def _session(self, request: web.Request) -> web.StreamResponse:
        if self.faults:
            return await self.faults.popleft()(request)
        self.took(request.query["session"], await request.json())
        return web.json_response({"errcode": 0, "errmsg": "ok"})

    async def _user(self, request: web.Request) -> web.StreamResponse:
        user = (await request.json())["userid"]
        found = {"userid": user} | self.profiles.get(user, {})
        return web.json_response({"errcode": 0, "result": found})


@asynccontextmanager
async def served(vendor: FakeWeCom | FakeDingTalk) -> AsyncIterator[None]:
    runner = web.AppRunner(vendor.app())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server is not None
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    vendor.url = f"http://127.0.0.1:{port}"
    try:
        yield
    finally:
        await runner.cleanup()
