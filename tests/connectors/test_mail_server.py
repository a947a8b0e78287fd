"""Mail over TLS, with a password, to real servers; and how ``[mail]`` may be written."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from dazi import net
from dazi.connectors.credentials import Credential
from dazi.connectors.mail_server import SmtpServer
from dazi.connectors.smtp import SmtpConnector
from dazi.core.errors import ConfigError, ConnectorError
from tests.connectors.systems import TOOLS, invocation

SEND = TOOLS["send_email"]
MAIL = {"to": "someone@example.com", "subject": "周会", "body": "改到周五"}


class Kept:
    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.signed_in: list[str] = []

    async def handle_DATA(self, _: Any, __: Any, envelope: Any) -> str:
        self.mails.append(envelope.rcpt_tos)
        return "250 kept"

    def authenticate(self, *found: Any) -> AuthResult:
        given = found[-1]
        right = isinstance(given, LoginPassword) and given.password == b"pa55"
        if right:
            self.signed_in.append(given.login.decode())
        return AuthResult(success=right, handled=False)


Start = Callable[..., Awaitable[SmtpServer]]


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
async def start(kept: Kept, tmp_path: Path) -> AsyncIterator[Start]:
    """A server that wants TLS and a password, and what to write in ``[mail]`` for it."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    (tmp_path / "password").write_text("pa55\n")
    running: list[asyncio.Server] = []

    async def started(security: str, name: str = "localhost", **more: Any) -> SmtpServer:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(context)
        late = security == "starttls"

        def protocol() -> SMTP:
            return SMTP(
                kept,
                tls_context=context if late else None,
                require_starttls=late,
                authenticator=kept.authenticate,
                auth_required=True,
                auth_require_tls=late,
            )

        server = await asyncio.get_running_loop().create_server(
            protocol, "127.0.0.1", 0, ssl=None if late else context
        )
        running.append(server)
        mail = {
            "host": "localhost", "port": server.sockets[0].getsockname()[1],
            "sender": "dazi@yunshan.example", "security": security, "user": "dazi",
            "password_file": "password", "ca_file": "ca.pem",
        }  # fmt: skip
        return SmtpServer.of({k: v for k, v in {**mail, **more}.items() if v}, tmp_path)

    yield started
    for server in running:
        server.close()


async def send(server: SmtpServer) -> Any:
    return await SmtpConnector(server).execute(invocation(SEND, MAIL))


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_encrypted_and_signed_in(start: Start, kept: Kept, security: str) -> None:
    assert (await send(await start(security)))["to"] == MAIL["to"]
    assert kept.mails == [[MAIL["to"]]] and kept.signed_in == ["dazi"]


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize(
    "wrong", [{"ca_file": ""}, {"name": "mail.other.example"}], ids=["unknown authority", "name"]
)
async def test_a_certificate_that_is_not_its_own(
    start: Start, kept: Kept, security: str, wrong: dict[str, Any]
) -> None:
    with pytest.raises(ConnectorError) as caught:
        await send(await start(security, **wrong))
    assert (caught.value.code, caught.value.effect_possible) == ("unavailable", False)
    assert kept.mails == []


async def test_a_wrong_or_missing_password(start: Start, kept: Kept, tmp_path: Path) -> None:
    server = await start("tls")
    for content in ("other", ""):
        (tmp_path / "password").write_text(content)
        with pytest.raises(ConnectorError) as caught:
            await send(server)
        assert (caught.value.code, caught.value.effect_possible) == ("unavailable", False)
    assert kept.mails == []


async def test_where_it_connects_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that turns out to be this machine, or where clouds keep their secrets."""
    opened: list[object] = []
    monkeypatch.setattr(net.sockets.socket, "socket", lambda *a: opened.append(a))
    for address in ("127.0.0.1", "169.254.169.254", "0.0.0.0", "::ffff:169.254.169.254"):
        found = [(2, 1, 6, "", (address, 25))]
        monkeypatch.setattr(net.sockets.socket, "getaddrinfo", lambda *_, found=found: found)
        with pytest.raises(ConnectorError) as caught:
            await send(SmtpServer("mail.example", 25, "dazi@yunshan.example"))
        assert caught.value.code == "unavailable"
    assert opened == []


@pytest.mark.parametrize(
    ("mail", "said"),
    [
        ({"host": "mail.example", "user": "dazi", "password_env": "P"}, "security"),
        ({"security": "ssl"}, "known: none, starttls, tls"),
        ({"hots": "x"}, "does not know hots"),
        ({"user": "dazi"}, "goes with password_env"),
        ({"password_env": "P"}, "goes with password_env"),
        ({"port": "25"}, "no port"),
        ({"port": 70_000}, "no port"),
    ],
)
def test_what_is_written_wrong(mail: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=said):
        SmtpServer.of(mail, tmp_path)


def test_the_port_goes_with_the_security(tmp_path: Path) -> None:
    found = [SmtpServer.of({"security": s}, tmp_path).port for s in ("none", "starttls", "tls")]
    assert found == [25, 587, 465]
    assert SmtpServer.of({"port": 0}, tmp_path, 1234).port == 1234
    assert SmtpServer.of({}, tmp_path).password == Credential()
