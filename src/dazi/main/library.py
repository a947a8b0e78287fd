"""Dazi as a library: Python functions as governed tools, in ten lines.

from dazi import Assistant, tool

@tool
def stock(sku: str) -> dict:
    "How many of a product are in stock. 查库存"
    return {"sku": sku, "quantity": 42}

print(Assistant([stock]).ask("SKU-1001 还有货吗?").text)
"""

from __future__ import annotations

import asyncio
import inspect
import secrets
import tempfile
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from dazi.agent.asking import Ask
from dazi.core.company import Company
from dazi.core.engine import Engine
from dazi.core.errors import ConfigError, ConnectorError
from dazi.core.language import Text
from dazi.core.principal import Principal
from dazi.core.tools import Effect, Format, Invocation, Parameter, Scalar, Tool, ToolResultRules
from dazi.core.turn import CallRecord, ConfirmationNeeded, TurnEvent, TurnFinished
from dazi.main.engines import load_engine
from dazi.main.runtime import Runtime, assemble
from dazi.main.settings import Settings

ROLE = "user"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Arg:
    """More about an argument than its type says: ``Annotated[str, Arg(pattern="^ORD[0-9]{5}$")]``.

    A ``grounded`` value must occur in what the person or an earlier result said; an argument with
    a ``pattern`` is grounded unless told otherwise.
    """

    description: str = ""
    pattern: str | None = None
    format: Format | None = None
    grounded: bool | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """``evidence`` are the results the answer rests on. ``confirmation`` waits for ``confirm``."""

    text: str
    calls: tuple[CallRecord, ...]
    evidence: tuple[Any, ...]
    confirmation: ConfirmationNeeded | None
    events: tuple[TurnEvent, ...]
    ms: float

    def __str__(self) -> str:
        return self.text


_MARK = "__dazi_tool__"


def tool(
    function: Callable[..., Any] | None = None,
    *,
    effect: Effect = "read",
    examples: Sequence[str] = (),
    timeout_s: float = 10.0,
) -> Any:
    """Make a function a tool: its name, docstring and type hints are the declaration.

    ``effect``: ``read``, ``write`` or ``sensitive`` (asks for confirmation before it runs).
    """

    def declare(f: Callable[..., Any]) -> Callable[..., Any]:
        setattr(f, _MARK, _tool(f, effect, tuple(examples), timeout_s))
        return f

    return declare(function) if function is not None else declare


def _tool(f: Callable[..., Any], effect: Effect, examples: tuple[str, ...], timeout: float) -> Tool:
    doc = inspect.getdoc(f) or f.__name__.replace("_", " ")
    hints = get_type_hints(f, include_extras=True)
    parameters = tuple(
        _parameter(f, p, hints.get(p.name, str)) for p in inspect.signature(f).parameters.values()
    )
    return Tool(
        name=f.__name__,
        system=Text("Python", "Python"),
        description=Text.of(doc.split("\n\n")[0].replace("\n", " ")),
        parameters=parameters,
        roles=frozenset({ROLE}),
        effect=effect,
        connector="python",
        operation={"callable": f},
        timeout_s=timeout,
        examples=examples,
        result=ToolResultRules(shape="value"),
        source=f"{inspect.getsourcefile(f) or '?'}:{f.__name__}",
    )


_SCALARS: Mapping[Any, tuple[Scalar, Format | None]] = {
    str: ("string", None),
    int: ("integer", None),
    float: ("number", None),
    bool: ("boolean", None),
    date: ("string", "date"),
    time: ("string", "time"),
}


def _parameter(f: Callable[..., Any], p: inspect.Parameter, hint: Any) -> Parameter:
    extra = Arg()
    if get_origin(hint) is Annotated:
        hint, *metadata = get_args(hint)
        extra = next((m for m in metadata if isinstance(m, Arg)), extra)
    options = [a for a in get_args(hint) if a is not type(None)]
    if type(None) in get_args(hint) and len(options) == 1:
        hint = options[0]
    enum: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    if get_origin(hint) is Literal:
        kind: tuple[Scalar, Format | None] = ("string", None)
        enum = tuple(map(str, get_args(hint)))
    elif get_origin(hint) is list and get_origin(get_args(hint)[0]) is Literal:
        kind = ("array", None)
        items = tuple(map(str, get_args(get_args(hint)[0])))
    elif hint in _SCALARS:
        kind = _SCALARS[hint]
    else:
        raise ConfigError(
            inspect.getsourcefile(f) or "?",
            f.__code__.co_firstlineno,
            f"{f.__name__} 的参数 {p.name} 的类型 {hint} 不支持,"
            "可用:str int float bool date time Literal list[Literal]",
            f"argument {p.name} of {f.__name__} has the unsupported type {hint}; "
            "use str, int, float, bool, date, time, Literal or list[Literal]",
        )
    grounded = extra.grounded if extra.grounded is not None else extra.pattern is not None
    return Parameter(
        name=p.name,
        type=kind[0],
        description=Text.of(extra.description),
        required=p.default is inspect.Parameter.empty,
        enum=enum,
        items=items,
        pattern=extra.pattern,
        format=extra.format or kind[1],
        grounded=grounded,
    )


class _Functions:
    """The connector of a library's tools: calls the function, in a thread if it is not async."""

    async def execute(self, invocation: Invocation) -> Any:
        f = invocation.tool.operation["callable"]
        arguments = {
            p.name: _python(p, invocation.arguments[p.name])
            for p in invocation.tool.parameters
            if p.name in invocation.arguments
        }
        try:
            if inspect.iscoroutinefunction(f):
                return await f(**arguments)
            return await asyncio.to_thread(f, **arguments)
        except ConnectorError:
            raise
        except Exception as e:
            raise ConnectorError(
                "unavailable", f"{f.__name__} 出错:{e}", f"{f.__name__} failed: {e}"
            ) from e

    async def close(self) -> None:
        return None


def _python(p: Parameter, value: Any) -> Any:
    if p.format == "date":
        return date.fromisoformat(value)
    if p.format == "time":
        return time.fromisoformat(value)
    return value


class Assistant:
    """An assistant over Python functions; the same router, checks and audit as the service.

    ``model``: a name, folder, GGUF file or URL known to ``dazi model``; the bundled model without
    one. ``data``: where the thread, audit and intents are kept; a temporary folder without one.
    Works in scripts and notebooks (``ask``) and in async code (``ask_async``).
    """

    def __init__(
        self,
        tools: Sequence[Callable[..., Any]],
        *,
        model: str = "",
        data: Path | str | None = None,
        user: str = "you",
        engine: Engine | None = None,
        today: date | None = None,
    ) -> None:
        declared = [getattr(f, _MARK, None) or _tool(f, "read", (), 10.0) for f in tools]
        names = [t.name for t in declared]
        twice = {n for n in names if names.count(n) > 1}
        if twice:
            name = sorted(twice)[0]
            raise ConfigError("tools", None, f"工具 {name} 重名", f"two tools are called {name}")
        self._temporary = None if data else tempfile.TemporaryDirectory(prefix="dazi-")
        self._data = Path(data or (self._temporary.name if self._temporary else "."))
        self._company = Company(
            folder=self._data,
            name=Text("Dazi", "Dazi"),
            tools={t.name: t for t in declared},
            connectors={},
            roles={ROLE: frozenset({ROLE})},
            role_names={ROLE: Text("用户", "user")},
            settings={},
        )
        # What is not given here may come from the environment.
        given: dict[str, Any] = {"model": model, "today": today}
        self._settings = Settings(
            data=self._data, database="", **{k: v for k, v in given.items() if v}
        )
        self._principal = Principal(
            user, frozenset({ROLE}), MappingProxyType({}), channel="library"
        )
        self._thread = f"lib-{secrets.token_hex(8)}"
        self._engine = engine
        self._loop = asyncio.new_event_loop()
        self._worker = threading.Thread(target=self._loop.run_forever, daemon=True, name="dazi")
        self._worker.start()
        self._runtime: Runtime = self._run(self._open())

    async def _open(self) -> Runtime:
        engine = self._engine
        if engine is None:
            engine = await asyncio.to_thread(load_engine, self._settings, self._data)
        functions = {"python": _Functions()}
        return await assemble(self._settings, self._company, dict(functions), engine, self._data)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def ask(self, text: str) -> Answer:
        """Ask, in the thread of what was asked before."""
        return self._run(self._ask(text))

    async def ask_async(self, text: str) -> Answer:
        work = asyncio.run_coroutine_threadsafe(self._ask(text), self._loop)
        return await asyncio.wrap_future(work)

    def confirm(self, answer: Answer, approve: bool = True) -> Answer:
        """Decide what ``answer`` waits for. Raises ``ValueError`` when it waits for nothing."""
        if answer.confirmation is None:
            raise ValueError("this answer waits for no confirmation")
        return self._run(self._decide(answer.confirmation.ticket, approve))

    def new_thread(self) -> None:
        """Forget what was said so far."""
        self._thread = f"lib-{secrets.token_hex(8)}"

    def audit(self) -> list[Any]:
        """Every record of this assistant's ledger, oldest first."""
        return self._run(self._runtime.audit.rows())

    def close(self) -> None:
        self._run(self._runtime.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._worker.join(10)
        if self._temporary is not None:
            self._temporary.cleanup()

    def __enter__(self) -> Assistant:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def _ask(self, text: str) -> Answer:
        ask = Ask(self._principal, self._thread, text)
        return _answer([e async for e in self._runtime.service.ask(ask)])

    async def _decide(self, ticket: str, approve: bool) -> Answer:
        events = self._runtime.service.decide(self._principal, ticket, approve)
        return _answer([e async for e in events])


def _answer(events: list[TurnEvent]) -> Answer:
    end = next(e for e in reversed(events) if isinstance(e, TurnFinished))
    waiting = next((e for e in events if isinstance(e, ConfirmationNeeded)), None)
    evidence = tuple(r.result for r in end.calls if r.outcome == "ok")
    return Answer(end.answer, end.calls, evidence, waiting, tuple(events), end.ms)
