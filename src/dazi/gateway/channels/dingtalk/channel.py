"""An application at DingTalk at work: messages, cards, pictures, the directory.

After 批量发送单聊消息, 创建并投放卡片 and 查询用户详情 of open.dingtalk.com.
"""

from __future__ import annotations

import json as text_json
import re
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from yarl import URL

from dazi.core.messages import Image
from dazi.gateway.channels.application import MENDED_S, MOST_PICTURE, Application, picture_in
from dazi.gateway.channels.dingtalk.callbacks import Callbacks
from dazi.gateway.channels.dingtalk.config import DingTalkConfig
from dazi.gateway.channels.protocol import (
    Address,
    Callback,
    Card,
    Incoming,
    Part,
    Received,
    Reply,
    Uncertain,
    Undelivered,
)
from dazi.gateway.channels.vendor import Answer, Token

WEBHOOK_MARGIN_S = 30.0
TEXT_BYTES = 6000
"""The vendor names 20,000 bytes for a message body; the characters of ours are JSON in JSON."""
CARD_CHARS = 500
"""What the vendor advises for the text of a card."""
STALE = frozenset({40014, 42001})
"""Error codes: the token is not valid (any more)."""
NOBODY = frozenset({33012, 60121})
"""Error codes: there is no such person."""
_THROTTLED = re.compile(r"(?i)throttl|qps|toofast|too\.fast|limit")


class DingTalk(Application[DingTalkConfig]):
    def __init__(self, config: DingTalkConfig, clock: Callable[[], float] = time.time) -> None:
        """Raises ``ValueError`` for a key or an address that is none."""
        super().__init__(config, (config.api, config.old_api, *config.media), clock)
        self._callbacks = Callbacks(config, clock)

    def read(self, callback: Callback) -> Received:
        return self._callbacks.read(callback)

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
            "robotCode": self.config.robot,
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
            "imRobotOpenDeliverModel": {"spaceType": "IM_ROBOT", "robotCode": self.config.robot},
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
        body = {"downloadCode": name, "robotCode": self.config.robot}
        found = (await self._call("POST", "/v1.0/robot/messageFiles/download", body)).json
        try:
            url = URL(str(found.get("downloadUrl") or ""), encoded=True)
        except ValueError:
            raise Undelivered("picture", "the vendor gives no address", None) from None
        answer = await self._vendor.request("GET", url, limit=MOST_PICTURE)
        if answer.status != 200:
            raise _refused(answer)
        return picture_in(answer)

    async def profile(self, user: str) -> Mapping[str, str]:
        base = f"{self.config.old_api.rstrip('/')}/topapi/v2/user/get"
        for last in (False, True):
            token = await self._tokens.get()
            url = f"{base}?access_token={quote(token)}"
            answer = await self._vendor.request("POST", url, json={"userid": user})
            if answer.status != 200:
                raise _refused(answer)
            code = answer.json.get("errcode", 0)
            if code in STALE and not last:
                self._tokens.drop(token)
                continue
            if code:
                wait = None if code in NOBODY else MENDED_S
                raise Undelivered(f"errcode_{code}", f"errcode {code}", wait)
            result = answer.json.get("result")
            found = result if isinstance(result, dict) else {}
            names = ("job_number", "email", "org_email")
            return {"userid": user} | {n: str(found[n]) for n in names if found.get(n)}
        raise AssertionError("unreachable")

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
