"""Alerts by the company's mail server."""

from __future__ import annotations

from dazi.connectors.mail_server import SmtpServer
from dazi.connectors.smtp import SmtpConnector
from dazi.core.errors import ConnectorError
from dazi.core.language import Text
from dazi.core.principal import Principal
from dazi.core.tools import Invocation, Tool
from dazi.main.runtime import Runtime
from dazi.ops.alerts.mailing import Letter, Post
from dazi.ops.alerts.making import NoPost
from dazi.ops.alerts.notify import NotSent

_WITHIN_S = 10.0
_NOBODY = Principal("alerts", frozenset(), channel="alerts")
_TOOL = Tool(
    "alert", Text("邮件", "mail"), Text("告警", "an alert"), (), frozenset(), "write", "mail", {}
)


class SmtpPost:
    def __init__(self, server: SmtpServer) -> None:
        self._connector = SmtpConnector(server)

    async def hand_over(self, letter: Letter) -> None:
        """Raises ``NotSent``."""
        said = {"to": letter.to, "subject": letter.subject, "body": letter.body}
        try:
            await self._connector.execute(
                Invocation(_TOOL, said, {}, _NOBODY, letter.key, _WITHIN_S, "")
            )
        except ConnectorError as e:
            # The message's id is the same at each try: one that arrived twice is recognised.
            raise NotSent(e.text, again=e.code != "refused") from None


def post_of(runtime: Runtime) -> Post:
    """By ``[mail]`` of ``dazi.toml``. Raises ``ConfigError``."""
    mail = runtime.company.settings.get("mail")
    if mail is None:
        return NoPost()
    port = runtime.running.mail_port if runtime.running is not None else 0
    return SmtpPost(SmtpServer.of(mail, runtime.company.folder, port))
