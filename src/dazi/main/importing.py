"""``dazi tool import``: tools declared from what a system says of itself, to be looked over."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from dazi.connectors.drafts import Imported
from dazi.connectors.openapi_import import EXTENSION, imported, parse
from dazi.core.errors import CallerError, ConfigError, OperatorError
from dazi.core.language import Language, Text
from dazi.main.checking import check_folder
from dazi.main.company import load_settings
from dazi.main.settings import demo_folder
from dazi.net import EgressForbidden, Rule, TooLarge, fetch

if TYPE_CHECKING:
    from dazi.connectors.mcp import McpServer

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,40}")
MAX_DOCUMENT = 5_000_000
FETCH_S = 30.0
HEAD = """\
# 由 dazi tool import 从 {source} 生成,请逐项核对:effect、roles、说明、出处(grounded)。
# Made from {source} by dazi tool import; look over effect, roles, descriptions, grounded.
"""


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """``source``: a file or URL. ``service``: the name in ``[services]``, and of the files made."""

    source: str
    service: str
    only: tuple[str, ...]
    roles: tuple[str, ...]
    replace: bool = False


@dataclass(frozen=True, slots=True)
class McpRequest:
    """``command`` starts the server, as in a shell; empty: it is reached as ``basis.service``, with
    the token that ``token_env`` or ``token_file`` says where to find."""

    basis: ImportRequest
    command: str = ""
    token_env: str = ""
    token_file: str = ""


def import_openapi(folder: Path, request: ImportRequest, language: Language) -> list[str]:
    """Write ``tools/SERVICE.yaml`` and the document beside; what was done, line by line.

    Raises ``CallerError`` for a document or an operation that cannot be imported, and before
    writing over anything.
    """
    _check_place(folder, request.service)
    files, made = openapi_files(_document(request.source), request)
    return _written(folder, request, made, files, language)


def openapi_files(text: str, request: ImportRequest) -> tuple[dict[str, str], Imported]:
    """What goes into the company folder, by path in it. Raises ``CallerError``."""
    try:
        document = parse(text)
        made = imported(document, request.only, request.roles)
    except ValueError as e:
        raise CallerError(
            "openapi", f"{request.source} 不能导入:{e}", f"{request.source} cannot be imported: {e}"
        ) from None
    beside = f"services/{request.service}.{EXTENSION}"
    connector = {"kind": "http", "service": request.service, "openapi": beside}
    needed = json.dumps({**document, "paths": made.paths}, ensure_ascii=False, indent=1)
    return {**_declared(request, made, connector), beside: needed}, made


def import_mcp(folder: Path, request: McpRequest, language: Language) -> list[str]:
    """Write ``tools/SERVICE.yaml`` with what an MCP server offers now, each tool pinned as it is.

    Raises ``CallerError`` as ``import_openapi`` does, ``OperatorError`` where the server cannot be
    reached.
    """
    from dazi.connectors.credentials import Credential
    from dazi.connectors.mcp import McpServer

    basis = request.basis
    _check_place(folder, basis.service)
    if request.command:
        words = tuple(shlex.split(request.command))
        connector: dict[str, Any] = {"kind": "mcp", "command": list(words)}
        server = McpServer(words, str(folder))
    else:
        services = load_settings(folder).get("services", {})
        if basis.service not in services:
            raise CallerError(
                "service",
                f"dazi.toml 的 [services] 里没有 {basis.service};请加上,或用 --command",
                f"[services] of dazi.toml has no {basis.service}; add it, or give --command",
            )
        given = {"token_env": request.token_env, "token_file": request.token_file}
        token = {key: value for key, value in given.items() if value}
        connector = {"kind": "mcp", "service": basis.service, **token}
        credential = Credential.of(token, folder)
        server = McpServer(url=str(services[basis.service]), credential=credential)

    files, made = asyncio.run(mcp_files(server, basis, connector))
    return _written(folder, basis, made, files, language)


async def mcp_files(
    server: McpServer, request: ImportRequest, connector: Mapping[str, Any]
) -> tuple[dict[str, str], Imported]:
    """As ``openapi_files``, of what a server offers now. Raises ``OperatorError`` where it cannot be
    reached."""
    from dazi.connectors.mcp import McpConnector
    from dazi.connectors.mcp_import import imported as offered

    there = McpConnector(server)
    try:
        try:
            tools = await there.tools()
        finally:
            await there.close()
    except Exception as e:  # a server may fail in any way at all
        raise OperatorError(
            "mcp", f"连不上 MCP 服务器:{e}", f"the MCP server cannot be reached: {e}"
        ) from e
    try:
        made = offered(request.service, tools, request.only, request.roles)
    except ValueError as e:
        raise CallerError("mcp", f"不能导入:{e}", f"cannot be imported: {e}") from None
    return _declared(request, made, connector), made


def _check_place(folder: Path, name: str) -> None:
    """Files are only written in a company of the operator's own, under a plain name."""
    check_name(name)
    if folder == demo_folder():
        raise CallerError(
            "company",
            "请用 --company 指定公司目录;没有就先 dazi init 目录名",
            "name a company folder with --company; make one with dazi init DIR",
        )


def check_name(name: str) -> None:
    """Raises ``CallerError``."""
    if not _NAME.fullmatch(name):
        raise CallerError(
            "service",
            f"名字 “{name}” 只能用小写字母、数字、- 和 _",
            f"the name “{name}” may hold lower-case letters, digits, - and _ only",
        )


def _declared(
    request: ImportRequest, made: Imported, connector: Mapping[str, Any]
) -> dict[str, str]:
    """The file of declarations. Raises ``CallerError`` where there is nothing to declare."""
    if not made.tools:
        why = next(iter(made.skipped.values()), None)
        raise CallerError(
            "import",
            f"没有可以导入的操作{f':{why.zh}' if why else ''}",
            f"no operation can be imported{f': {why.en}' if why else ''}",
        )
    body = {"system": made.title, "connector": dict(connector), "tools": made.tools}
    text = yaml.safe_dump(body, allow_unicode=True, sort_keys=False, width=100)
    source = request.source if "://" in request.source else Path(request.source).name
    return {f"tools/{request.service}.yaml": HEAD.format(source=source) + text}


def _written(
    folder: Path,
    request: ImportRequest,
    made: Imported,
    texts: Mapping[str, str],
    language: Language,
) -> list[str]:
    """Write the files, and say what was made of what. Raises ``CallerError`` before writing over
    anything."""
    files = {folder / path: text for path, text in texts.items()}
    for path in files:
        if path.exists() and not request.replace:
            raise CallerError(
                "exists",
                f"{path} 已经有了;要覆盖请加 --replace",
                f"{path} exists; --replace writes over it",
            )
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    lines = [
        f"{name}  [{tool['effect']}]  {tool['description']}" for name, tool in made.tools.items()
    ]
    for number, why in made.skipped.items():
        lines.append(Text(f"跳过 {number}:{why.zh}", f"skipped {number}: {why.en}")(language))
    lines += [str(path) for path in files]
    try:
        lines += check_folder(folder, language)
    except ConfigError as e:
        # A new company lacks its address or its roles: that is told, and is no reason to undo.
        lines.append(e.message(language))
    return lines


def _document(source: str) -> str:
    if source.startswith(("http://", "https://")):
        return asyncio.run(fetched(source))
    try:
        path = Path(source)
        if path.stat().st_size > MAX_DOCUMENT:
            raise _too_large(source)
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as e:
        raise CallerError("openapi", f"读不到 {source}:{e}", f"cannot read {source}: {e}") from None


async def fetched(url: str) -> str:
    """Only from where the operator says: no redirect leads elsewhere."""
    try:
        found = await fetch(url, Rule.to(url), limit=MAX_DOCUMENT, seconds=FETCH_S)
        text = found.body.decode("utf-8")
    except EgressForbidden as e:
        raise CallerError("openapi", e.text.zh, e.text.en) from None
    except TooLarge:
        raise _too_large(url) from None
    except UnicodeDecodeError as e:
        raise CallerError("openapi", f"{url} 不是文本:{e}", f"{url} is no text: {e}") from None
    except ValueError as e:
        raise CallerError("openapi", f"网址不对:{url}", f"not a URL: {url}") from e
    except OSError as e:
        raise OperatorError("openapi", f"取不到 {url}:{e}", f"cannot fetch {url}: {e}") from None
    if found.status != 200:
        raise CallerError("openapi", f"{url} 返回 {found.status}", f"{url} answered {found.status}")
    return text


def _too_large(source: str) -> CallerError:
    limit = MAX_DOCUMENT // 1_000_000
    return CallerError(
        "openapi", f"{source} 超过 {limit} MB", f"{source} is larger than {limit} MB"
    )
