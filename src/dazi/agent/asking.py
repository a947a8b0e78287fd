"""What somebody asks, and what of it goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from dazi.core.engine import OfferedTool, Sampling, ToolChoice
from dazi.core.errors import CallerError
from dazi.core.language import Language
from dazi.core.messages import Image
from dazi.core.principal import Principal
from dazi.guard.engine import Guard
from dazi.memory.threads import Kept


@dataclass(frozen=True, slots=True)
class Ask:
    """What somebody asks. ``history`` replaces the kept thread when a caller brings its own;
    ``tool_results`` are what the caller's own tools gave, in a kept thread; ``today`` is the day it
    is asked on, without one the service's."""

    principal: Principal
    thread: str
    text: str
    language: Language | None = None
    history: tuple[Kept, ...] | None = None
    instructions: str = ""
    client_tools: tuple[OfferedTool, ...] = ()
    tool_choice: ToolChoice = "auto"
    sampling: Sampling | None = None
    thinking: bool = False
    today: date | None = None
    own_tools: bool = True
    tool_results: tuple[Kept, ...] = ()
    key: str = ""
    """What tells the API key apart that it came with, for limits on keys."""
    only: frozenset[str] = frozenset()
    """Tools that the key is for; all of the person's where there are none."""
    origin: Mapping[str, str] = field(default_factory=dict)
    """Where it came from: request, address, key; for the ledger."""
    show_context: bool = False
    """Tell exactly what the model was given."""
    images: tuple[Image, ...] = ()
    """Pictures beside the text."""
    turn: str = ""
    """The turn's name, where a second try must be known as the same: what a turn of that name has
    begun to change is not begun again."""


def taken(guard: Guard, text: str, principal: Principal) -> str:
    """A person's message as it may go on. Raises ``CallerError`` for what the company's rules
    block, and for what could not be checked."""
    verdict = guard.verdict(text, "input", principal)
    if verdict.action != "block":
        return verdict.text
    if verdict.failed:
        zh = "消息没能检查,所以没有处理;请改写后再试"
        en = "the message could not be checked and was not taken; word it differently"
    else:
        zh = "消息里有公司规定不能发送的内容,请去掉后再发"
        en = "the message holds what company rules do not allow; take it out and send it again"
    raise CallerError("guard_blocked", zh, en)
