"""Java and JavaScript literals as values.

BFCL has models of those categories write every argument as text, and reads that text by the type which
the function declares. What does not read as its type stays text, and is then compared as text. The
reading is as narrow as that of the published grader (package ``bfcl-eval``): no nested expressions, no
escapes, a list is split at its commas. Wider would be kinder, and would not agree with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

JAVA_TYPES: dict[str, type] = {
    "byte": int,
    "short": int,
    "integer": int,
    "long": int,
    "float": float,
    "double": float,
    "boolean": bool,
    "char": str,
    "String": str,
    "any": str,
    "Array": list,
    "ArrayList": list,
    "Queue": list,
    "Stack": list,
    "Set": set,
    "HashMap": dict,
    "Hashtable": dict,
}
JAVASCRIPT_TYPES: dict[str, type] = {
    "integer": int,
    "Bigint": int,
    "float": float,
    "Boolean": bool,
    "String": str,
    "any": str,
    "array": list,
    "dict": dict,
}
LISTS = frozenset({"Array", "ArrayList", "array"})
"""Types that say what is in them."""

_WHOLE = re.compile(r"-?\d+")
_DECIMAL = re.compile(r"-?\d+(\.\d+)?")
_EXPONENT = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
_ARRAY = re.compile(r"new\s+\w+\[\]\s*\{(.*?)\}")
_AS_LIST = re.compile(r"new\s+ArrayList<\w*>\(Arrays\.asList\((.+?)\)\)")
_ADDED = re.compile(r"new\s+ArrayList<\w*>\(\)\s*\{\{\s*(.+?)\s*\}\}", re.DOTALL)
_ADD = re.compile(r"add\((.+?)\)")
_NEW_LIST = re.compile(r"new\s+ArrayList<\w*>\(\)")
_MAP = re.compile(r"new\s+HashMap<.*?>\s*\(\)\s*\{\s*\{?\s*(.*?)\s*\}?\s*\}", re.DOTALL)
_PUT = re.compile(r'put\("(.*?)",\s*(.*?)\)')
_NEW_MAP = re.compile(r"new\s+HashMap<.*?>\s*\(\)")

_ROWS = re.compile(
    r"\[\s*\[.*?\]\s*(?:,\s*\[.*?\]\s*)*\]|\bnew\s+Array\(\s*\[.*?\]\s*(?:,\s*\[.*?\]\s*)*\)"
)
_ROW = re.compile(r"\[(.*?)\]")
_ITEMS = re.compile(r"\[(.*?)\]|\bnew\s+Array\((.*?)\)")
_OBJECT = re.compile(r"\{(.*?)\}")
_MEMBER = re.compile(r"([^:]+):\s*(.*?)(?:,\s*(?=[^,]+:)|$)")


def read_java(text: str, kind: str, items: str = "") -> Any:
    """``items``: the declared type of what is in an ``Array`` or ``ArrayList``."""
    match kind:
        case "byte" | "short" | "integer":
            return int(text) if _WHOLE.fullmatch(text) else text
        case "long":
            return int(text[:-1]) if text[-1:] in "lL" and _WHOLE.fullmatch(text[:-1]) else text
        case "float":
            return float(text[:-1]) if _suffixed(text) else text
        case "double":
            return float(text) if _EXPONENT.fullmatch(text) else text
        case "boolean":
            return text == "true" if text in ("true", "false") else text
        case "Array":
            return _java_array(text, items)
        case "ArrayList":
            return _java_list(text, items)
        case "HashMap":
            return _java_map(text)
        case _:
            return text


def _suffixed(text: str) -> bool:
    return text[-1:] in ("f", "F") and _EXPONENT.fullmatch(text[:-1]) is not None


def _java_array(text: str, items: str) -> Any:
    found = _ARRAY.search(text)
    if found is None:
        return text
    parts = [p.strip() for p in found[1].split(",") if p.strip()]
    return [read_java(p, items) if items else _java_value(p) for p in parts]


def _java_list(text: str, items: str) -> Any:
    if (given := _AS_LIST.search(text)) is not None:
        return _java_items([p.strip() for p in given[1].split(",")], items)
    if (added := _ADDED.search(text)) is not None:
        return _java_items([p.strip() for p in _ADD.findall(added[1])], items)
    return [] if _NEW_LIST.search(text) else text


def _java_items(parts: Sequence[str], items: str) -> list[Any]:
    if items in ("char", "String"):
        return [p[1:-1] for p in parts]
    return [read_java(p, items) if items else _java_value(p) for p in parts]


def _java_map(text: str) -> Any:
    found = _MAP.search(text)
    if found is not None:
        return {key: _java_value(value.strip()) for key, value in _PUT.findall(found[1])}
    return {} if _NEW_MAP.search(text) else text


def _java_value(text: str) -> Any:
    """Of no declared type: by what it looks like."""
    if text in ("true", "false"):
        return text == "true"
    if text.startswith('"') and text.endswith('"'):
        return text[1:-1]
    if text[-1:] in ("l", "L") and _WHOLE.fullmatch(text[:-1]):
        return int(text[:-1])
    return float(text[:-1]) if _suffixed(text) else _number(text)


def read_javascript(text: str, kind: str, items: str = "") -> Any:
    """``items``: the declared type of what is in an ``array``."""
    match kind:
        case "String":
            return text[1:-1] if _quoted(text) else text
        case "integer":
            return int(text) if _WHOLE.fullmatch(text) else text
        case "Bigint":
            return int(text[:-1]) if text[-1:] == "n" and _WHOLE.fullmatch(text[:-1]) else text
        case "float":
            return float(text) if _DECIMAL.fullmatch(text) else text
        case "Boolean":
            return text == "true" if text in ("true", "false") else text
        case "array":
            return _script_array(text.strip(), items)
        case "dict":
            return _script_object(text.strip())
        case _:
            return text


def _script_array(text: str, items: str) -> Any:
    if (rows := _ROWS.match(text)) is not None:
        inner = [r.strip() for r in _ROW.findall(rows[0])]
        if inner and inner[0].startswith("["):
            inner[0] = inner[0][1:]
        return [[_script_value(p) for p in row.split(",")] for row in inner]
    found = _ITEMS.match(text)
    if found is None:
        return text
    listed = (found[1] if found[1] is not None else found[2]).strip()
    parts = [p.strip() for p in listed.split(",")] if listed else []
    if not items:
        return [_script_value(p) for p in parts]
    if items not in JAVASCRIPT_TYPES and parts:
        return text
    return [read_javascript(p, items) for p in parts]


def _script_object(text: str) -> Any:
    if text == "{}":
        return {}
    found = _OBJECT.match(text)
    if found is None:
        return text
    return {
        key.strip().strip("'\""): _script_member(value.strip())
        for key, value in _MEMBER.findall(found[1])
    }


def _script_member(text: str) -> Any:
    if text.startswith("[") and text.endswith("]"):
        return _script_array(text, "")
    if text.startswith("{") and text.endswith("}"):
        return _script_object(text)
    return _script_value(text.strip("'\""))


def _script_value(text: str) -> Any:
    text = text.strip()
    if text in ("true", "false"):
        return text == "true"
    return text[1:-1] if _quoted(text) else _number(text)


def _quoted(text: str) -> bool:
    return any(text.startswith(q) and text.endswith(q) for q in "\"'")


def _number(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


READERS: dict[str, tuple[dict[str, type], Callable[[str, str, str], Any]]] = {
    "java": (JAVA_TYPES, read_java),
    "javascript": (JAVASCRIPT_TYPES, read_javascript),
}
"""Of each language: what its types become, and how a text is read as one."""
