"""Tool declarations: ``tools/*.yaml`` of a company folder -> ``core.tools.Tool``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dazi.core.company import ConnectorSpec
from dazi.core.errors import ConfigError
from dazi.core.language import Text
from dazi.core.tools import (
    SINKS,
    Binding,
    Effect,
    Format,
    Origin,
    Parameter,
    Scalar,
    Tool,
    ToolResultRules,
)
from dazi.packs.layers import layers_of, nothing_left_out
from dazi.router.derive import RULES
from dazi.router.yaml_source import YamlSource

Words = str | dict[Literal["zh", "en"], str]

TOOL_NAME = re.compile(r"^[a-z][a-z0-9_]{1,63}$")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ParameterFile(_Strict):
    type: Scalar
    description: Words = ""
    required: bool = False
    enum: list[str] = []
    items: list[str] = []
    pattern: str | None = None
    format: Format | None = None
    grounded: bool = False
    minimum: float | None = None
    maximum: float | None = None
    max_length: int = Field(500, ge=1, le=100_000)
    default: Any = None
    past: bool = False
    after: str = ""
    prose: bool = False
    labels: dict[str, Words] = {}


class ResultFile(_Strict):
    shape: Literal["one", "many", "value"] = "value"
    rows: str = "rows"
    derive: list[dict[str, Any]] = []
    shown: list[str] = []
    detail: list[str] = []
    model_rows: int = Field(3, ge=0, le=50)
    attach: Literal["none", "table", "chart", "sources"] = "none"
    compare: dict[str, str] = {}
    labels: dict[str, Words] = {}
    values: dict[str, dict[str, Words]] = {}


class BindingFile(_Strict):
    attribute: str
    required_for: list[str] = []


class ToolFile(BaseModel):
    """One tool; keys beyond these belong to the connector and are checked by it."""

    model_config = ConfigDict(extra="allow")
    description: Words
    effect: Effect
    roles: list[str]
    parameters: dict[str, ParameterFile] = {}
    bind: dict[str, str | BindingFile] = {}
    timeout_s: float = Field(10.0, gt=0, le=600)
    examples: list[str] = []
    example: Any = None
    result: ResultFile = ResultFile()
    approver: str = ""
    origin: Origin = "tool"


class ConnectorFile(BaseModel):
    model_config = ConfigDict(extra="allow")
    kind: str


class SystemFile(_Strict):
    """A file of ``tools/``: one system, its connector and its tools."""

    system: Words
    connector: ConnectorFile
    tools: dict[str, ToolFile]


OPERATION_KEYS: Mapping[str, frozenset[str]] = {
    "sql": frozenset({"sql", "returning", "totals", "search", "views", "write", "refused"}),
    "http": frozenset({"operation", "path", "refused"}),
    "python": frozenset({"function", "needs_results", "refused"}),
    "smtp": frozenset({"refused"}),
    "mcp": frozenset({"tool", "pin", "refused"}),
    "knowledge": frozenset({"refused"}),
}


def load_tools(folder: Path) -> tuple[dict[str, Tool], dict[str, ConnectorSpec]]:
    """Every tool declared under ``folder/tools`` and in the packs that it extends, and the connectors
    they need. A tool takes the place of the one of the same name in a pack.

    Requests in ``tools/examples/NAME.txt``, one a line, are examples of tool ``NAME`` beside those
    in its declaration. Raises ``ConfigError`` with file, line and mend at the first mistake.
    """
    layers = layers_of(folder)
    counting = layers.glob("tools/*.yaml")
    tools: dict[str, Tool] = {}
    connectors: dict[str, ConnectorSpec] = {}
    gone: set[str] = set()
    by: dict[str, int] = {}
    for number, layer in reversed(list(enumerate(layers.layers))):
        for name in (w.partition(":")[2] for w in layer.without if w.startswith("tool:")):
            if tools.pop(name, None) is None:
                raise nothing_left_out(layer, f"tool:{name}")
            gone.add(name)
        declared: dict[str, Tool] = {}
        for path in (p for p in counting if layers.layer_of(p) is layer):
            spec = _load_file(YamlSource(path), declared)
            connectors[spec.name] = spec
        for name, tool in declared.items():
            tools.pop(name, None)
            tools[name], by[name] = tool, number
    used = {t.connector for t in tools.values()}
    connectors = {name: spec for name, spec in connectors.items() if name in used}
    for path in layers.glob("tools/examples/*.txt"):
        known = tools.get(path.stem)
        if known is not None:
            layer_of = layers.layer_of(path)
            if layer_of is not None and layers.layers.index(layer_of) > by[path.stem]:
                continue  # of the declaration whose place it took
            tools[path.stem] = replace(known, examples=(*known.examples, *_lines(path)))
        elif path.stem not in gone:
            raise ConfigError(
                path,
                None,
                f"没有叫 “{path.stem}” 的工具。文件名要与工具名相同",
                f"there is no tool “{path.stem}”. Name the file after a tool",
            )
    if not tools:
        raise ConfigError(
            folder / "tools",
            None,
            "没有声明任何工具。用 dazi init 生成一个样例目录",
            "declares no tools. Make a sample folder with dazi init",
        )
    return tools, connectors


def _load_file(source: YamlSource, tools: dict[str, Tool]) -> ConnectorSpec:
    """A file's system; its tools are put to those that its folder declared before."""
    file = _validated(source)
    config = {**(file.connector.model_extra or {})}
    spec = ConnectorSpec(source.path.stem, file.connector.kind, config, str(source.path))
    if spec.kind not in OPERATION_KEYS:
        kinds = ", ".join(sorted(OPERATION_KEYS))
        raise source.error(
            ("connector", "kind"),
            f"没有 “{spec.kind}” 这种连接方式,可用:{kinds}",
            f"no connector kind “{spec.kind}”; use one of {kinds}",
        )
    for name, tool in file.tools.items():
        if name in tools:
            raise source.error(
                ("tools", name),
                f"工具 “{name}” 已在 {tools[name].source} 声明,换个名字",
                f"tool “{name}” is already declared in {tools[name].source}; rename one",
            )
        tools[name] = _tool(source, file, spec, name, tool)
    return spec


def _lines(path: Path) -> list[str]:
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _validated(source: YamlSource) -> SystemFile:
    try:
        return SystemFile.model_validate(source.data)
    except ValidationError as e:
        first = e.errors()[0]
        path = [p for p in first["loc"] if isinstance(p, str | int)]
        where = ".".join(map(str, path))
        raise source.error(
            path,
            f"{where}:{_mend_zh(first['type'])}({first['msg']})",
            f"{where}: {first['msg']}",
        ) from None


def _mend_zh(kind: str) -> str:
    return {
        "missing": "缺少这一项",
        "extra_forbidden": "不认识这个键,检查拼写",
        "literal_error": "取值不在允许的范围内",
    }.get(kind, "值不对")


def _tool(
    source: YamlSource, file: SystemFile, spec: ConnectorSpec, name: str, tool: ToolFile
) -> Tool:
    at = ("tools", name)
    if not TOOL_NAME.fullmatch(name):
        raise source.error(
            at,
            f"工具名 “{name}” 只能用小写字母、数字和下划线",
            f"tool name “{name}” may hold lower-case letters, digits and underscores only",
        )
    operation = dict(tool.model_extra or {})
    unknown = set(operation) - OPERATION_KEYS[spec.kind]
    if unknown:
        key = sorted(unknown)[0]
        raise source.error(
            (*at, key),
            f"{spec.kind} 工具不认识 “{key}” 这个键,检查拼写",
            f"a {spec.kind} tool has no key “{key}”; check the spelling",
        )
    clash = set(tool.bind) & set(tool.parameters)
    if clash:
        key = sorted(clash)[0]
        raise source.error(
            (*at, "bind", key),
            f"“{key}” 由系统按身份填写,不能同时是模型的参数",
            f"“{key}” is filled from the caller's identity; it cannot be a parameter too",
        )
    rules = tool.result
    for i, rule in enumerate(rules.derive):
        if len(set(rule) & set(RULES)) != 1:
            known = ", ".join(RULES)
            raise source.error(
                (*at, "result", "derive", i),
                f"每条 derive 要有且只有一种规则:{known}",
                f"a derive entry needs exactly one rule of {known}",
            )
    return Tool(
        name=name,
        system=Text.of(file.system),  # type: ignore[arg-type]
        description=Text.of(tool.description),  # type: ignore[arg-type]
        parameters=tuple(_parameter(source, at, n, p) for n, p in tool.parameters.items()),
        roles=frozenset(tool.roles),
        effect=tool.effect,
        connector=spec.name,
        operation=operation,
        bind={name: _binding(b) for name, b in tool.bind.items()},
        timeout_s=tool.timeout_s,
        examples=tuple(tool.examples),
        example=tool.example,
        result=ToolResultRules(
            shape=rules.shape,
            rows=rules.rows,
            derive=tuple(rules.derive),
            shown=tuple(rules.shown),
            detail=tuple(rules.detail),
            model_rows=rules.model_rows,
            attach=rules.attach,
            compare=rules.compare,
            labels=_texts(rules.labels),
            values={field: _texts(words) for field, words in rules.values.items()},
        ),
        source=f"{source.path}:{source.line(at)}",
        approver=tool.approver,
        origin=tool.origin,
    )


def _binding(b: str | BindingFile) -> Binding:
    return Binding(b) if isinstance(b, str) else Binding(b.attribute, frozenset(b.required_for))


def _texts(words: Mapping[str, Words]) -> dict[str, Text]:
    return {key: Text.of(value) for key, value in words.items()}  # type: ignore[arg-type]


def _parameter(source: YamlSource, at: tuple[str, ...], name: str, p: ParameterFile) -> Parameter:
    if p.pattern is not None:
        try:
            re.compile(p.pattern)
        except re.error as e:
            raise source.error(
                (*at, "parameters", name, "pattern"),
                f"正则表达式有误:{e}",
                f"not a valid regular expression: {e}",
            ) from None
    if p.type == "array" and not p.items:
        raise source.error(
            (*at, "parameters", name),
            "数组参数要用 items 列出可取的值",
            "an array parameter needs items: the values it may hold",
        )
    if p.format is not None and p.type != ("number" if p.format == "money" else "string"):
        wanted = "number" if p.format == "money" else "string"
        raise source.error(
            (*at, "parameters", name),
            f"format 为 {p.format} 的参数,type 应为 {wanted}",
            f"a parameter of format {p.format} has type {wanted}",
        )
    return Parameter(
        name=name,
        type=p.type,
        description=Text.of(p.description),  # type: ignore[arg-type]
        required=p.required,
        enum=tuple(p.enum),
        items=tuple(p.items),
        pattern=p.pattern,
        format=p.format,
        grounded=p.grounded or p.format in SINKS,
        minimum=p.minimum,
        maximum=p.maximum,
        max_length=p.max_length,
        default=p.default,
        past=p.past,
        after=p.after,
        prose=p.prose,
        labels=_texts(p.labels),
    )
