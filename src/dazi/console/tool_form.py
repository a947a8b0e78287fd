"""A form for a tool's arguments, made from its declaration."""

from __future__ import annotations

import json
from typing import Any

from nicegui import ui

from dazi.console import tool_texts as texts
from dazi.console.abilities import short
from dazi.console.pieces import div
from dazi.core.language import Language, Text
from dazi.core.tools import Parameter, Tool

LONGEST = 20_000


class Wrong(Exception):
    """``field``: which one, and ``why``."""

    def __init__(self, field: str, why: Text) -> None:
        super().__init__(field)
        self.field, self.why = field, why


def read(parameter: Parameter, value: Any) -> Any:
    """The argument as JSON data; ``None`` where nothing was given. Raises ``Wrong``."""
    if isinstance(value, str):
        value = value.strip()
    if value in (None, "", []):
        return None
    match parameter.type:
        case "integer":
            return _number(parameter, str(value), whole=True)
        case "number":
            return _number(parameter, str(value), whole=False)
        case "boolean":
            return value == "true"
        case "array" if isinstance(value, str):
            return [line.strip() for line in value.splitlines() if line.strip()]
        case _:
            return value


def _number(parameter: Parameter, text: str, *, whole: bool) -> int | float:
    try:
        return int(text) if whole else float(text)
    except ValueError:
        raise Wrong(parameter.name, texts.WHOLE if whole else texts.NUMBER) from None


class ToolForm:
    """Draws itself where it is made."""

    def __init__(self, tool: Tool, language: Language) -> None:
        self._tool, self._language = tool, language
        self._inputs: dict[str, Any] = {}
        with div("dz-tool-form"):
            for p in tool.parameters:
                self._inputs[p.name] = self._input(p)

    def arguments(self) -> dict[str, Any] | None:
        """What is filled in; ``None`` where something is wrong, which is told beside its field."""
        found: dict[str, Any] = {}
        right = True
        for p in self._tool.parameters:
            field = self._inputs[p.name]
            field.error = None
            try:
                value = read(p, field.value)
            except Wrong as wrong:
                field.error = wrong.why(self._language)
                right = False
                continue
            if value is not None:
                found[p.name] = value
        return found if right else None

    def json(self) -> str | None:
        found = self.arguments()
        return None if found is None else json.dumps(found, ensure_ascii=False)

    def clear(self) -> None:
        for field in self._inputs.values():
            field.error = None
            field.set_value([] if isinstance(field.value, list) else "")

    def _input(self, p: Parameter) -> Any:
        language = self._language
        said = short(p.description, language) or p.name
        label = f"{said} *" if p.required else said
        options = self._options(p)
        if options is not None:
            many = p.type == "array"
            made: Any = ui.select(options, label=label, value=[] if many else "", multiple=many)
            made.props("options-dense")
        elif p.prose or p.type == "array":
            made = ui.textarea(label).props("autogrow")
        else:
            made = ui.input(label)
            if p.format in ("date", "time", "month"):
                made.props(f"type={p.format} stack-label")
            elif p.type in ("integer", "number"):
                made.props(f"inputmode={'numeric' if p.type == 'integer' else 'decimal'}")
        if options is None:
            made.props(f"maxlength={min(p.max_length, LONGEST)}")
        made.without_auto_validation()
        made.props("outlined dense hide-bottom-space")
        return made.classes(f"dz-tool-field dz-tool-field-{p.name}")

    def _options(self, p: Parameter) -> dict[str, str] | None:
        language = self._language
        values = p.items or p.enum
        if p.type == "boolean":
            values = ("true", "false")
        if not values:
            return None
        labels = {v: f"{p.labels[v](language)} ({v})" if v in p.labels else v for v in values}
        return labels if p.type == "array" else {"": texts.NOT_CHOSEN(language), **labels}
