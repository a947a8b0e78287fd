"""Mail: to the demo's sink, and to servers that refuse, hang or hang up."""

from __future__ import annotations

import asyncio
import email
import email.policy
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dazi.connectors.mail_server import SmtpServer
from dazi.connectors.registry import make_connector
from dazi.connectors.smtp import SmtpConnector
from dazi.core.errors import ConfigError, ConnectorError
from tests.connectors.systems import TOOLS, Company, Talk, invocation

SEND = TOOLS["send_email"]
MAIL = {
    "to": "someone@example.com",
    "subject": "周会改期到周五",
    "body": "大家好:\n.\n..周会改期。\n",
}
Listen = Callable[[Talk], Awaitable[int]]


def mails(folder: Path) -> list[Any]:
    return [
        email.message_from_bytes((folder / name).read_bytes(), policy=email.policy.default)
        for name in sorted(os.listdir(folder))
    ]


async def refusal(connector: Any, made: Any) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        await connector.execute(made)
    return caught.value


async def test_a_mail_arrives_as_it_was_written(company: Company, mail_folder: Path) -> None:
    sent = await company.call("send_email", **MAIL)
    (mail,) = mails(mail_folder)
    assert sent == {k: MAIL[k] for k in ("to", "subject")} | {"message_id": mail["Message-ID"]}
    assert (mail["From"], mail["To"]) == ("dazi@yunshan.example", MAIL["to"])
    assert mail["Subject"] == MAIL["subject"]
    assert mail.get_content().replace("\r\n", "\n") == MAIL["body"]
    assert mail["Message-ID"].endswith("@yunshan.example>")


async def test_a_repeated_intent_is_recognisable(company: Company, mail_folder: Path) -> None:
    made = invocation(SEND, MAIL)
    for again in (made, made, replace(made, idempotency_key="another-key")):
        await company.run(again)
    assert len(mails(mail_folder)) == 2


@pytest.mark.parametrize(
    "to",
    [
        "", "someone", "@example.com", "a@b", "a@example.com,b@example.com", "a@example.com b@x.com",
        "a@example.com\r\nBcc: b@example.com", "A <a@example.com>", "a@example.com\n", "a..b@example.com",
        "a@-x.com", "a@example.com>\r\nDATA", "甲@例子.中国", "a" * 250 + "@x.com", "a\x00@example.com",
    ],
)  # fmt: skip
async def test_only_one_plain_address(company: Company, mail_folder: Path, to: str) -> None:
    error = await refusal(company.connector(SEND), invocation(SEND, MAIL | {"to": to}))
    assert (error.code, error.effect_possible) == ("refused", False)
    assert mails(mail_folder) == []


@pytest.mark.parametrize(
    "change",
    [
        {"subject": "x\r\nBcc: b@example.com"},
        {"subject": "x\ny"},
        {"subject": "x\u2028y"},
        {"subject": "\x00"},
        {"subject": "\ud800"},
        {"body": "\ud800"},
    ],
)
async def test_headers_cannot_be_added(
    company: Company, mail_folder: Path, change: dict[str, str]
) -> None:
    assert (
        await refusal(company.connector(SEND), invocation(SEND, MAIL | change))
    ).code == "refused"
    assert mails(mail_folder) == []


def talking(replies: list[str | None]) -> Talk:
    """Greets, then answers one line after another; ``None`` says nothing and hangs."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for reply in replies:
            if reply is None:
                await asyncio.sleep(30)
                return
            writer.write(reply.encode() + b"\r\n")
            await writer.drain()
            end = b"\r\n.\r\n" if reply.startswith("354") else b"\n"
            await reader.readuntil(end)

    return talk


@pytest.mark.parametrize(
    ("replies", "code", "possible"),
    [
        ([], "unavailable", False),
        (["garbage"], "unavailable", False),
        ([None], "timeout", False),
        (["220 hi", "250 ok", "550 not you"], "unavailable", False),
        (["220 hi", "250 ok", "250 ok", "550 nobody"], "refused", False),
        (["220 hi", "250 ok", "250 ok", "450 later"], "unavailable", False),
        (["220 hi", "250 ok", "250 ok", None], "timeout", False),
        (["220 hi", "250 ok", "250 ok", "250 ok", "451 later"], "unavailable", False),
        (["220 hi", "250 ok", "250 ok", "250 ok", "354 go", "552 too big"], "unavailable", False),
        (["220 hi", "250 ok", "250 ok", "250 ok", "354 go"], "unavailable", True),
        (["220 hi", "250 ok", "250 ok", "250 ok", "354 go", None], "timeout", True),
    ],
)
async def test_servers_that_do_not_take_it(
    listen: Listen, replies: list[str | None], code: str, possible: bool
) -> None:
    server = SmtpServer("127.0.0.1", await listen(talking(replies)), "dazi@yunshan.example")
    async with asyncio.timeout(25):
        error = await refusal(SmtpConnector(server), invocation(SEND, MAIL, deadline_s=0.4))
    assert (error.code, error.effect_possible) == (code, possible)


async def test_a_bad_goodbye_changes_nothing(listen: Listen) -> None:
    replies = ["220 hi", "250 ok", "250 ok", "250 ok", "354 go", "250 kept", "500 what?"]
    server = SmtpServer(
        "127.0.0.1", await listen(talking([*replies])), "Dazi <dazi@yunshan.example>"
    )
    sent = await SmtpConnector(server).execute(invocation(SEND, MAIL))
    assert sent["message_id"].endswith("@yunshan.example>")


@pytest.mark.parametrize("port", [0, 1])
async def test_nobody_listens(port: int) -> None:
    connector = SmtpConnector(SmtpServer("127.0.0.1", port, "dazi@yunshan.example"))
    error = await refusal(connector, invocation(SEND, MAIL))
    assert (error.code, error.effect_possible) == ("unavailable", False)


def test_declarations_are_checked(company: Company) -> None:
    with pytest.raises(ConfigError, match="needs required parameters body, to"):
        make_connector(
            "smtp", {"server": "mail"}, company.context,
            [replace(SEND, parameters=tuple(p for p in SEND.parameters if p.name == "subject"))],
        )  # fmt: skip
    with pytest.raises(ConfigError, match="not a read"):
        make_connector("smtp", {"server": "mail"}, company.context, [replace(SEND, effect="read")])
    with pytest.raises(ConfigError, match=r"no \[mail\] section"):
        make_connector("smtp", {"server": "mail"}, replace(company.context, smtp=None))
