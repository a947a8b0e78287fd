"""From what a system hands over to JSON-compatible data of a bounded size."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from dazi.connectors.failures import bad_response, too_large
from dazi.core.tools import Invocation, Tool

MAX_ROWS = 200
MAX_BYTES = 256 * 1024
MONEY_DECIMALS = 2
OTHER_DECIMALS = 6


def plain(value: Any, decimals: int = OTHER_DECIMALS) -> Any:
    """``value`` as JSON-compatible data: dates as ISO 8601 text, numbers rounded, whole ones as
    integers. Raises ``TypeError`` or ``ValueError`` for what JSON cannot hold."""
    match value:
        case None | bool() | int() | str():
            return value
        case float() | Decimal():
            if not math.isfinite(value):
                raise ValueError(f"{value} is not a JSON number")
            rounded = round(float(value), decimals)
            return int(rounded) if rounded.is_integer() else rounded
        case datetime() | date() | time():
            return value.isoformat()
        case Mapping():
            return {_key(k): plain(v, decimals) for k, v in value.items()}
        case Sequence() if not isinstance(value, (bytes, bytearray, memoryview)):
            return [plain(v, decimals) for v in value]
    raise TypeError(f"{type(value).__name__} is not JSON data")


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"{type(key).__name__} is not a JSON object's key")
    return key


def checked(invocation: Invocation, value: Any, decimals: int = OTHER_DECIMALS) -> Any:
    """``plain(value)``, or ``bad_response`` / ``too_large`` when it cannot or may not be passed on.

    An answer that cannot be used still means that a write may have happened.
    """
    tool = invocation.tool
    acted = tool.effect != "read"
    try:
        out = plain(value, decimals)
        size = len(json.dumps(out, ensure_ascii=False).encode())
    except (TypeError, ValueError, RecursionError) as error:
        raise bad_response(tool, effect_possible=acted) from error
    if size > MAX_BYTES:
        raise too_large(tool, effect_possible=acted)
    return out


def listing(
    tool: Tool, rows: Sequence[Any], totals: Mapping[str, Any] | None = None
) -> dict[str, Any] | None:
    """``{"count", ROWS, totals...}``, ``None`` for no rows.

    Rows beyond ``MAX_ROWS`` are left off and ``truncated`` says so.
    """
    if not rows:
        return None
    kept = list(rows[:MAX_ROWS])
    out: dict[str, Any] = {"count": len(kept), tool.result.rows: kept, **(totals or {})}
    if len(rows) > MAX_ROWS:
        out["truncated"] = True
    return out
