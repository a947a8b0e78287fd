"""Errors of every room as HTTP answers in OpenAI's form, in the caller's language."""

from __future__ import annotations

import math

import msgspec

from dazi.access.lockout import Locked
from dazi.core.errors import (
    AccessError,
    CallerError,
    ConnectorError,
    DaziError,
    NotFound,
    OperatorError,
    OverloadError,
)
from dazi.core.language import Language

_CONFLICTS = frozenset({"thread_busy"})
_UNKNOWN_CALLER = frozenset({"unauthenticated", "unknown_user", "sign_in", "session", "code"})
_PACED = ("rate_", "quota_", "token_limit")
_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    429: "rate_limit_error",
    500: "server_error",
    502: "server_error",
    503: "server_error",
}


class BadField(CallerError):
    """A field of the body is wrong; ``param`` is its path, as in ``messages[0].content``."""

    def __init__(self, param: str, zh: str, en: str, code: str = "invalid_value") -> None:
        super().__init__(code, f"{param}:{zh}", f"{param}: {en}")
        self.param = param


class TooLarge(CallerError):
    """The body has more bytes than the limit; answered before it is read to its end."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            "body_too_large",
            f"请求体超过上限 {limit} 字节;请缩短内容或分几次发送",
            f"the body is over the limit of {limit} bytes; shorten it or send it in parts",
        )


class BodyTimeout(CallerError):
    def __init__(self, seconds: float) -> None:
        super().__init__(
            "body_timeout",
            f"请求体在 {seconds:g} 秒内没有发完;请重试",
            f"the body did not arrive within {seconds:g} seconds; try again",
        )


class NoRoute(NotFound):
    def __init__(self, path: str) -> None:
        shown = path[:200]
        super().__init__("unknown_route", f"没有这个地址:{shown}", f"no such route: {shown}")


class WrongMethod(CallerError):
    """``allowed``: the methods that the route does take."""

    def __init__(self, path: str, allowed: str) -> None:
        super().__init__(
            "method_not_allowed",
            f"{path[:200]} 只接受 {allowed}",
            f"{path[:200]} takes only {allowed}",
        )
        self.allowed = allowed


class Problem(msgspec.Struct, frozen=True):
    message: str
    type: str
    code: str
    param: str | None = None


class ProblemBody(msgspec.Struct, frozen=True):
    """The body of every answer that is not a success."""

    error: Problem


def unexpected() -> DaziError:
    """What a caller hears of a fault of ours: nothing of its inside."""
    return DaziError(
        "internal",
        "服务内部出错,已记录;请稍后再试或联系管理员",
        "something went wrong here and was logged; try later or tell the administrator",
    )


def status_of(error: DaziError) -> int:
    match error:
        case TooLarge():
            return 413
        case BodyTimeout():
            return 408
        case WrongMethod():
            return 405
        case CallerError():
            return 409 if error.code in _CONFLICTS else 400
        case Locked():
            return 429
        case AccessError():
            return 401 if error.code in _UNKNOWN_CALLER else 403
        case NotFound():
            return 404
        case OverloadError():
            return 429 if error.code.startswith(_PACED) else 503
        case OperatorError():
            return 503
        case ConnectorError():
            return 502
        case _:
            return 500


def problem_of(error: DaziError, language: Language) -> bytes:
    kind = _TYPES.get(status_of(error), "invalid_request_error")
    param = getattr(error, "param", None)
    return msgspec.json.encode(
        ProblemBody(Problem(error.message(language), kind, error.code, param))
    )


def headers_of(error: DaziError) -> list[tuple[bytes, bytes]]:
    """``Retry-After`` where coming back helps, the scheme where a key is missing."""
    if isinstance(error, OverloadError | Locked):
        return [(b"retry-after", str(max(1, math.ceil(error.retry_after))).encode())]
    if isinstance(error, WrongMethod):
        return [(b"allow", error.allowed.encode())]
    if status_of(error) == 401:
        return [(b"www-authenticate", b"Bearer")]
    return []


def accepted_language(header: str) -> Language | None:
    """The better liked of the two languages in an ``Accept-Language`` header (RFC 9110, 12.5.4)."""
    liked: list[tuple[float, int, Language]] = []
    for place, part in enumerate(header.lower().split(",")[:20]):
        tag, _, quality = part.partition(";")
        language: Language | None = (
            "zh" if tag.strip().startswith("zh") else "en" if tag.strip().startswith("en") else None
        )
        try:
            q = float(quality.partition("=")[2]) if quality.strip() else 1.0
        except ValueError:
            q = 0.0
        if language and q > 0:
            liked.append((-q, place, language))
    return min(liked)[2] if liked else None
