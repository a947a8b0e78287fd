"""The matrix: what each framework asks for, and which checks look at it. Data, in ``frameworks/``."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from dazi.core.errors import CallerError
from dazi.core.language import Text
from dazi.ops.compliance.checks.registry import CHECKS
from dazi.ops.compliance.results import Status
from dazi.router.yaml_source import YamlSource

FOLDER = Path(__file__).parent / "frameworks"
NAMES = ("mlps", "gdpr", "pipl", "iso27001", "ai-labels")

_Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TextFile(_Strict):
    zh: _Words
    en: _Words

    def text(self) -> Text:
        return Text(self.zh, self.en)


class ItemFile(_Strict):
    """``checks``, or why there is none. ``beyond``: what the checks cannot show."""

    id: _Words
    title: TextFile
    checks: list[str] = []
    organisational: TextFile | Literal[True] | None = None
    not_supported: TextFile | None = None
    beyond: TextFile | None = None


class GroupFile(_Strict):
    title: TextFile
    items: list[ItemFile]


class FrameworkFile(_Strict):
    """``organisational``: what is said of items that say ``organisational: true``."""

    name: TextFile
    organisational: TextFile
    groups: list[GroupFile]


@dataclass(frozen=True, slots=True)
class Item:
    """``status`` where there are no ``checks``, and then ``note`` says why; else ``note`` says what
    the checks cannot show."""

    id: str
    group: Text
    title: Text
    checks: tuple[str, ...]
    status: Status | None
    note: Text | None


@dataclass(frozen=True, slots=True)
class Framework:
    key: str
    name: Text
    items: tuple[Item, ...]


def load_matrix(names: Collection[str] = (), folder: Path = FOLDER) -> tuple[Framework, ...]:
    """All frameworks, or those named. Raises ``CallerError`` for an unknown one, and
    ``ConfigError`` for a file that is not valid."""
    unknown = sorted(set(names) - set(NAMES))
    if unknown:
        known = ", ".join(NAMES)
        raise CallerError(
            "framework",
            f"没有框架 {unknown[0]},可用:{known}",
            f"no framework {unknown[0]}; there are: {known}",
        )
    return tuple(
        read_framework(folder / f"{name}.yaml") for name in NAMES if not names or name in names
    )


def read_framework(path: Path) -> Framework:
    """Raises ``ConfigError`` with file and line."""
    source = YamlSource(path)
    try:
        file = FrameworkFile.model_validate(source.data)
    except ValidationError as e:
        first = e.errors()[0]
        where = [p for p in first["loc"] if isinstance(p, str | int)]
        raise source.error(where, f"不对:{first['msg']}", f"wrong: {first['msg']}") from None
    items: list[Item] = []
    for g, group in enumerate(file.groups):
        for i, item in enumerate(group.items):
            place = ("groups", g, "items", i)
            _check(source, place, item, [known.id for known in items])
            status, note = _standing(item, file.organisational)
            checks = tuple(item.checks)
            items.append(Item(item.id, group.title.text(), item.title.text(), checks, status, note))
    return Framework(path.stem, file.name.text(), tuple(items))


def _check(source: YamlSource, place: Sequence[str | int], item: ItemFile, ids: list[str]) -> None:
    unknown = [name for name in item.checks if name not in CHECKS]
    if unknown:
        raise source.error(
            (*place, "checks"), f"没有检查 {unknown[0]}", f"there is no check {unknown[0]}"
        )
    ways = sum((bool(item.checks), item.organisational is not None, item.not_supported is not None))
    if ways != 1 or (item.beyond is not None and not item.checks):
        raise source.error(
            (*place, "id"),
            f"{item.id}:checks、organisational、not_supported 只能有一个;beyond 只随 checks",
            f"{item.id}: one of checks, organisational and not_supported; beyond with checks only",
        )
    if item.id in ids:
        raise source.error((*place, "id"), f"{item.id} 重复", f"{item.id} is there twice")


def _standing(item: ItemFile, usual: TextFile) -> tuple[Status | None, Text | None]:
    if item.not_supported is not None:
        return Status.NOT_SUPPORTED, item.not_supported.text()
    if item.organisational is not None:
        said = usual if item.organisational is True else item.organisational
        return Status.ORGANISATIONAL, said.text()
    return None, item.beyond.text() if item.beyond else None
