"""Prompt versions for whoever may read or change them. Changes are on record before they count."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import date

from dazi.access.recording import Record, recorded, refuse
from dazi.core.company import Company
from dazi.core.engine import ModelProfile
from dazi.core.errors import AccessError, CallerError
from dazi.core.language import Language, Text
from dazi.core.principal import Principal
from dazi.ops.prompts import checking
from dazi.ops.prompts.checking import Limits, Measure, Problem
from dazi.ops.prompts.model import Activation, Content, Difference, Version, differences
from dazi.ops.prompts.rights import require_change, require_read
from dazi.ops.prompts.store import PromptStore
from dazi.prompt.system import system_text


@dataclass(frozen=True, slots=True)
class Told:
    """What a model is told for a role: the system message, and tools with their descriptions."""

    system: str
    tools: tuple[tuple[str, str], ...]
    tokens: int


@dataclass(frozen=True, slots=True)
class Model:
    """The model that answers, as far as it is known: without it lengths are checked in characters."""

    profile: ModelProfile
    measure: Measure


class PromptService:
    def __init__(
        self,
        store: PromptStore,
        company: Company,
        record: Record,
        learn: Callable[[], Awaitable[None]],
        model: Callable[[], Model | None] = lambda: None,
        today: Callable[[], date] = date.today,
    ) -> None:
        """``learn`` is awaited after a change that turns are made with."""
        self.store = store
        self.company = company
        self._record = record
        self._learn = learn
        self._model = model
        self._today = today

    @property
    def ignored(self) -> bool:
        """The model that answers is too small to be told rules: of a version it only sees what tools
        are said to do."""
        model = self._model()
        return model is not None and model.profile.concise

    @property
    def shipped(self) -> dict[str, Text]:
        """The tools' own descriptions."""
        return {t.name: t.description for t in self.company.tools.values()}

    @property
    def limits(self) -> Limits:
        model = self._model()
        if model is None or model.profile.concise:
            return Limits(self.company.tools)
        return Limits(self.company.tools, model.profile.context_tokens, model.measure)

    async def versions(self, by: Principal) -> list[Version]:
        """Raises ``AccessError``, as everything here."""
        require_read(by)
        return await self.store.versions()

    async def version(self, by: Principal, number: int) -> Version:
        """Raises ``NotFound``."""
        require_read(by)
        return await self.store.get(number)

    async def active(self, by: Principal) -> int:
        require_read(by)
        return await self.store.active()

    async def activations(self, by: Principal) -> list[Activation]:
        require_read(by)
        return await self.store.activations()

    def problems(self, by: Principal, content: Content) -> list[Problem]:
        require_read(by)
        return checking.problems(content, self.limits)

    async def add(self, by: Principal, content: Content, note: str) -> Version:
        """A new version, not in use yet. Raises ``CallerError`` for one that has problems or is that
        in use."""
        await self._changing(by, "prompt.add")
        content = self._tidied(content)
        checking.require(content, note, self.limits)
        latest = (await self.store.versions())[0]
        if latest.content == content:
            raise CallerError(
                "no_change",
                f"和版本 {latest.number} 一样",
                f"it is the same as version {latest.number}",
            )
        number, note = latest.number + 1, note.strip()
        async with recorded(self._record, by, "prompt.add", prompt=number, note=note):
            return await self.store.add(Version(number, content, note, by.user))

    async def activate(self, by: Principal, number: int) -> None:
        """Use ``number`` from now on; an older one is a way back. Raises ``NotFound``, and
        ``CallerError`` where this model cannot be told it."""
        await self._changing(by, "prompt.activate")
        await self.require_usable(number)
        before = await self.store.active()
        async with recorded(self._record, by, "prompt.activate", prompt=number, before=before):
            await self.store.activate(number, by.user)
        await self._learn()

    async def require_usable(self, number: int) -> None:
        """Raises ``NotFound``, and ``CallerError`` for what this model cannot be told."""
        checking.require((await self.store.get(number)).content, "", self.limits)

    async def compared(self, by: Principal, old: int, new: int) -> tuple[Difference, ...]:
        """Raises ``NotFound``."""
        require_read(by)
        first, second = await self.store.get(old), await self.store.get(new)
        return differences(first.content, second.content, self.shipped)

    def preview(self, by: Principal, content: Content, role: str, language: Language) -> Told:
        """Raises ``CallerError`` for a role that the company does not have."""
        require_read(by)
        if role not in self.company.roles:
            known = ", ".join(self.company.roles)
            raise CallerError(
                "unknown_role",
                f"没有角色 {role};可用:{known}",
                f"no role {role}; there are: {known}",
            )
        model = self._model()
        system = system_text(
            language,
            self.company.name,
            self._today(),
            frozenset({role}),
            concise=self.ignored,
            template=content.template(language),
        )
        included = self.company.roles[role]
        tools = tuple(
            (t.name, content.tools.get(t.name, t.description)(language))
            for t in self.company.tools.values()
            if not t.roles.isdisjoint(included)
        )
        return Told(system, tools, model.measure(system) if model is not None else 0)

    async def _changing(self, by: Principal, act: str) -> None:
        try:
            require_change(by)
        except AccessError as e:
            await refuse(self._record, by, act, e)

    def _tidied(self, content: Content) -> Content:
        """Without what is as shipped, and with lines that end as everywhere."""
        shipped, whole = self.shipped, Content()
        told = {n: Text(_lines(t.zh), _lines(t.en)) for n, t in content.tools.items()}
        tools = {n: t for n, t in told.items() if t != shipped.get(n)}
        texts: dict[Language, str] = {}
        for language, given in content.texts.items():
            text = _lines(given)
            texts[language] = "" if text == whole.template(language) else text
        return replace(content, zh=texts.get("zh", ""), en=texts.get("en", ""), tools=tools)


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n")
