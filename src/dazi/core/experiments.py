"""What a turn is made with where that is not what ships, and what came of it: the assistant's side of
prompt versions and experiments, which are above it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from dazi.core.engine import OfferedTool
from dazi.core.language import Language, Text
from dazi.core.principal import Principal


@dataclass(frozen=True, slots=True)
class Exposure:
    """Which arm of an experiment a subject is in. ``subject`` is a digest, ``stage`` counts the shares
    that the experiment has had."""

    experiment: str
    arm: str
    subject: str
    stage: int


@dataclass(frozen=True, slots=True)
class Variant:
    """``prompt``: the number of the version, 0 as shipped; ``texts``: its templates, and ``tools``: its
    descriptions of tools, where it has any. ``model``: by name, empty for whichever suits."""

    prompt: int = 0
    texts: Mapping[Language, str] = field(default_factory=dict)
    tools: Mapping[str, Text] = field(default_factory=dict)
    model: str = ""
    exposures: tuple[Exposure, ...] = ()

    @property
    def arms(self) -> dict[str, str]:
        return {e.experiment: e.arm for e in self.exposures}

    def described(self, offered: Sequence[OfferedTool], language: Language) -> list[OfferedTool]:
        """``offered`` with this version's descriptions."""
        return [
            replace(t, description=self.tools[t.name](language)) if t.name in self.tools else t
            for t in offered
        ]


@dataclass(frozen=True, slots=True)
class Figures:
    """What a turn came to. ``ok``: it ended with an answer, a question for confirmation or calls for the
    caller to run. ``tokens``: read and written; ``cost`` in yuan, where the model has a price.
    ``refused``: a call was not carried out; ``guarded``: the guard changed what was given out;
    ``replaced``: something was said that nothing held."""

    ok: bool
    ms: float
    tokens: int
    cost: float | None = None
    refused: bool = False
    confirmation: bool = False
    guarded: bool = False
    replaced: bool = False


class Variants(Protocol):
    """Chooses, from memory, and learns what came of it. Where nothing is to be chosen there is none."""

    def of(self, principal: Principal, thread: str, language: Language) -> Variant:
        """The same for a subject every time, as long as shares only grow."""
        ...

    def after(self, variant: Variant, principal: Principal, figures: Figures) -> None:
        """A turn that asked a model with ``variant`` has ended. Does not wait."""
        ...

    def handed_over(self, principal: Principal, thread: str) -> None:
        """A person has taken the conversation. Does not wait."""
        ...

    def rated(self, principal: Principal, thread: str, stars: int) -> None:
        """``principal`` has rated how their conversation was settled, 1 to 5. Does not wait."""
        ...
