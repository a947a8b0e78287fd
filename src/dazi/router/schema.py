"""Arguments against a tool's parameters: as offered (dates are text) and canonical."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec

from dazi.core.errors import ModelError
from dazi.core.ids import canonical_id
from dazi.core.tools import Format, Parameter, Tool
from dazi.router.normalise.fields import expected, normalise
from dazi.router.normalise.numbers import number_text, parse_number
from dazi.router.normalise.sinks import parse_account, parse_url
from dazi.router.normalise.times import parse_range

_KINDS: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
}
_CANONICAL = {
    "date": re.compile(r"\d{4}-\d{2}-\d{2}"),
    "time": re.compile(r"([01]\d|2[0-3]):[0-5]\d"),
    "month": re.compile(r"\d{4}-(0[1-9]|1[0-2])"),
    "quarter": re.compile(r"\d{4}-Q[1-4]"),
    "email": re.compile(r"[^@\s<>\"]+@[^@\s<>\"]+\.[^@\s<>\"]+"),
    "money": re.compile(r"-?\d+(?:\.\d{1,2})?"),
}
MAX_ARGUMENT_BYTES = 64_000


def parse_arguments(tool: Tool, text: str) -> dict[str, Any]:
    """JSON text -> arguments that fit the offered schema. Raises ``ModelError``."""
    try:
        if len(text.encode()) > MAX_ARGUMENT_BYTES:
            raise ModelError("invalid", "参数太长", "the arguments are too long")
        data = msgspec.json.decode(text)
    except (ValueError, RecursionError) as e:
        raise ModelError(
            "invalid", f"参数不是合法的 JSON:{e}", f"arguments are not JSON: {e}"
        ) from None
    if not isinstance(data, dict):
        raise ModelError("invalid", "参数必须是 JSON 对象", "arguments must be a JSON object")
    for name in data:
        if tool.parameter(name) is None:
            raise ModelError("invalid", f"没有参数 {name}", f"{tool.name} has no parameter {name}")
    out: dict[str, Any] = {}
    for p in tool.parameters:
        value = data.get(p.name)
        if value is None:
            if p.required:
                raise ModelError("invalid", f"缺少参数 {p.name}", f"{p.name} is required", p.name)
            continue
        out[p.name] = _typed(p, value)
    return out


def _typed(p: Parameter, value: Any) -> Any:
    if p.type in ("number", "integer") and isinstance(value, str):
        # Models write numbers as strings often enough; the meaning is not in doubt.
        number = parse_number(value)
        if number is not None:
            value = float(number)
    if p.type == "integer" and isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, _KINDS[p.type]) or (p.type != "boolean" and isinstance(value, bool)):
        raise ModelError("invalid", f"{p.name} 应是 {p.type}", f"{p.name} must be {p.type}", p.name)
    if p.enum and value not in p.enum:
        options = ", ".join(p.enum)
        raise ModelError(
            "invalid", f"{p.name} 只能是 {options}", f"{p.name} must be one of {options}", p.name
        )
    if isinstance(value, list):
        items = [str(v) for v in value]
        bad = [v for v in items if v not in p.items]
        if bad:
            options = ", ".join(p.items)
            raise ModelError(
                "invalid",
                f"{p.name} 里只能有 {options}",
                f"{p.name} may hold only {options}",
                p.name,
            )
        value = list(dict.fromkeys(items))
    if isinstance(value, str):
        value = value.strip()
        if p.required and not value:
            raise ModelError("invalid", f"{p.name} 不能为空", f"{p.name} must not be empty", p.name)
        if len(value) > p.max_length:
            raise ModelError(
                "invalid",
                f"{p.name} 超过 {p.max_length} 个字符",
                f"{p.name} is longer than {p.max_length} characters",
                p.name,
            )
    return value


def canonicalise(tool: Tool, arguments: Mapping[str, Any], today: date) -> dict[str, Any]:
    """Dates, times, periods, ids and amounts in their one canonical form.

    Raises ``ModelError`` saying what is expected when a value cannot be read.
    """
    out: dict[str, Any] = {}
    for p in tool.parameters:
        if p.name not in arguments:
            continue
        value = arguments[p.name]
        if p.format is not None:
            text = _in_form(tool, p, arguments, today)
            if text is None:
                wanted = expected(p.format)
                raise ModelError(
                    "invalid",
                    f"{p.name} 读不懂 “{value}”,应为{wanted.zh}",
                    f"{p.name}: cannot read “{value}”; expected {wanted.en}",
                    p.name,
                )
            value = _amount(text) if p.format == "money" else text
        elif p.pattern:
            value = canonical_id(p.pattern, str(value)) or value
        elif p.type == "number":
            number = parse_number(str(value))
            if number is not None:
                value = _amount(number_text(number))
        out[p.name] = value
    return out


def _amount(text: str) -> int | float:
    return float(text) if "." in text else int(text)


def _in_form(tool: Tool, p: Parameter, arguments: Mapping[str, Any], today: date) -> str | None:
    """The canonical form of a date, time, month, quarter or address, or ``None``."""
    assert p.format is not None
    text = str(arguments[p.name])
    if p.format == "time":
        later = next((q.name for q in tool.parameters if q.after == p.name), "")
        if p.after in arguments:
            return parse_range(str(arguments[p.after]), text)[1]
        if later in arguments:
            return parse_range(text, str(arguments[later]))[0]
    return normalise(p.format, text, today, past=p.past)


def _in_canonical_form(format: Format, text: str) -> bool:
    match format:
        case "url":
            return parse_url(text) == text
        case "account":
            return parse_account(text) == text
        case _:
            return _CANONICAL[format].fullmatch(text) is not None


def check_canonical(tool: Tool, arguments: Mapping[str, Any]) -> None:
    """The canonical schema: formats, patterns and ranges. Raises ``ModelError``."""
    for p in tool.parameters:
        value = arguments.get(p.name)
        if value is None:
            continue
        if p.format and not _in_canonical_form(p.format, str(value)):
            raise ModelError(
                "invalid", f"{p.name} 的值不对", f"{p.name} is not a valid {p.format}", p.name
            )
        if p.after and p.after in arguments and str(value) <= str(arguments[p.after]):
            raise ModelError(
                "invalid",
                f"{p.name} 必须晚于 {p.after}",
                f"{p.name} must be later than {p.after}",
                p.name,
            )
        if p.pattern and not re.fullmatch(p.pattern, str(value)):
            raise ModelError(
                "invalid",
                f"{p.name} 的格式应为 {p.pattern}",
                f"{p.name} must match {p.pattern}",
                p.name,
            )
        if p.type in ("integer", "number"):
            if p.minimum is not None and value < p.minimum:
                raise ModelError(
                    "invalid",
                    f"{p.name} 不能小于 {p.minimum:g}",
                    f"{p.name} must be >= {p.minimum:g}",
                    p.name,
                )
            if p.maximum is not None and value > p.maximum:
                raise ModelError(
                    "invalid",
                    f"{p.name} 不能大于 {p.maximum:g}",
                    f"{p.name} must be <= {p.maximum:g}",
                    p.name,
                )
