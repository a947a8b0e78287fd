"""What pages are told of the running system. ``main`` knows it and hands it in: settings, the model
catalogue, imports and records are none of the console's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from dazi.audit.records import Record
from dazi.console.compliance_run import Compliance
from dazi.core.language import Language, Text
from dazi.core.principal import Principal
from dazi.ops.tuning_runs import TuningRun

Source = Literal["environment", "option", "default"]
"""An environment variable, an option of the command that started this process, or neither."""


@dataclass(frozen=True, slots=True)
class SettingView:
    """``value`` of a secret is empty: only ``is_set`` is told."""

    name: str
    value: str
    default: str
    source: Source
    told: Text
    secret: bool
    is_set: bool


@dataclass(frozen=True, slots=True)
class Checked:
    """What ``dazi check`` says of the company folder: ``told`` where it is in order; else what is
    wrong at ``where``, and how to mend it."""

    folder: str
    ok: bool
    told: str
    where: str = ""
    line: int | None = None


@dataclass(frozen=True, slots=True)
class KnownModel:
    """``place``: a folder, file or URL without what is secret in it."""

    name: str
    kind: str
    place: str
    chosen: bool
    adapter: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """Something that works beside the model: ``name`` of which kind, ``told`` which; ``None``: none."""

    name: Text
    told: Text | None


@dataclass(frozen=True, slots=True)
class Drafting:
    """What is to be imported: ``document`` as text, or what the service of that name in ``dazi.toml``
    gives at ``path``. ``only``: operations, all where none are named."""

    service: str
    kind: Literal["openapi", "mcp"] = "openapi"
    document: str = ""
    path: str = ""
    only: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Drafted:
    """``files``: texts by their paths in the company folder; ``skipped``: operations and why."""

    files: Mapping[str, str]
    tools: tuple[str, ...]
    skipped: Mapping[str, Text]


class System(Protocol):
    """Rights are checked by whoever draws; nothing here asks who looks."""

    def settings(self) -> Sequence[SettingView]: ...

    def setting_error(self, name: str, text: str) -> Text | None:
        """What the start would say if ``name`` were ``text``; ``None`` where it would start."""
        ...

    async def check(self, language: Language) -> Checked: ...

    def models(self) -> Sequence[KnownModel]: ...

    def tunings(self) -> Sequence[TuningRun]:
        """Trainings of adapters, the latest ones first."""
        ...

    def stop_tuning(self, name: str) -> bool:
        """Ask it to save and end; ``False`` where it does not run."""
        ...

    def resume_tuning(self, name: str) -> bool:
        """Let one that was stopped go on; ``False`` where it cannot."""
        ...

    def pool_file(self) -> str:
        """The file that declares several servers; empty where one model is used."""
        ...

    def parts(self) -> Sequence[Part]: ...

    async def cloud_spent(self) -> float | None:
        """Yuan of today's budget for clouds that are spent or promised; ``None`` where nobody
        counts."""
        ...

    def services(self) -> Sequence[str]:
        """Those that ``dazi.toml`` names: only from them is anything fetched."""
        ...

    async def draft(self, drafting: Drafting) -> Drafted:
        """Raises ``CallerError`` and ``OperatorError``. Nothing is written."""
        ...

    @property
    def compliance(self) -> Compliance:
        """What ``dazi audit compliance`` finds."""
        ...

    async def records(self, turn: str) -> Sequence[Record]:
        """A turn's audit records, opened, oldest first."""
        ...

    async def turns(self, principal: Principal, thread: str) -> Sequence[Record]:
        """The records that began turns of theirs in ``thread``, opened, oldest first."""
        ...
