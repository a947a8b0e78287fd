"""What a model engine is to the rest of Dazi: messages in, typed events out."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Literal, NamedTuple, Protocol, cast, get_args, runtime_checkable

from dazi.core.errors import OperatorError
from dazi.core.messages import Message

ToolChoice = Literal["auto", "none", "required"]
FinishReason = Literal["stop", "length", "tool_calls", "cancelled"]


@dataclass(frozen=True, slots=True)
class Sampling:
    """``temperature`` 0 is greedy. ``None`` leaves a value to the engine's default."""

    max_tokens: int = 512
    temperature: float = 0.0
    top_p: float | None = None
    top_k: int | None = None
    presence_penalty: float = 0.0
    seed: int | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OfferedTool:
    """A tool as the model sees it.

    ``parameters`` is a JSON Schema object. ``candidates`` lists, for a grounded parameter, the only
    values it may take (strings, or the text of numbers); an empty tuple means that the parameter
    cannot be given at all. ``spans`` lists, for a free-text parameter, the texts of which the value
    must be a contiguous part. Engines that can constrain decoding use both; the router checks
    grounding again for every engine. ``closed``: in the prompt, because results of it are, and not
    to be called any more; engines that cannot constrain decoding leave it out. ``lacking`` names
    required parameters that nothing said so far can fill: such a tool can be named, with no
    arguments, and the host then asks for them.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    candidates: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    spans: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    closed: bool = False
    lacking: tuple[str, ...] = ()


Task = Literal["chat", "raw", "summary", "report", "contract", "check"]
TASKS: tuple[Task, ...] = get_args(Task)


@dataclass(frozen=True, slots=True)
class Purpose:
    """For whom and for what a request is: by it a pool of models chooses, and notes what it chose.
    Nothing of it reaches a model."""

    task: Task = "chat"
    user: str = ""
    roles: frozenset[str] = frozenset()
    turn: str = ""
    results: frozenset[str] = frozenset()
    """Tools whose results are in it, beside those that its messages call."""
    condensed: bool = False
    """It holds what older results came to, and nobody can tell whose."""


@dataclass(frozen=True, slots=True)
class GenerateRequest:
    messages: tuple[Message, ...]
    tools: tuple[OfferedTool, ...] = ()
    tool_choice: ToolChoice = "auto"
    sampling: Sampling = Sampling()
    thinking: bool = False
    prefix: str = ""
    """What the assistant has already said of this reply; generation goes on after it."""
    whole: bool = False
    """Nobody reads along: the answer may come in one piece."""
    constrained: bool = True
    """Engines that can constrain decoding do so. Off only to measure what it is worth."""
    call_confidence: float = 0.0
    """How probable a call has to be to the model for its answer to begin with one, where the choice
    is its own; otherwise it says something. Engines that see no probabilities leave it."""
    trace: str = ""
    """W3C ``traceparent`` of the request that this is for; servers are sent it."""
    purpose: Purpose = Purpose()
    model: str = ""
    """The model or adapter wanted, by name; empty for whichever suits."""
    made_for: ModelProfile | None = None
    """The prompt was made for this model, and no use to one that needs it made otherwise; ``None``:
    any model can do with it."""

    @property
    def images(self) -> bool:
        """Is there a picture to be seen?"""
        return any(m.images for m in self.messages)


@dataclass(frozen=True, slots=True)
class TextDelta:
    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    text: str


@dataclass(frozen=True, slots=True)
class CallStarted:
    index: int
    name: str


@dataclass(frozen=True, slots=True)
class CallArgumentsDelta:
    index: int
    text: str


@dataclass(frozen=True, slots=True)
class CallDone:
    """A complete proposed call. ``arguments`` is the model's JSON text, whatever it is."""

    index: int
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts of one generation; ``cached`` are prompt tokens served from the prefix cache."""

    prompt: int = 0
    completion: int = 0
    cached: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.prompt + other.prompt,
            self.completion + other.completion,
            self.cached + other.cached,
        )


@dataclass(frozen=True, slots=True)
class Served:
    """Which server of a pool answered. ``fallback``: a lesser model, because the ones that should
    have answered could not. ``hidden``: it was asked with pseudonyms. ``base``: the model that
    ``model`` is an adapter of, if it is one."""

    backend: str
    model: str
    place: Literal["private", "cloud"] = "private"
    fallback: bool = False
    hidden: bool = False
    base: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    reason: FinishReason
    usage: Usage
    by: Served | None = None


EngineEvent = TextDelta | ReasoningDelta | CallStarted | CallArgumentsDelta | CallDone | Done


class TaughtReply(NamedTuple):
    """A reply with slots, about a result of ``tool`` (empty: about none) for which ``when`` holds."""

    tool: str
    when: str
    text: str


@dataclass(frozen=True, slots=True)
class ModelProfile:
    """How to treat a model: what it can take in, and how much help it needs.

    ``copies_text``: free text and dates must be copied from what people said (the bundled model
    can copy and do little else); a large model composes them itself. ``offered_tools``: how many
    tools are offered at once. ``concise``: prompts as short as can be. ``thinks``: it has a thinking mode.
    ``replies``: all that it was taught to say (see ``agent.taught``); empty for a model that words
    things itself. ``call_confidence``: how probable a call has to be to the model before its answer
    to a person's message begins with one; 0 leaves it to what is likeliest. Measured on cases that
    training never saw: a small model calls too readily. ``version`` tells weights apart that go by
    one name; empty where only a server knows. ``vision``: it sees pictures.
    """

    name: str
    context_tokens: int
    offered_tools: int = 12
    copies_text: bool = False
    concise: bool = False
    bundled: bool = False
    thinks: bool = True
    replies: tuple[TaughtReply, ...] = ()
    call_confidence: float = 0.0
    version: str = ""
    vision: bool = False

    def takes_prompts_of(self, other: ModelProfile) -> bool:
        """Can it do with what was made for ``other``?"""
        return (self.copies_text, self.concise, self.replies) == (
            other.copies_text,
            other.concise,
            other.replies,
        )


class BurstEngine(Protocol):
    """An engine that knows which events came together."""

    def bursts(self, request: GenerateRequest) -> AsyncGenerator[Sequence[EngineEvent], None]:
        """As ``Engine.generate``, with what came at the same moment in one sequence."""
        ...


class Engine(Protocol):
    """A source of model output. One engine serves many requests at once."""

    @property
    def profile(self) -> ModelProfile: ...

    def generate(self, request: GenerateRequest) -> AsyncIterator[EngineEvent]:
        """Stream events, ending with exactly one ``Done``. Closing the iterator cancels the work.

        Raises ``CallerError("context_overflow")`` when the request does not fit, naming both
        numbers, and ``OperatorError`` when the engine cannot serve.
        """
        ...

    def count_tokens(self, request: GenerateRequest) -> int:
        """Prompt tokens that ``request`` takes."""
        ...

    async def warm(self, request: GenerateRequest) -> None:
        """Fill the prefix cache with the request's prompt."""
        ...

    async def close(self) -> None: ...


class ModelChanged(OperatorError):
    """The model that a prompt was made for is out of reach, and the one that there is, of ``profile``,
    needs prompts of another kind: whoever made it may make another."""

    def __init__(self, profile: ModelProfile) -> None:
        super().__init__(
            "model_changed",
            f"原来的模型连不上,备用的 {profile.name} 接不了这个请求;请重新提问。",
            f"The model is out of reach, and {profile.name}, which stands in for it, cannot take over "
            "this request; ask again.",
        )
        self.profile = profile


def spent(engine: Engine, request: GenerateRequest, said: str) -> Usage:
    """What a generation has used that was left before its ``Done``, by the engine's own count."""
    prompt = engine.count_tokens(request)
    whole = engine.count_tokens(replace(request, prefix=request.prefix + said))
    return Usage(prompt, max(whole - prompt, 0))


@runtime_checkable
class ManyModels(Protocol):
    """An engine of several models."""

    def names(self) -> tuple[str, ...]:
        """What ``GenerateRequest.model`` may be, the one that answers otherwise first."""
        ...


def models_of(engine: Engine) -> tuple[str, ...]:
    return engine.names() if isinstance(engine, ManyModels) else (engine.profile.name,)


class Pinned:
    """``engine``, asked with prompts that are made for ``profile``."""

    def __init__(self, engine: Engine, profile: ModelProfile) -> None:
        self._engine = engine
        self.profile = profile

    def generate(self, request: GenerateRequest) -> AsyncIterator[EngineEvent]:
        return self._engine.generate(request)

    def count_tokens(self, request: GenerateRequest) -> int:
        return self._engine.count_tokens(request)

    async def warm(self, request: GenerateRequest) -> None:
        await self._engine.warm(request)

    async def close(self) -> None:
        await self._engine.close()


@runtime_checkable
class SeesSome(Protocol):
    """An engine of several models, of which one may see pictures."""

    @property
    def sees(self) -> bool: ...


def sees(engine: Engine) -> bool:
    """Can it do with pictures?"""
    return engine.sees if isinstance(engine, SeesSome) else engine.profile.vision


@cache
def _tells_bursts(engine: type) -> bool:
    return hasattr(engine, "bursts")


def bursts_of(
    engine: Engine, request: GenerateRequest
) -> AsyncGenerator[Sequence[EngineEvent], None]:
    """The events of ``engine``, those that came together in one sequence if it can tell."""
    if _tells_bursts(type(engine)):
        return cast(BurstEngine, engine).bursts(request)
    return _singly(engine, request)


async def _singly(
    engine: Engine, request: GenerateRequest
) -> AsyncGenerator[Sequence[EngineEvent], None]:
    async with aclosing(engine.generate(request)) as single:  # type: ignore[type-var]
        async for event in single:
            yield (event,)


@dataclass(frozen=True, slots=True)
class Embedded:
    """A vector for each text, in their order, and how many tokens they took."""

    vectors: Sequence[Sequence[float]]
    tokens: int


class Embedder(Protocol):
    """Turns texts into vectors that are near each other where their meanings are."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str:
        """Tells weights apart that go by one name; empty where only a server knows."""
        ...

    async def embed(self, texts: Sequence[str], *, asked: bool = False) -> Embedded:
        """``asked``: the texts are questions, before which some models want an instruction.

        Raises ``CallerError`` for texts that are too long and ``OperatorError``.
        """
        ...

    async def close(self) -> None: ...


class Reranker(Protocol):
    """Reads a question and each text together, which says more than where their vectors are."""

    @property
    def name(self) -> str: ...

    async def rank(self, query: str, texts: Sequence[str]) -> list[float]:
        """How well each text answers ``query``, in their order; only values of one call compare.

        Raises ``CallerError`` for texts that are too long and ``OperatorError``.
        """
        ...

    async def close(self) -> None: ...
