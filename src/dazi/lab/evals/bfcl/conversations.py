"""BFCL v4's conversations: ``BFCL_v4_multi_turn_*.json``, their answers in ``possible_answer/``, and what the
functions of their systems take, in ``multi_turn_func_doc/``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dazi.core.engine import OfferedTool
from dazi.core.errors import CallerError
from dazi.lab.evals.bfcl.reading import PREFIX, json_lines, tool_of

CATEGORIES = (
    "multi_turn_base",
    "multi_turn_miss_func",
    "multi_turn_miss_param",
    "multi_turn_long_context",
)
FUNCTIONS = "multi_turn_func_doc"
FILES: Mapping[str, str] = {
    "GorillaFileSystem": "gorilla_file_system",
    "MathAPI": "math_api",
    "MessageAPI": "message_api",
    "TwitterAPI": "posting_api",
    "TicketAPI": "ticket_api",
    "TradingBot": "trading_bot",
    "TravelAPI": "travel_booking",
    "VehicleControlAPI": "vehicle_control",
}
"""System -> the file of its functions."""
REVEALED = "More functions are available now. Please do it with them."
"""What the person says in a turn that has no words of its own: functions were held back until then."""


@dataclass(frozen=True, slots=True)
class Turn:
    """``tools``: what may be called from now on. The data's ``excluded_function`` are left out of them (the
    published runner offers those all the same)."""

    said: str
    tools: tuple[OfferedTool, ...]


@dataclass(frozen=True, slots=True)
class Conversation:
    """``truth``: of each turn the right calls, as the data has them; none where something is missing that
    is told later. ``config``: the first state of the systems (``classes``)."""

    id: str
    category: str
    classes: tuple[str, ...]
    config: Mapping[str, Any]
    turns: tuple[Turn, ...]
    truth: tuple[tuple[str, ...], ...]


def files(folder: Path) -> dict[str, Path]:
    """Category -> file, of those that are there."""
    found = {c: folder / f"{PREFIX}{c}.json" for c in CATEGORIES}
    return {c: path for c, path in found.items() if path.is_file()}


def parts(folder: Path) -> list[Path]:
    """All that conversations are read from, of what is there."""
    found = list(files(folder).values())
    answers = [folder / "possible_answer" / p.name for p in found]
    functions = [folder / FUNCTIONS / f"{name}.json" for name in FILES.values()]
    return [p for p in (*found, *answers, *functions) if p.is_file()]


def read(category: str, path: Path) -> list[Conversation]:
    """Raises ``CallerError`` for what cannot be read or is not of this format."""
    beside = path.parent / "possible_answer" / path.name
    try:
        answers = {a["id"]: a["ground_truth"] for a in json_lines(beside)}
        known = _Functions(path.parent / FUNCTIONS)
        return [_conversation(category, d, answers[d["id"]], known) for d in json_lines(path)]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as e:
        told = f"{type(e).__name__}: {e}"
        raise CallerError(
            "bfcl", f"{path} 不是 BFCL v4 的格式:{told}", f"{path} is not BFCL v4: {told}"
        ) from None


class _Functions:
    """Of systems, each read once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[str, dict[str, OfferedTool]] = {}

    def of(self, system: str) -> dict[str, OfferedTool]:
        if system not in self._read:
            lines = json_lines(self._folder / f"{FILES[system]}.json")
            self._read[system] = {f["name"]: tool_of(f) for f in lines}
        return self._read[system]


def _conversation(
    category: str, data: Any, truth: Sequence[Sequence[str]], known: _Functions
) -> Conversation:
    offered: dict[str, OfferedTool] = {}
    for system in data["involved_classes"]:
        offered |= known.of(system)
    for name in data.get("excluded_function", ()):
        offered.pop(name, None)
    later = {
        int(turn): {name: offered.pop(name) for name in names if name in offered}
        for turn, names in data.get("missed_function", {}).items()
    }
    turns = []
    for number, messages in enumerate(data["question"]):
        offered |= later.get(number, {})
        said = "\n\n".join(m["content"] for m in messages) or REVEALED
        turns.append(Turn(said, tuple(offered.values())))
    if len(turns) != len(truth):
        raise ValueError(f"{data['id']} has {len(turns)} turns and answers to {len(truth)}")
    return Conversation(
        data["id"],
        category,
        tuple(data["involved_classes"]),
        data["initial_config"],
        tuple(turns),
        tuple(tuple(t) for t in truth),
    )
