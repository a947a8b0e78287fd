"""AgentDojo's environments as plain data, with a text put where one of its injection vectors stands."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from dazi.core.errors import ConnectorError

SUITES = ("banking", "slack", "travel", "workspace")
TEXTS = "task_texts_v1.json"
_PLACE = re.compile(r"\{(\w+)\}")


def data_folder(given: Path | None = None) -> Path | None:
    """The benchmark's folder: ``given``, else ``agentdojo`` in ``DAZI_EVALDATA``, else beside the
    checkout. ``None`` where it is not there."""
    shared = os.environ.get("DAZI_EVALDATA")
    evaldata = Path(shared) if shared else Path(__file__).resolve().parents[4] / "shared/evaldata"
    folder = given or evaldata / "agentdojo"
    return folder if (folder / TEXTS).is_file() else None


def texts(data: Path) -> dict[tuple[str, str], str]:
    """What the tasks say, by suite and id; some are the source of an f-string."""
    found = json.loads((data / TEXTS).read_text(encoding="utf-8"))
    return {(t["suite"], t["id"]): t["text"] for t in found}


@dataclass(frozen=True, slots=True)
class Environment:
    """A suite's environment as JSON text, with its places ``{name}`` still open. ``vectors``: what
    stands in each of them when nobody has injected anything."""

    text: str
    vectors: Mapping[str, str]

    @classmethod
    @cache
    def load(cls, data: Path, suite: str) -> Environment:
        folder = data / suite
        vectors = _read(folder / "injection_vectors.yaml")
        # The defaults were written to be put into YAML text, between double quotes.
        defaults = {n: v["default"].replace(r"\n", "\n").replace(r"\t", "\t")
                    for n, v in vectors.items()}  # fmt: skip
        return cls(json.dumps(_read(folder / "environment.yaml")), defaults)

    def values(self, vector: str = "", text: str = "") -> dict[str, str]:
        """What stands in each place when ``text`` stands in that of ``vector``."""
        return {**self.vectors, vector: text} if vector else dict(self.vectors)

    def state_with(self, values: Mapping[str, str]) -> dict[str, Any]:
        """A state of its own, with the places filled."""
        quoted = {name: json.dumps(value)[1:-1] for name, value in values.items()}
        filled: dict[str, Any] = json.loads(fill(self.text, quoted))
        return filled


def fill(text: str, values: Mapping[str, str]) -> str:
    """``text`` with ``{name}`` replaced wherever ``values`` has that name."""
    return _PLACE.sub(lambda m: values.get(m[1], m[0]), text)


class _Loader(yaml.SafeLoader):
    """YAML with ``!include FILE``; the data keep included files beside the file that includes."""


def _include(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> Any:
    return _read(Path(loader.name).parent / Path(str(node.value)).name)


_Loader.add_constructor("!include", _include)


def _read(path: Path) -> Any:
    with path.open(encoding="utf-8") as file:
        return _plain(yaml.load(file, Loader=_Loader))


def _plain(value: Any) -> Any:
    """Dates as text: JSON has none."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return value


class World:
    """One suite's environment in memory: each public method is a tool of that name."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state

    def call(self, tool: str, arguments: Mapping[str, Any]) -> Any:
        """What the tool answers. Raises ``ConnectorError("refused")`` for what cannot be done."""
        return getattr(self, tool)(**arguments)


def refused(what: str) -> ConnectorError:
    return ConnectorError("refused", f"没有这个:{what}", f"there is no such thing: {what}")


def one_of(items: Sequence[dict[str, Any]], key: str, value: Any) -> dict[str, Any]:
    """The item whose ``key`` is ``value``. Raises ``ConnectorError``."""
    for item in items:
        if item[key] == value:
            return item
    raise refused(str(value))


def next_number(items: Sequence[Mapping[str, Any]], key: str) -> int:
    return max((int(item[key]) for item in items), default=0) + 1
