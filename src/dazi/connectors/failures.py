"""The errors connectors raise, worded for the people who read them. No detail of a system's
inner life goes into a text: the cause is chained for the logs."""

from __future__ import annotations

from dazi.core.errors import ConfigError, ConnectorError
from dazi.core.language import Text
from dazi.core.tools import Invocation, Tool


def time_left(invocation: Invocation) -> float:
    """Seconds the connector may take: what is left of the turn, or the tool's own limit."""
    return max(0.0, min(invocation.deadline_s, invocation.tool.timeout_s))


def timed_out(tool: Tool, *, effect_possible: bool = False) -> ConnectorError:
    zh, en = f"{tool.system.zh}没有及时回应", f"The {tool.system.en} did not answer in time"
    return ConnectorError("timeout", zh, en, effect_possible=effect_possible)


def unavailable(tool: Tool, *, effect_possible: bool = False) -> ConnectorError:
    zh, en = f"{tool.system.zh}暂时不可用", f"The {tool.system.en} is not available right now"
    return ConnectorError("unavailable", zh, en, effect_possible=effect_possible)


def bad_response(tool: Tool, *, effect_possible: bool = False) -> ConnectorError:
    zh = f"{tool.system.zh}给出了无法识别的回应"
    en = f"The {tool.system.en} gave an answer that cannot be read"
    return ConnectorError("bad_response", zh, en, effect_possible=effect_possible)


def too_large(tool: Tool, *, effect_possible: bool = False) -> ConnectorError:
    zh, en = f"{tool.system.zh}返回的数据太多", f"The {tool.system.en} returned too much data"
    return ConnectorError("too_large", zh, en, effect_possible=effect_possible)


def refused(
    tool: Tool, text: Text | None = None, *, effect_possible: bool = False
) -> ConnectorError:
    """The system looked at the request and said no; ``text`` is its reason."""
    text = text or Text(
        f"{tool.system.zh}没有接受这个请求", f"The {tool.system.en} did not accept the request"
    )
    return ConnectorError("refused", text("zh"), text("en"), effect_possible=effect_possible)


def unusable(zh: str, en: str) -> ConnectorError:
    """The arguments cannot be used; the text says what to change and goes back to the model."""
    return ConnectorError("invalid", zh, en)


def misdeclared(tool: Tool, zh: str, en: str) -> ConfigError:
    """A tool's declaration does not fit its connector."""
    where = tool.source or tool.name
    return ConfigError(where, None, f"工具 {tool.name}:{zh}", f"tool {tool.name}: {en}")
