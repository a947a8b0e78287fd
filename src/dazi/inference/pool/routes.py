"""Where a request may go: rules by what is in it, who asks, for what, how busy it is and what it costs.

What goes to a cloud leaves the house: with pseudonyms for all that the guard recognises, or not at
all where it holds such things, as the rule says. Without a rule nothing goes there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dazi.core.engine import GenerateRequest
from dazi.guard.engine import Guard
from dazi.guard.rules import Hidden
from dazi.inference.pool.backend import Backend
from dazi.inference.pool.config import PLACES, Leaving, PoolConfig, RouteSpec

PERSONAL, SECRETS = "personal", "secret"
SECRET = frozenset({"api_key"})
"""Types that are nobody's data and everybody's danger."""
AT_HOME = RouteSpec(name="", to=("private",))
"""What holds where no rule does."""


@dataclass(frozen=True, slots=True)
class Decision:
    """``groups`` of servers in order of preference, each of one place and tier. ``rule``: the name of
    the route, empty where none applied. ``refused``: types for the sake of
    which no cloud is asked. ``thinking``: ``None`` leaves it as it was asked for."""

    groups: tuple[tuple[Backend, ...], ...]
    rule: str = ""
    leaving: Leaving = "pseudonymise"
    model: str = ""
    labels: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    thinking: bool | None = None


class Routes:
    """``guard``: what recognises personal data. One for a configuration."""

    def __init__(self, config: PoolConfig, backends: Sequence[Backend], guard: Guard) -> None:
        self._routes = config.routes
        self._backends = tuple(backends)
        self._guard = guard
        self._types = frozenset(r.type for r in guard.recognisers)
        self.hidden = Hidden(self._types, self._types, self._types)
        """What a cloud sees pseudonyms of."""
        self._home = _groups(self._backends, AT_HOME.to)
        self._at_home = Decision(self._home)
        self._groups = {r.name: _groups(self._backends, r.to) for r in self._routes}

    def decide(self, request: GenerateRequest, tokens: int = 0) -> Decision:
        """``tokens``: about what the prompt has, where a rule asks for it (``counts``)."""
        if not self._routes:
            return Decision(self._home, model=request.model) if request.model else self._at_home
        seen = _Seen(request, self._guard, self._types)
        for route in self._routes:
            if self._holds(route, request, seen, tokens):
                return self._decided(route, request, seen)
        return Decision(self._home, model=request.model)

    @property
    def counts(self) -> bool:
        """Does a rule ask how long prompts are?"""
        return any(r.when.tokens for r in self._routes)

    def _holds(self, route: RouteSpec, request: GenerateRequest, seen: _Seen, tokens: int) -> bool:
        when, purpose = route.when, request.purpose
        # Whose request it is may not be known; then what keeps it in the house holds, and no more.
        stays = all(b.place == "private" for g in self._groups[route.name] for b in g)
        unknown = not purpose.roles and stays
        return (
            (not when.tasks or purpose.task in when.tasks)
            and (not when.roles or unknown or not purpose.roles.isdisjoint(when.roles))
            and (not when.results or not seen.results.isdisjoint(when.results))
            and tokens >= when.tokens
            and (not when.load or self._load() >= when.load)
            and (not when.labels or not seen.labels.isdisjoint(when.labels))
        )

    def _decided(self, route: RouteSpec, request: GenerateRequest, seen: _Seen) -> Decision:
        groups = self._groups[route.name]
        refused = frozenset[str]()
        if route.leaving == "refuse" and any(b.place == "cloud" for g in groups for b in g):
            refused = seen.types
            if refused:
                groups = tuple(g for g in groups if g[0].place == "private")
        model = request.model or route.adapter
        labels = seen.labels if route.when.labels else frozenset()
        return Decision(groups, route.name, route.leaving, model, labels, refused, route.thinking)

    def _load(self) -> float:
        """The share of private places that is taken."""
        places = [b for b in self._backends if b.place == "private" and b.usable and b.tier == 0]
        all_ = sum(b.spec.at_once for b in places)
        return sum(b.under_way for b in places) / all_ if all_ else 1.0


class _Seen:
    """What is in a request, looked for once and only where a rule asks."""

    def __init__(self, request: GenerateRequest, guard: Guard, types: frozenset[str]) -> None:
        self._request, self._guard, self._all = request, guard, types
        self._types: frozenset[str] | None = None

    @property
    def types(self) -> frozenset[str]:
        if self._types is None:
            texts = "\n\n".join(_texts(self._request))
            places = self._guard.places(texts, self._all)
            self._types = frozenset(t for _, _, t in places)
        return self._types

    @property
    def labels(self) -> frozenset[str]:
        types = self.types
        personal = {PERSONAL} if types - SECRET else set()
        return types | personal | ({SECRETS} if types & SECRET else set())

    @property
    def results(self) -> frozenset[str]:
        return frozenset(c.name for m in self._request.messages for c in m.calls)


def _texts(request: GenerateRequest) -> Iterator[str]:
    for message in request.messages:
        yield message.content
        for call in message.calls:
            yield call.arguments
    yield request.prefix


def _groups(backends: Sequence[Backend], to: Sequence[str]) -> tuple[tuple[Backend, ...], ...]:
    """By tier, and of one tier in the order of ``to``: a lesser model comes after all better ones."""
    order = {name: i for i, name in enumerate(to)}
    ranked: dict[tuple[int, int, str], list[Backend]] = {}
    for b in backends:
        rank = order.get(b.name, order.get(b.place) if b.place in PLACES else None)
        if rank is not None:
            ranked.setdefault((b.tier, rank, b.place), []).append(b)
    return tuple(tuple(ranked[key]) for key in sorted(ranked))
