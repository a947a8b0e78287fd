"""From OpenAI's request to what the agent or the engine is asked."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dazi.core.engine import OfferedTool, Sampling, ToolChoice
from dazi.core.messages import CallText, Message, Role
from dazi.core.principal import Principal
from dazi.gateway.errors import BadField
from dazi.gateway.wire import ChatMessage, ChatRequest, NamedTool, Part, ToolDefinition

DERIVED = "api_"
"""Begins the ids of threads that exist only by what their caller sends along."""
_THREAD = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
}
MAX_TOOLS = 128
MAX_ID = 100


@dataclass(frozen=True, slots=True)
class Conversation:
    """``text`` is what the person says now, empty when the caller brings tool results instead
    (``results``, the last of ``history``). ``said`` is the person's last message either way."""

    instructions: str
    history: tuple[Message, ...]
    text: str
    said: str
    opening: str
    results: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Tools:
    """``own`` is false when the caller names one function: then nothing else may be called."""

    offered: tuple[OfferedTool, ...]
    choice: ToolChoice
    own: bool = True


def refuse_unsupported(r: ChatRequest) -> None:
    """Fields that would change the answer and that nothing here honours. Raises ``BadField``."""
    wanted = {
        "n": r.n not in (None, 1),
        "logprobs": bool(r.logprobs),
        "top_logprobs": bool(r.top_logprobs),
        "frequency_penalty": bool(r.frequency_penalty),
        "logit_bias": bool(r.logit_bias),
        "modalities": bool(set(r.modalities or ()) - {"text"}),
        "audio": r.audio is not None,
        "web_search_options": r.web_search_options is not None,
    }
    for name, given in wanted.items():
        if given:
            raise _unsupported(name, "不支持,请去掉", "not supported; leave it out")
    for name in ("functions", "function_call"):
        if getattr(r, name) is not None:
            raise _unsupported(name, "已过时,请用 tools", "superseded; use tools")
    if r.response_format is not None and r.response_format.type != "text":
        raise _unsupported(
            "response_format",
            "只支持 text;要结构化结果请传 tools 并用 tool_choice 指定函数",
            "only text is supported; for structured output pass tools and name one in tool_choice",
        )


def _unsupported(name: str, zh: str, en: str) -> BadField:
    return BadField(name, zh, en, "unsupported_parameter")


# --- messages ------------------------------------------------------------------------------------


def messages_of(given: Sequence[ChatMessage]) -> list[Message]:
    """The messages as the engine knows them; at least one. Raises ``BadField``."""
    if not given:
        raise BadField("messages", "不能为空", "must not be empty", "empty")
    return [_message(m, f"messages[{i}]") for i, m in enumerate(given)]


def _message(m: ChatMessage, where: str) -> Message:
    role = _ROLES.get(m.role)
    if role is None:
        known = ", ".join(_ROLES)
        raise BadField(f"{where}.role", f"只能是 {known}", f"must be one of {known}")
    content = _text(m.content, f"{where}.content")
    if role == "user" and not content.strip():
        raise BadField(f"{where}.content", "消息是空的", "the message is empty", "empty")
    if role == "tool" and not 0 < len(m.tool_call_id or "") <= MAX_ID:
        raise BadField(
            f"{where}.tool_call_id",
            f"工具消息需要对应调用的 id(不超过 {MAX_ID} 个字符)",
            f"a tool message needs the id of its call ({MAX_ID} characters at most)",
        )
    calls = tuple(CallText(c.id, c.function.name, c.function.arguments) for c in m.tool_calls or ())
    if any(len(c.id) > MAX_ID for c in calls):
        raise BadField(
            f"{where}.tool_calls",
            f"id 不能超过 {MAX_ID} 个字符",
            f"ids have {MAX_ID} characters at most",
        )
    return Message(role, content, calls if role == "assistant" else (), m.tool_call_id or "")


def _text(content: str | list[Part] | None, where: str) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    texts: list[str] = []
    for i, part in enumerate(content):
        if part.type == "text" and part.text is not None:
            texts.append(part.text)
        elif part.type != "refusal":
            raise BadField(
                f"{where}[{i}]",
                f"只支持文字(type: text),不支持 {part.type}",
                f"only text parts are supported (type: text), not {part.type}",
                "unsupported_content",
            )
    return "\n".join(texts)


def conversation_of(messages: Sequence[Message]) -> Conversation:
    """What the governed assistant needs of them. Raises ``BadField``."""
    instructions = "\n\n".join(m.content for m in messages if m.role == "system" and m.content)
    spoken = [m for m in messages if m.role != "system"]
    people = [m.content for m in spoken if m.role == "user"]
    if not people:
        raise BadField("messages", "至少要有一条 user 消息", "at least one user message is needed")
    last = spoken[-1]
    if last.role == "assistant":
        raise BadField(
            f"messages[{len(messages) - 1}].role",
            "最后一条应是 user 或 tool 消息",
            "the last message must be a user's or a tool's",
        )
    asked = last.role == "user"
    trailing = next((i for i, m in enumerate(reversed(spoken)) if m.role != "tool"), 0)
    return Conversation(
        instructions,
        tuple(spoken[:-1] if asked else spoken),
        last.content if asked else "",
        people[-1],
        people[0],
        () if asked else tuple(spoken[len(spoken) - trailing :]),
    )


def derived_thread(principal: Principal, opening: str) -> str:
    """The same for every request of one conversation: who asks, and what they said first."""
    parts = "\0".join((principal.tenant, principal.user, opening))
    return DERIVED + hashlib.sha256(parts.encode()).hexdigest()[:32]


def named_thread(header: str) -> str:
    """An ``X-Dazi-Thread`` header's value. Raises ``BadField``."""
    if not _THREAD.fullmatch(header):
        raise BadField(
            "X-Dazi-Thread",
            "只能用字母、数字和 . _ : -,1 到 64 个字符",
            "may hold letters, digits and . _ : -, 1 to 64 of them",
        )
    return header


# --- tools and sampling --------------------------------------------------------------------------


def tools_of(r: ChatRequest) -> Tools:
    """Raises ``BadField``."""
    given = r.tools or []
    if len(given) > MAX_TOOLS:
        raise BadField("tools", f"最多 {MAX_TOOLS} 个", f"{MAX_TOOLS} at most")
    offered: dict[str, OfferedTool] = {}
    for i, tool in enumerate(given):
        one = _tool(tool, f"tools[{i}]")
        if one.name in offered:
            raise BadField(
                f"tools[{i}].function.name", f"{one.name} 重复", f"{one.name} is given twice"
            )
        offered[one.name] = one
    every = tuple(offered.values())
    match r.tool_choice:
        case None | "auto":
            return Tools(every, "auto")
        case "none":
            return Tools(every, "none")
        case "required":
            return Tools(every, "required")
        case NamedTool(function=function):
            if function.name not in offered:
                raise BadField(
                    "tool_choice",
                    f"tools 里没有 {function.name}",
                    f"tools holds no {function.name}",
                )
            return Tools((offered[function.name],), "required", own=False)
        case other:
            raise BadField(
                "tool_choice",
                f"应为 auto、none、required 或一个函数,不能是 {other}",
                f"must be auto, none, required or a function, not {other}",
            )


def _tool(tool: ToolDefinition, where: str) -> OfferedTool:
    if tool.type != "function":
        raise BadField(f"{where}.type", "只支持 function", "only function is supported")
    function = tool.function
    if not _NAME.fullmatch(function.name):
        raise BadField(
            f"{where}.function.name",
            "只能用字母、数字和 _ . -,1 到 64 个字符",
            "may hold letters, digits and _ . -, 1 to 64 of them",
        )
    parameters = function.parameters or {"type": "object", "properties": {}}
    if parameters.get("type", "object") != "object":
        raise BadField(f"{where}.function.parameters", "应是 object 类型", "must be of type object")
    return OfferedTool(function.name, function.description or "", parameters)


def sampling_of(r: ChatRequest, tokens: int) -> Sampling | None:
    """What the caller sets, over the defaults; ``None`` when they set nothing. ``tokens`` is the
    most that one generation may have. Raises ``BadField``."""
    _within("temperature", r.temperature, 0, 2)
    _within("top_p", r.top_p, 0, 1)
    _within("presence_penalty", r.presence_penalty, -2, 2)
    limit = r.max_completion_tokens if r.max_completion_tokens is not None else r.max_tokens
    _within("max_tokens", limit, 1, None)
    stop = (r.stop,) if isinstance(r.stop, str) else tuple(r.stop or ())
    if len(stop) > 4 or any(not 0 < len(s) <= 200 for s in stop):
        raise BadField(
            "stop",
            "最多 4 个,每个 1 到 200 个字符",
            "4 at most, each of 1 to 200 characters",
        )
    given = (r.temperature, r.top_p, r.presence_penalty, limit, r.seed, r.stop)
    if all(value is None for value in given):
        return None
    sampling = Sampling(
        max_tokens=min(limit or tokens, tokens),
        top_p=r.top_p or None,
        presence_penalty=r.presence_penalty or 0.0,
        seed=None if r.seed is None else r.seed % (1 << 31),
        stop=stop,
    )
    return sampling if r.temperature is None else replace(sampling, temperature=r.temperature)


def _within(name: str, value: float | None, low: float, high: float | None) -> None:
    if value is None or (value >= low and (high is None or value <= high)):
        return
    if high is None:
        raise BadField(name, f"不能小于 {low:g}", f"must be at least {low:g}")
    raise BadField(name, f"应在 {low:g} 到 {high:g} 之间", f"must be from {low:g} to {high:g}")


def thinking_of(r: ChatRequest) -> bool:
    return r.reasoning_effort not in (None, "none", "minimal")
