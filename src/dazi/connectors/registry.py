"""The kinds of connectors there are, by the name that ``connector: {kind: ...}`` uses.

Each is imported where a company uses it: their libraries are large.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from dazi.connectors.context import ConnectorContext
from dazi.connectors.credentials import KEYS, Credential
from dazi.core.errors import ConfigError
from dazi.core.tools import Connector, Tool
from dazi.packs.layers import layers_of


class CheckedConnector(Connector, Protocol):
    """A connector that can tell beforehand whether it can run a tool."""

    def check(self, tool: Tool) -> None:
        """Raise ``ConfigError`` naming what is wrong with the declaration."""
        ...


Factory = Callable[[Mapping[str, Any], ConnectorContext], CheckedConnector]

_factories: dict[str, Factory] = {}


def register(kind: str, factory: Factory) -> None:
    """Make ``kind`` known. Raises ``ValueError`` when it already is."""
    if kind in _factories:
        raise ValueError(f"connector kind {kind!r} is registered twice")
    _factories[kind] = factory


def kinds() -> tuple[str, ...]:
    return tuple(sorted(_factories))


def make_connector(
    kind: str,
    config: Mapping[str, Any],
    context: ConnectorContext,
    tools: Iterable[Tool] = (),
) -> CheckedConnector:
    """A connector of ``kind``, checked against the ``tools`` it is to run.

    ``config`` is the ``connector:`` entry of a tool file. Nothing is contacted yet. Raises
    ``ConfigError``.
    """
    factory = _factories.get(kind)
    if factory is None:
        known = ", ".join(kinds())
        zh, en = f"没有 {kind} 这种连接器(有:{known})", f"no connector kind {kind} (known: {known})"
        raise ConfigError(context.folder, None, zh, en)
    connector = factory({k: v for k, v in config.items() if k != "kind"}, context)
    for tool in tools:
        connector.check(tool)
    return connector


def _keys(
    config: Mapping[str, Any],
    context: ConnectorContext,
    *names: str,
    optional: tuple[str, ...] = (),
) -> tuple[str, ...]:
    """The values of ``names`` in ``config``, which may hold nothing else but ``optional``."""
    missing = [name for name in names if not isinstance(config.get(name), str)]
    unknown = sorted(config.keys() - {*names, *optional})
    if missing or unknown:
        wrong = ", ".join(missing or unknown)
        zh = f"connector 条目{'缺少' if missing else '不认识'} {wrong}"
        en = f"the connector entry {'lacks' if missing else 'does not know'} {wrong}"
        raise ConfigError(context.folder, None, zh, en)
    return tuple(str(config[name]) for name in names)


def _configured(
    known: Mapping[str, str], section: str, name: str, context: ConnectorContext
) -> str:
    if name not in known:
        zh = f"[{section}] 里没有 {name};请加上一行"
        en = f"[{section}] has no {name}; add a line for it"
        raise ConfigError(context.folder / "dazi.toml", None, zh, en)
    return known[name]


def _sql(config: Mapping[str, Any], context: ConnectorContext) -> CheckedConnector:
    (name,) = _keys(config, context, "database")
    url = _configured(context.databases, "databases", name, context)
    from dazi.connectors.database import open_database
    from dazi.connectors.sql import SqlConnector

    return SqlConnector(open_database(name, url, context))


def _http(config: Mapping[str, Any], context: ConnectorContext) -> CheckedConnector:
    service, document = _keys(config, context, "service", "openapi", optional=KEYS)
    url = _configured(context.services, "services", service, context)
    from dazi.connectors.http import HttpConnector

    try:
        return HttpConnector(
            url, layers_of(context.folder).find(document), Credential.of(config, context.folder)
        )
    except ValueError as error:
        zh = f"服务 {service} 的地址不能用;请写成 http(s)://主机:端口/路径"
        en = f"the URL of service {service} cannot be used; write http(s)://HOST:PORT/PATH"
        raise ConfigError(context.folder / "dazi.toml", None, zh, en) from error


def _python(config: Mapping[str, Any], context: ConnectorContext) -> CheckedConnector:
    from dazi.connectors.functions import FunctionConnector

    (module,) = _keys(config, context, "module")
    return FunctionConnector(layers_of(context.folder).find(module), context)


def _smtp(config: Mapping[str, Any], context: ConnectorContext) -> CheckedConnector:
    from dazi.connectors.smtp import SmtpConnector

    _keys(config, context, "server")
    if context.smtp is None:
        where = context.folder / "dazi.toml"
        raise ConfigError(where, None, "没有 [mail] 一节", "there is no [mail] section")
    return SmtpConnector(context.smtp)


def _knowledge(config: Mapping[str, Any], context: ConnectorContext) -> CheckedConnector:
    _keys(config, context)
    if context.knowledge is None:
        zh, en = "这里没有文档可查", "there are no documents to search here"
        raise ConfigError(context.folder, None, zh, en)
    from dazi.connectors.knowledge import KnowledgeConnector

    return KnowledgeConnector(context.knowledge)


def _mcp(config: Mapping[str, Any], context: ConnectorContext) -> CheckedConnector:
    from dazi.connectors.mcp import McpConnector, McpServer

    known = {"command", "env", "service", *KEYS}
    unknown = sorted(set(config) - known)
    command, env = config.get("command"), config.get("env", [])
    lists = (command is None or isinstance(command, list)) and isinstance(env, list)
    if unknown or not lists or (command is None) == ("service" not in config):
        zh = "connector 要有 command(列表)或 service 之一,另可写 env、token_env、token_file"
        en = "the connector has one of command (a list) and service, and maybe env, token_env, token_file"
        raise ConfigError(context.folder, None, zh, en)
    if command is not None:
        words = tuple(str(part) for part in command)
        return McpConnector(McpServer(words, str(context.folder), tuple(map(str, env))))
    url = _configured(context.services, "services", str(config["service"]), context)
    credential = Credential.of(config, context.folder)
    if credential.of_each_user:
        zh = "MCP 服务器的连接大家共用,token_file 里不能写 {user}"
        en = "the connection to an MCP server is shared: token_file cannot hold {user}"
        raise ConfigError(context.folder, None, zh, en)
    return McpConnector(McpServer(url=url, credential=credential))


register("sql", _sql)
register("http", _http)
register("python", _python)
register("smtp", _smtp)
register("mcp", _mcp)
register("knowledge", _knowledge)
