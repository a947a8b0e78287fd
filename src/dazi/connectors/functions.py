"""Functions of the company's own Python module."""

from __future__ import annotations

import asyncio
import hashlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

from dazi.connectors.context import ConnectorContext
from dazi.connectors.database import absolute
from dazi.connectors.failures import misdeclared, refused, time_left, timed_out, unavailable
from dazi.connectors.results import checked, listing
from dazi.core.desk import TicketDesk
from dazi.core.errors import ConfigError, ConnectorError
from dazi.core.language import Text
from dazi.core.principal import Principal
from dazi.core.risk import RiskSource
from dazi.core.tools import Invocation, Tool

THREADS = 8


@dataclass(frozen=True, slots=True)
class FunctionContext:
    """What a company's function may know besides its arguments, if it takes ``ctx``.

    ``evidence`` holds the turn's earlier results, ``{"name", "arguments", "result"}`` each.
    ``databases`` are URLs with absolute paths. ``risk`` assesses transactions, where ``[risk]`` of
    dazi.toml says which; ``desk`` is the service desk, where there is one.
    ``heard``: what the person said in ``thread``, latest first.
    """

    principal: Principal
    today: date
    idempotency_key: str
    evidence: tuple[Any, ...]
    folder: Path
    data_dir: Path
    databases: Mapping[str, str]
    risk: RiskSource | None = None
    desk: TicketDesk | None = None
    thread: str = ""
    heard: tuple[str, ...] = ()


class FunctionConnector:
    """Calls functions of one module file, sync ones in threads.

    A function returns JSON-compatible data, ``None`` for "nothing found", or raises
    ``ConnectorError("refused", ...)``. A thread cannot be stopped: past the deadline its result
    is dropped, and a function that writes may still have its effect, so writing functions use
    ``ctx.idempotency_key``.
    """

    def __init__(self, module: Path, context: ConnectorContext) -> None:
        self._module = _load(module)
        self._context = context
        self._databases = {
            name: absolute(name, url, context).render_as_string(hide_password=False)
            for name, url in context.databases.items()
        }
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="company-function")

    def check(self, tool: Tool) -> None:
        """Raise ``ConfigError`` unless ``tool`` names a function that takes its arguments."""
        name = str(tool.operation.get("function", ""))
        function = self._function(tool)
        if function is None:
            zh = f"{self._module.__file__} 里没有函数 {name or '(未写)'}"
            en = f"{self._module.__file__} has no function {name or '(none given)'}"
            raise misdeclared(tool, zh, en)
        arguments = dict.fromkeys((p.name for p in tool.parameters if p.required), "")
        optional = dict.fromkeys((p.name for p in tool.parameters), "")
        extra = dict.fromkeys((*tool.bind, *(["ctx"] if _takes_ctx(function) else [])), "")
        try:
            inspect.signature(function).bind(**arguments, **extra)
            inspect.signature(function).bind(**optional, **extra)
        except TypeError as error:
            zh, en = f"函数 {name} 的参数对不上:{error}", f"{name}() does not fit: {error}"
            raise misdeclared(tool, zh, en) from error

    async def execute(self, invocation: Invocation) -> Any:
        tool = invocation.tool
        function = self._function(tool)
        if function is None:
            raise unavailable(tool)
        if tool.operation.get("needs_results") and not invocation.evidence:
            raise refused(
                tool, Text("还没有可用的查询结果", "There are no earlier results to work on")
            )
        acts = tool.effect != "read"
        given = {k: v for k, v in invocation.arguments.items() if v is not None}
        arguments = {**given, **{name: invocation.bound.get(name) for name in tool.bind}}
        if _takes_ctx(function):
            arguments["ctx"] = self._ctx(invocation)
        try:
            async with asyncio.timeout(time_left(invocation)):
                answer = await self._call(function, arguments)
        except ConnectorError:
            raise
        except TimeoutError as error:
            raise timed_out(tool, effect_possible=acts) from error
        except (Exception, SystemExit) as error:  # the company's code may raise anything
            raise unavailable(tool, effect_possible=acts) from error
        if tool.result.shape == "many" and isinstance(answer, list):
            return listing(tool, checked(invocation, answer))
        return checked(invocation, answer)

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _call(self, function: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
        if inspect.iscoroutinefunction(function):
            return await function(**arguments)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: function(**arguments))

    def _function(self, tool: Tool) -> Callable[..., Any] | None:
        """A public function that the module itself defines; nothing it merely imported."""
        name = str(tool.operation.get("function", ""))
        found = getattr(self._module, name, None)
        if name.startswith("_") or not inspect.isfunction(found):
            return None
        return found if found.__module__ == self._module.__name__ else None

    def _ctx(self, invocation: Invocation) -> FunctionContext:
        return FunctionContext(
            principal=invocation.principal,
            today=date.fromisoformat(invocation.today),
            idempotency_key=invocation.idempotency_key,
            evidence=invocation.evidence,
            folder=self._context.folder,
            data_dir=self._context.data_dir,
            databases=self._databases,
            risk=self._context.risk,
            desk=self._context.desk,
            thread=invocation.thread,
            heard=invocation.heard,
        )


def _takes_ctx(function: Callable[..., Any]) -> bool:
    return "ctx" in inspect.signature(function).parameters


def _load(path: Path) -> ModuleType:
    """The module at ``path``, under a name of its own. Raises ``ConfigError``."""
    name = "dazi_company_" + hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise ConfigError(path, None, "找不到这个 Python 文件", "no such Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever the file does when it is read
        del sys.modules[name]
        line = _line_in(path, error)
        zh, en = f"这个文件不能加载:{error}", f"this file cannot be loaded: {error}"
        raise ConfigError(path, line, zh, en) from error
    return module


def _line_in(path: Path, error: Exception) -> int | None:
    if isinstance(error, SyntaxError):
        return error.lineno
    frames = traceback.extract_tb(error.__traceback__)
    return next((f.lineno for f in reversed(frames) if f.filename == str(path)), None)
