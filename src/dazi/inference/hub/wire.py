"""Requests to a hub: redirects that are safe to follow, and what an answer means."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp
from yarl import URL

from dazi.core.errors import AccessError, DaziError, NotFound, OperatorError, OverloadError
from dazi.core.language import Text
from dazi.inference.hub.places import Hub
from dazi.net import REDIRECTS, Egress, EgressForbidden, Origin, Rule

_MOVED = frozenset({301, 302, 303, 307, 308})
CONNECT_S, SILENT_S = 15.0, 60.0
_PLAIN = Text("那里没有加密", "has no encryption")


@dataclass(frozen=True, slots=True)
class Patience:
    """``attempts`` in a row that bring nothing; waits between them grow from ``first_s`` to
    ``longest_s``; a hub that asks for more than ``asked_s`` seconds of rest is left alone."""

    attempts: int = 6
    first_s: float = 1.0
    longest_s: float = 60.0
    asked_s: float = 300.0


PATIENCE = Patience()


class Again(OSError):
    """It may go well another time; ``wait_s``: so long the hub asked to be left alone."""

    def __init__(self, why: str, wait_s: float | None = None) -> None:
        super().__init__(why)
        self.wait_s = wait_s


class Reply:
    """An answer whose body is still to be read."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.status = response.status
        self.headers = response.headers

    async def some(self) -> bytes:
        """What has come; empty at the end. Raises ``Again`` where the connection fails."""
        try:
            return await self._response.content.readany()
        except (aiohttp.ClientError, OSError) as e:
            raise Again(str(e) or type(e).__name__) from e

    async def whole(self, limit: int) -> bytes | None:
        """All of it, or ``None`` where it is longer than ``limit`` bytes."""
        body = bytearray()
        while piece := await self.some():
            body += piece
            if len(body) > limit:
                return None
        return bytes(body)


class HubClient:
    """Three ways out: to the hub, with the token; to what its operator named beside it; and, by
    https, to any public address, where public hubs keep their files. Make it where a loop runs."""

    def __init__(self, hub: Hub, patience: Patience = PATIENCE) -> None:
        self.hub = hub
        self.patience = patience
        self._named = frozenset(Origin.of(u) for u in hub.files_at)
        self._to_hub = _egress(Rule(frozenset({hub.origin})))
        self._to_named = _egress(Rule(self._named)) if self._named else None
        self._to_public = _egress(Rule())

    async def close(self) -> None:
        for way in (self._to_hub, self._to_named, self._to_public):
            if way is not None:
                await way.close()

    @asynccontextmanager
    async def get(self, url: str, headers: Mapping[str, str] = {}) -> AsyncIterator[Reply]:
        """The answer at the end of the redirects. Raises ``Again``, or ``OperatorError`` for a way
        that must not be gone."""
        response = await self._arrive(URL(url), headers)
        try:
            yield Reply(response)
        finally:
            response.close()

    async def _arrive(self, at: URL, headers: Mapping[str, str]) -> aiohttp.ClientResponse:
        for _ in range(REDIRECTS + 1):
            try:
                response: aiohttp.ClientResponse = await self._request(at, headers)
                if response.status not in _MOVED:
                    return response
                response.close()
                at = self._next(at, response.headers.get("Location", ""))
            except EgressForbidden as e:
                raise _astray(self.hub, e) from e
            except aiohttp.ClientConnectorCertificateError as e:
                raise _untrusted(at, str(e.certificate_error)) from e
            except aiohttp.ClientSSLError as e:
                raise _untrusted(at, str(e)) from e
            except (aiohttp.ClientError, ValueError, OSError) as e:
                inner = getattr(e, "os_error", None)  # the socket was refused
                if isinstance(inner, EgressForbidden):
                    raise _astray(self.hub, inner) from e
                raise Again(str(e) or type(e).__name__) from e
        raise OperatorError(
            "hub_redirects",
            f"{self.hub.name} 转来转去超过 {REDIRECTS} 次。",
            f"{self.hub.name} redirects more than {REDIRECTS} times.",
        )

    async def _request(self, at: URL, headers: Mapping[str, str]) -> aiohttp.ClientResponse:
        origin = Origin.of(Rule().check_url(at))
        sent = dict(headers)
        if origin == self.hub.origin:
            way = self._to_hub
            sent |= _secret(self.hub)
        elif origin in self._named and self._to_named is not None:
            way = self._to_named
        elif at.scheme == "https":
            way = self._to_public
        else:
            raise EgressForbidden(f"{origin.scheme}://{origin.host}:{origin.port}", _PLAIN)
        response: aiohttp.ClientResponse = await way.request("GET", at, headers=sent)
        return response

    def _next(self, at: URL, location: str) -> URL:
        there = at.join(URL(location))
        if at.scheme == "https" and there.scheme != "https":
            raise EgressForbidden(str(there.with_query(None))[:200], _PLAIN)
        return there


def problem(reply: Reply, hub: Hub, what: str, patience: Patience) -> Exception:
    """What an answer that is not the one asked for means; ``Again`` where waiting may help."""
    status, told = reply.status, reply.headers.get("X-Error-Code", "")
    if status in (408, 429) or status >= 500:
        wait = _wait(reply.headers.get("Retry-After", ""))
        if wait is not None and wait > patience.asked_s:
            return _busy(hub, wait)
        return Again(f"status {status}", wait)
    if told == "GatedRepo" or status == 403:
        return _gated(hub, what)
    if status == 401:
        return _hidden(hub, what)
    if status in (404, 410):
        return _missing(hub, what, revision=told == "RevisionNotFound")
    return OperatorError(
        "hub_answer",
        f"{hub.name} 对 {what} 回答了 HTTP {status}，不知道是什么意思。地址写对了吗？",
        f"{hub.name} answered HTTP {status} for {what}, which means nothing here. Is the address "
        "right?",
    )


def unreachable(hub: Hub, why: str) -> OperatorError:
    return OperatorError(
        "hub_unreachable",
        f"连不上 {hub.name}，或连接总是断（{why}）。已下载的部分还在，再运行同一条命令就接着下；"
        "也可以换一个模型站：--hub modelscope，或公司里的镜像。",
        f"{hub.name} cannot be reached, or the connection keeps breaking ({why}). What has come is "
        "kept, and the same command goes on with it; or take another hub: --hub modelscope, or a "
        "mirror in the house.",
    )


def _egress(rule: Rule) -> Egress:
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=SILENT_S)
    # As it is stored there: a place in a compressed file would be no place in the file.
    plain = {"Accept-Encoding": "identity", "User-Agent": "dazi"}
    return Egress(rule, timeout=timeout, headers=plain, auto_decompress=False)


def _secret(hub: Hub) -> dict[str, str]:
    if not hub.token:
        return {}
    bearer = {"Authorization": f"Bearer {hub.token}"}
    # ModelScope's older routes know a person by this cookie alone.
    return bearer | ({"Cookie": f"m_session_id={hub.token}"} if hub.dialect == "modelscope" else {})


def _wait(text: str) -> float | None:
    """Seconds of a ``Retry-After`` (RFC 9110, 10.2.3): a number, or a date."""
    if text.strip().isdecimal():
        return float(text)
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.now(UTC)).total_seconds())


def _busy(hub: Hub, wait: float) -> OverloadError:
    return OverloadError(
        "hub_busy",
        f"{hub.name} 请求太多，要等 {wait:.0f} 秒；到时再运行同一条命令就接着下。",
        f"{hub.name} has too many requests and asks to come back in {wait:.0f} s; the same command "
        "goes on then.",
        wait,
    )


def _gated(hub: Hub, what: str) -> DaziError:
    return AccessError(
        "hub_denied",
        f"{hub.name} 不让下载 {what}。这个模型要先在它的网页上同意条款或申请；"
        "同意以后，把您的令牌写进 DAZI_HUB_TOKEN。",
        f"{hub.name} refuses {what}. This model wants its terms agreed to, or access asked for, on "
        "its page; after that, put your token into DAZI_HUB_TOKEN.",
    )


def _hidden(hub: Hub, what: str) -> DaziError:
    return AccessError(
        "hub_denied",
        f"{hub.name} 没有公开的 {what}：名字写错了，或者要令牌（DAZI_HUB_TOKEN，只发给 DAZI_HUB "
        "写的那个模型站）。",
        f"{hub.name} has no public {what}: the name is wrong, or it wants a token (DAZI_HUB_TOKEN, "
        "which goes only to the hub that DAZI_HUB names).",
    )


def _missing(hub: Hub, what: str, *, revision: bool) -> DaziError:
    if revision:
        return NotFound(
            "hub_missing",
            f"{hub.name} 的 {what} 没有这个版本；请核对 --revision。",
            f"{what} at {hub.name} has no such revision; check --revision.",
        )
    return NotFound(
        "hub_missing",
        f"{hub.name} 没有 {what}；请核对名字，或换一个模型站（--hub）。",
        f"{hub.name} has no {what}; check the name, or take another hub (--hub).",
    )


def _astray(hub: Hub, e: EgressForbidden) -> OperatorError:
    return OperatorError(
        "hub_redirect",
        f"不能从 {hub.name} 转到 {e.text.zh}。如果那是公司里存放文件的主机，请写进 DAZI_HUB_FILES。",
        f"{hub.name} leads to {e.text.en}. If that is a host of yours that keeps its files, name it "
        "in DAZI_HUB_FILES.",
    )


def _untrusted(at: URL, why: str) -> OperatorError:
    return OperatorError(
        "hub_certificate",
        f"{at.host} 的证书不可信（{why}）。公司自己的证书请写进 SSL_CERT_FILE 指的文件。",
        f"The certificate of {at.host} is not trusted ({why}). Put a certificate of your own into "
        "the file that SSL_CERT_FILE names.",
    )
