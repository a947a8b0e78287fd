"""Mail: one message to one address, handed to one server."""

from __future__ import annotations

import asyncio
import hashlib
import re
import smtplib
import socket
import threading
import unicodedata
from contextlib import suppress
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, parseaddr
from typing import Any

from dazi.connectors.credentials import NoCredential
from dazi.connectors.failures import misdeclared, refused, time_left, timed_out, unavailable
from dazi.connectors.mail_server import SmtpServer
from dazi.core.language import Text
from dazi.core.tools import Invocation, Tool
from dazi.net import connect

# RFC 5321 lengths, RFC 5322 dot-atom; one address, no display name, no list.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+[A-Za-z]{{2,63}}")
_BAD_ADDRESS = Text("收件地址不是一个有效的邮箱", "The recipient is not one valid mail address")
_BAD_BODY = Text("正文里有无法发送的字符", "The body holds characters that cannot be sent")
_BAD_SUBJECT = Text("标题里有换行或控制字符", "The subject holds a line break or control character")


class _Handover:
    """Decides between the thread that sends and the caller whose time is up: after ``give_up``
    nothing is handed over any more, and it tells whether something already was."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._given_up = False
        self._begun = False

    @property
    def begun(self) -> bool:
        return self._begun

    def begin(self) -> bool:
        with self._lock:
            self._begun = not self._given_up
            return self._begun

    def give_up(self) -> bool:
        with self._lock:
            self._given_up = True
            return self._begun


class SmtpConnector:
    """Sends ``to``, ``subject``, ``body`` as plain text. The Message-ID comes from the idempotency
    key, so a repeated hand-over can be recognised as the same mail."""

    def __init__(self, server: SmtpServer) -> None:
        self._server = server
        self._sender = parseaddr(server.sender)[1]

    def check(self, tool: Tool) -> None:
        """Raise ``ConfigError`` unless ``tool`` has what a mail needs."""
        missing = {"to", "subject", "body"} - {p.name for p in tool.parameters if p.required}
        if missing:
            names = ", ".join(sorted(missing))
            raise misdeclared(tool, f"缺少必填参数 {names}", f"needs required parameters {names}")
        if tool.effect == "read":
            raise misdeclared(tool, "发邮件不是 read", "sending mail is not a read")

    async def execute(self, invocation: Invocation) -> Any:
        tool = invocation.tool
        message = self._message(invocation)
        if not self._server.port:  # not started; smtplib would take 0 for port 25
            raise unavailable(tool)
        seconds = time_left(invocation)
        handover = _Handover()
        try:
            async with asyncio.timeout(seconds):
                await asyncio.to_thread(self._send, message, seconds, handover)
        except TimeoutError as error:
            raise timed_out(tool, effect_possible=handover.give_up()) from error
        except asyncio.CancelledError:
            handover.give_up()
            raise
        except NoCredential as error:
            raise unavailable(tool) from error
        except smtplib.SMTPRecipientsRefused as error:
            text = Text("邮件服务器不接受这个收件地址", "The mail server refuses this recipient")
            raise refused(tool, text) from error
        except smtplib.SMTPResponseException as error:
            raise unavailable(tool) from error
        except Exception as error:  # smtplib raises OSError, ValueError and its own errors
            raise unavailable(tool, effect_possible=handover.begun) from error
        return {
            "to": message["To"],
            "subject": str(invocation.arguments["subject"]),
            "message_id": message["Message-ID"],
        }

    async def close(self) -> None:
        return None

    def _message(self, invocation: Invocation) -> EmailMessage:
        tool = invocation.tool
        to, subject, body = (
            str(invocation.arguments.get(name) or "") for name in ("to", "subject", "body")
        )
        local, _, _ = to.partition("@")
        if len(to) > 254 or len(local) > 64 or not _ADDRESS.fullmatch(to):
            raise refused(tool, _BAD_ADDRESS)
        if any(unicodedata.category(c) in ("Cc", "Zl", "Zp", "Cs") for c in subject):
            raise refused(tool, _BAD_SUBJECT)
        key = hashlib.sha256(invocation.idempotency_key.encode()).hexdigest()[:32]
        _, _, domain = self._sender.rpartition("@")
        message = EmailMessage(policy=SMTP)
        message["From"] = self._server.sender
        message["To"] = to
        message["Subject"] = subject
        message["Date"] = formatdate(localtime=True)
        message["Message-ID"] = f"<{key}@{domain}>"
        try:
            message.set_content(body)
        except UnicodeEncodeError as error:
            raise refused(tool, _BAD_BODY) from error
        return message

    def _send(self, message: EmailMessage, seconds: float, handover: _Handover) -> None:
        client = self._signed_in(max(seconds, 0.1))
        try:
            _accepted(*client.mail(self._sender))
            code, reply = client.rcpt(message["To"])
            if code >= 500:
                raise smtplib.SMTPRecipientsRefused({message["To"]: (code, reply)})
            _accepted(code, reply)
            if handover.begin():
                _accepted(*client.data(message.as_bytes()))
            with suppress(OSError, smtplib.SMTPException):  # nothing depends on a good-bye
                client.quit()
        finally:
            client.close()

    def _signed_in(self, seconds: float) -> smtplib.SMTP:
        server = self._server
        password = server.password.token() if server.user else ""
        client: smtplib.SMTP
        if server.security == "tls":
            client = _SmtpTls(server.host, server.port, timeout=seconds, context=server.context())
        else:
            client = _Smtp(server.host, server.port, timeout=seconds)
        try:
            if server.security == "starttls":
                client.starttls(context=server.context())
            client.ehlo_or_helo_if_needed()
            if server.user:
                client.login(server.user, password)
        except BaseException:
            client.close()
            raise
        return client


class _Smtp(smtplib.SMTP):
    """Over a socket that the rules for reaching out have let through."""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return connect(host, port, timeout)


class _SmtpTls(smtplib.SMTP_SSL):
    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self.context.wrap_socket(connect(host, port, timeout), server_hostname=host)


def _accepted(code: int, reply: bytes) -> None:
    if not 200 <= code < 300:
        raise smtplib.SMTPResponseException(code, reply)
