"""Robots of chat groups: WeCom's and DingTalk's, as their makers publish them.

WeCom: developer.work.weixin.qq.com, "Group robot configuration": markdown of at most 4096 bytes, at
most 20 messages a minute, ``errcode`` 0 where all is well. DingTalk: open.dingtalk.com, "Custom robot
access": as many a minute; ``sign`` is the Base64 of HMAC-SHA256 over timestamp, line break, secret.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import time
from collections import deque
from collections.abc import Callable, Mapping
from urllib.parse import urlencode

import msgspec

from dazi.core.language import Text
from dazi.ops.alerts.message import Message, markdown, title
from dazi.ops.alerts.notify import NotSent, Sleep
from dazi.ops.alerts.posting import post
from dazi.ops.alerts.secret import Secret
from dazi.ops.alerts.webhook import secret_of

WECOM = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send"
DINGTALK = "https://oapi.dingtalk.com/robot/send"
A_MINUTE = 20
LONGEST_BYTES = 4_096
_JSON = {"Content-Type": "application/json"}
_TOO_OFTEN = frozenset({45009, 130101})
"""WeCom's and DingTalk's codes for more than they allow: it may be tried again."""


class Paced:
    """Lets ``many`` through in any minute; the others wait."""

    def __init__(
        self,
        many: int = A_MINUTE,
        clock: Callable[[], float] = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._many, self._clock, self._sleep = many, clock, sleep
        self._sent: deque[float] = deque()
        self._turn = asyncio.Lock()

    async def wait(self) -> None:
        async with self._turn:
            while True:
                now = self._clock()
                while self._sent and now - self._sent[0] >= 60.0:
                    self._sent.popleft()
                if len(self._sent) < self._many:
                    self._sent.append(now)
                    return
                await self._sleep(60.0 - (now - self._sent[0]))


class WeCom:
    """``key``: the robot's, from its address."""

    def __init__(self, key: Secret, url: str = WECOM, pace: Paced | None = None) -> None:
        self._key, self._url = key, url
        self._pace = pace or Paced()

    async def send(self, message: Message) -> None:
        body = {"msgtype": "markdown", "markdown": {"content": cut(markdown(message))}}
        address = f"{self._url}?{urlencode({'key': secret_of(self._key)})}"
        await self._pace.wait()
        await _said(address, body, self._url)

    async def close(self) -> None:
        return None


class DingTalk:
    """``token`` from the robot's address, ``secret`` where it signs."""

    def __init__(
        self,
        token: Secret,
        secret: Secret,
        url: str = DINGTALK,
        pace: Paced | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._token, self._secret, self._url, self._now = token, secret, url, now
        self._pace = pace or Paced()

    async def send(self, message: Message) -> None:
        said = {"title": title(message, "zh"), "text": cut(markdown(message))}
        await self._pace.wait()
        query = {"access_token": secret_of(self._token)}
        if self._secret:
            at = str(round(self._now() * 1000))
            query |= {"timestamp": at, "sign": sign(secret_of(self._secret), at)}
        body = {"msgtype": "markdown", "markdown": said}
        await _said(f"{self._url}?{urlencode(query)}", body, self._url)

    async def close(self) -> None:
        return None


def sign(secret: str, at: str) -> str:
    made = hmac.digest(secret.encode(), f"{at}\n{secret}".encode(), hashlib.sha256)
    return base64.b64encode(made).decode()


def cut(text: str) -> str:
    """So many bytes as may be sent, without half a character."""
    data = text.encode()
    if len(data) <= LONGEST_BYTES:
        return text
    return data[: LONGEST_BYTES - 3].decode("utf-8", "ignore") + "…"


async def _said(address: str, body: Mapping[str, object], to: str) -> None:
    found = (await post(address, msgspec.json.encode(body), _JSON, to=to)).json()
    code = found.get("errcode")
    if code != 0:
        raise NotSent(
            Text(f"机器人回了 errcode {code}", f"the robot answered errcode {code}"),
            again=code in _TOO_OFTEN or code is None,
        )
