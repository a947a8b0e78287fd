"""Declared tools: what a company lets its assistant do, and how it is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from dazi.core.language import Language, Text
from dazi.core.principal import Principal

Effect = Literal["read", "write", "sensitive"]
Scalar = Literal["string", "integer", "number", "boolean", "array"]
Format = Literal["date", "time", "month", "quarter", "email", "money", "url", "account"]
Origin = Literal["tool", "document", "mail", "web"]
SINKS: frozenset[str] = frozenset({"email", "money", "url", "account"})
"""Formats that say where something goes: recipients, amounts, addresses, accounts."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a tool, as the model sees it.

    ``format`` values are text to the model (「下周三」) and canonical after the router's
    normalisation (``2025-04-09``). ``grounded``: the value must occur in the turn's evidence.
    ``default`` is filled in by the router; ``"@results"`` stands for the numbers of all earlier
    results of the turn. ``past``: a day without a year or a week lies behind, not ahead. ``after``
    names the time that this one follows: 「两点到三点」 is then read as one range, and a length of
    time (「一个小时」) will do. ``prose``: a passage in the person's own words, such as a note.
    ``money`` is an amount in yuan with at most two decimals; ``account`` a bank or payment account.
    ``labels`` name an enum's values for people:
    ``{"marketing": Text("市场部", "Marketing")}``.
    """

    name: str
    type: Scalar
    description: Text
    required: bool = False
    enum: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    pattern: str | None = None
    format: Format | None = None
    grounded: bool = False
    minimum: float | None = None
    maximum: float | None = None
    max_length: int = 500
    default: Any = None
    past: bool = False
    after: str = ""
    prose: bool = False
    labels: Mapping[str, Text] = field(default_factory=dict)

    def names(self, value: str) -> tuple[str, ...]:
        """What people call one of the declared values, in either language."""
        label = self.labels.get(value)
        return (label.zh, label.en) if label else (value,)


@dataclass(frozen=True, slots=True)
class ToolResultRules:
    """What the host makes of a result before anybody sees it (see ``router.derive``).

    ``shown`` are the fields that everybody gets; ``detail`` those that a model gets besides which words
    its answers itself."""

    shape: Literal["one", "many", "value"] = "value"
    rows: str = "rows"
    derive: tuple[Mapping[str, Any], ...] = ()
    shown: tuple[str, ...] = ()
    detail: tuple[str, ...] = ()
    model_rows: int = 3
    attach: Literal["none", "table", "chart", "sources"] = "none"
    compare: Mapping[str, Any] = field(default_factory=dict)
    labels: Mapping[str, Text] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, Text]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Binding:
    """A hidden argument, filled from the caller's identity.

    ``required_for``: callers with one of these roles must have the attribute, and see only what is
    theirs; for others the argument is ``None``. Empty: everybody must have it.
    """

    attribute: str
    required_for: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Tool:
    """A declared tool.

    ``approver``: the role of a second person who must agree, whoever asks; empty: the requester
    confirms what is sensitive. ``origin`` says what kind of text a result is: a document's or a
    mail's words are nobody's instructions. ``bind`` maps hidden arguments to what fills them.
    ``connector`` names the connector instance and ``operation`` is that connector's own configuration of this tool.
    """

    name: str
    system: Text
    description: Text
    parameters: tuple[Parameter, ...]
    roles: frozenset[str]
    effect: Effect
    connector: str
    operation: Mapping[str, Any]
    bind: Mapping[str, Binding] = field(default_factory=dict)
    timeout_s: float = 10.0
    examples: tuple[str, ...] = ()
    example: Any = None
    result: ToolResultRules = ToolResultRules()
    source: str = ""
    approver: str = ""
    origin: Origin = "tool"

    @property
    def label(self) -> str:
        """What values of its results are labelled with."""
        return f"{self.origin}:{self.name}"

    def parameter(self, name: str) -> Parameter | None:
        return next((p for p in self.parameters if p.name == name), None)

    def schema(self, language: Language, *, concise: bool = False) -> dict[str, Any]:
        """The JSON Schema that the model is offered: dates and times are plain text in it.

        ``concise`` leaves out what only helps a large model: descriptions and patterns.
        """
        return {
            "type": "object",
            "properties": {p.name: _property(p, language, concise) for p in self.parameters},
            "required": [p.name for p in self.parameters if p.required],
        }


def _property(p: Parameter, language: Language, concise: bool) -> dict[str, Any]:
    out: dict[str, Any] = {"type": p.type}
    description = p.description(language)
    if description and not concise:
        out["description"] = description
    if p.enum:
        out["enum"] = list(p.enum)
    if p.items:
        out["items"] = {"type": "string", "enum": list(p.items)}
    if p.pattern and not concise:
        out["pattern"] = p.pattern
    return out


@dataclass(frozen=True, slots=True)
class Invocation:
    """What a connector is asked to do: canonical arguments, bound identity, and a key.

    ``idempotency_key`` is stable across retries of one intent. ``deadline_s`` is the time the
    connector has, in seconds from now.
    """

    tool: Tool
    arguments: Mapping[str, Any]
    bound: Mapping[str, str | None]
    principal: Principal
    idempotency_key: str
    deadline_s: float
    today: str
    evidence: tuple[Any, ...] = ()
    heard: tuple[str, ...] = ()
    """What the person said in this thread, latest first."""
    thread: str = ""
    trace: str = ""
    """W3C ``traceparent`` for what the system is asked."""


class Connector(Protocol):
    """One kind of external system. Raises ``ConnectorError``, never anything else."""

    async def execute(self, invocation: Invocation) -> Any:
        """The system's answer as JSON-compatible data; ``None`` or ``[]`` when nothing matched."""
        ...

    async def close(self) -> None: ...
