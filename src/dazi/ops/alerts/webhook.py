"""A webhook in the shape of Alertmanager's (version 4), signed: receivers of that one understand it."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from dazi.core.language import Text
from dazi.ops.alerts.machine import Alert
from dazi.ops.alerts.message import Message, lines, title
from dazi.ops.alerts.notify import NotSent
from dazi.ops.alerts.posting import post
from dazi.ops.alerts.secret import NO_SECRET, NoSecret, Secret

TIMESTAMP, SIGNATURE = "X-Dazi-Timestamp", "X-Dazi-Signature"
_NEVER = "0001-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Webhook:
    """``secret`` signs: ``sha256=`` and the hexadecimal HMAC-SHA256 of timestamp, a dot, and the body.
    ``name``: of the route, which is the receiver."""

    name: str
    url: str
    secret: Secret = NO_SECRET
    now: Callable[[], float] = time.time

    async def send(self, message: Message) -> None:
        body = msgspec.json.encode(as_alertmanager(message, self.name))
        headers = {"Content-Type": "application/json", TIMESTAMP: str(int(self.now()))}
        if self.secret:
            headers[SIGNATURE] = signature(secret_of(self.secret), headers[TIMESTAMP], body)
        await post(self.url, body, headers)

    async def close(self) -> None:
        return None


def secret_of(secret: Secret) -> str:
    """Raises ``NotSent``."""
    try:
        return secret.read()
    except NoSecret as e:
        raise NotSent(Text(f"没有密钥:{e}", f"no secret in {e}"), again=False) from None


def signature(secret: str, timestamp: str, body: bytes) -> str:
    made = hmac.digest(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return f"sha256={made.hex()}"


def as_alertmanager(message: Message, receiver: str) -> dict[str, Any]:
    """The fields of Alertmanager's ``webhook_config`` payload, version 4."""
    rule, status = message.rule, "resolved" if message.what == "resolved" else "firing"
    common = {"alertname": rule.name, "severity": rule.severity, "service": "dazi"}
    annotations = {
        "summary": title(message, "en"),
        "summary_zh": title(message, "zh"),
        "description": "\n".join(lines(message, "en")),
        "description_zh": "\n".join(lines(message, "zh")),
        "action": rule.does("en"),
        "action_zh": rule.does("zh"),
        "kind": message.what,
    }
    return {
        "version": "4",
        "groupKey": f'{{}}:{{alertname="{rule.name}"}}',
        "truncatedAlerts": 0,
        "status": status,
        "receiver": receiver,
        "groupLabels": {"alertname": rule.name},
        "commonLabels": common,
        "commonAnnotations": annotations,
        "externalURL": message.url,
        "alerts": [_alert(a, message, common, annotations) for a in message.alerts],
    }


def _alert(
    alert: Alert, message: Message, common: dict[str, str], annotations: dict[str, str]
) -> dict[str, Any]:
    value = {} if alert.value is None else {"value": f"{alert.value:.6g}"}
    over = alert.state == "resolved"
    return {
        "status": "resolved" if over else "firing",
        "labels": {**common, **dict(alert.labels)},
        "annotations": {**annotations, **value},
        "startsAt": _time(alert.fired or alert.since),
        "endsAt": _time(alert.ended) if over else _NEVER,
        "generatorURL": message.url,
        "fingerprint": alert.fingerprint,
    }


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
