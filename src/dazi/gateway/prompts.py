"""``/v1/dazi/prompts``: versions of what the assistant is told, for administrators."""

from __future__ import annotations

from msgspec import Struct

from dazi.core.errors import NotFound
from dazi.core.language import Text
from dazi.gateway.accounts.bodies import Done
from dazi.gateway.errors import BadField
from dazi.gateway.exchange import Exchange
from dazi.gateway.reply import encode
from dazi.gateway.route_spec import RouteSpec
from dazi.gateway.wire import Reader
from dazi.ops.prompts.model import LANGUAGES, Content, Difference, Version
from dazi.ops.prompts.service import PromptService


class Described(Struct, forbid_unknown_fields=True):
    """What a tool is said to do."""

    zh: str
    en: str


class NewPrompt(Struct, forbid_unknown_fields=True):
    """An empty text and a tool that is not named are as shipped. Texts may hold ``{company}``,
    ``{today}`` (they must), ``{weekday}`` and ``{roles}``."""

    zh: str = ""
    en: str = ""
    tools: dict[str, Described] | None = None
    note: str = ""


class PromptView(Struct, frozen=True):
    """``at``: seconds since the epoch; version 0 is what ships. ``texts``: whole, those as shipped too."""

    number: int
    active: bool
    note: str
    author: str
    at: int
    texts: dict[str, str]
    tools: dict[str, Described]


class Prompts(Struct, frozen=True):
    """``ignored``: the model is too small to be told rules; it sees descriptions of tools only."""

    data: list[PromptView]
    active: int
    ignored: bool
    object: str = "list"


class LineView(Struct, frozen=True):
    """``mark``: ``same``, ``added`` or ``removed``."""

    mark: str
    text: str


class DifferenceView(Struct, frozen=True):
    """``part``: a language, or ``tool:NAME:LANGUAGE``."""

    part: str
    lines: list[LineView]


class Differences(Struct, frozen=True):
    data: list[DifferenceView]
    object: str = "list"


class ToldTool(Struct, frozen=True):
    name: str
    description: str


class Preview(Struct, frozen=True):
    """What a model is told for a role; ``tokens`` of ``system``."""

    system: str
    tools: list[ToldTool]
    tokens: int


NEW_PROMPT = Reader(NewPrompt)


async def prompts(x: Exchange) -> None:
    service = _service(x)
    found = await service.versions(x.principal)
    active = await service.active(x.principal)
    views = [_view(v, active) for v in found]
    await x.reply(encode(Prompts(views, active, service.ignored)))


async def add_prompt(x: Exchange) -> None:
    given = NEW_PROMPT.read(x.body)
    tools = {name: Text(t.zh, t.en) for name, t in (given.tools or {}).items()}
    made = await _service(x).add(x.principal, Content(given.zh, given.en, tools), given.note)
    await x.reply(encode(_view(made, -1)))


async def prompt(x: Exchange) -> None:
    service = _service(x)
    found = await service.version(x.principal, _number(x))
    await x.reply(encode(_view(found, await service.active(x.principal))))


async def prompt_differences(x: Exchange) -> None:
    number = _number(x)
    found = await _service(x).compared(x.principal, x.number("from", 0), number)
    await x.reply(encode(Differences([_difference(d) for d in found])))


async def prompt_preview(x: Exchange) -> None:
    service = _service(x)
    version = await service.version(x.principal, _number(x))
    language = x.text("language") or x.spoken
    if language not in LANGUAGES:
        raise BadField("language", "应为 zh 或 en", "must be zh or en")
    spoken = next(one for one in LANGUAGES if one == language)
    role = x.text("role") or next(iter(service.company.roles))
    told = service.preview(x.principal, version.content, role, spoken)
    tools = [ToldTool(name, description) for name, description in told.tools]
    await x.reply(encode(Preview(told.system, tools, told.tokens)))


async def activate_prompt(x: Exchange) -> None:
    await _service(x).activate(x.principal, _number(x))
    await x.reply(encode(Done()))


def _service(x: Exchange) -> PromptService:
    if x.state.experiments is None:
        raise NotFound("prompt", "这里没有提示词版本", "there are no prompt versions here")
    return x.state.experiments.prompts


def _number(x: Exchange) -> int:
    """What is no number is the number of no version."""
    text = x.path["prompt"]
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def _view(v: Version, active: int) -> PromptView:
    texts: dict[str, str] = {one: v.content.template(one) for one in LANGUAGES}
    tools = {name: Described(t.zh, t.en) for name, t in v.content.tools.items()}
    return PromptView(v.number, v.number == active, v.note, v.author, int(v.at), texts, tools)


def _difference(d: Difference) -> DifferenceView:
    return DifferenceView(d.part, [LineView(line.mark, line.text) for line in d.lines])


_READ = (401, 403, 404, 503)
_CHANGE = (400, 401, 403, 404, 413, 503)
_ONE = "/v1/dazi/prompts/{prompt}"
ROUTES: tuple[RouteSpec, ...] = (
    RouteSpec("GET", "/v1/dazi/prompts", prompts, "提示词的版本 / versions of the prompt", Prompts, None, _READ),
    RouteSpec(
        "POST", "/v1/dazi/prompts", add_prompt, "新版本,还不启用 / a new version, not in use yet",
        PromptView, NewPrompt, _CHANGE,
    ),
    RouteSpec("GET", _ONE, prompt, "一个版本 / a version", PromptView, None, _READ),
    RouteSpec(
        "GET", f"{_ONE}/differences", prompt_differences, "和另一个版本的差别 / how it differs from another",
        Differences, None, (400, *_READ), query={"from": {"type": "integer", "minimum": 0, "default": 0}},
    ),
    RouteSpec(
        "GET", f"{_ONE}/preview", prompt_preview, "给某个角色时是什么样 / as it is for a role", Preview, None,
        (400, *_READ),
        query={
            "role": {"type": "string", "maxLength": 64},
            "language": {"type": "string", "enum": ["zh", "en"]},
        },
    ),
    RouteSpec(
        "POST", f"{_ONE}/activate", activate_prompt, "启用,旧的也行 / use it, an older one too", Done, None,
        _CHANGE,
    ),
)  # fmt: skip
