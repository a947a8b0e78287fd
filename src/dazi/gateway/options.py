"""What a request sets besides its messages: tools, sampling, and what cannot be honoured."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dazi.core.engine import OfferedTool, Sampling, ToolChoice
from dazi.gateway.errors import BadField
from dazi.gateway.wire import ChatRequest, NamedTool, ToolDefinition

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
MAX_TOOLS = 128


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
    if stop and (len(stop) > 4 or any(not 0 < len(s) <= 200 for s in stop)):
        raise BadField(
            "stop",
            "最多 4 个,每个 1 到 200 个字符",
            "4 at most, each of 1 to 200 characters",
        )
    given = (r.temperature, r.top_p, r.presence_penalty, limit, r.seed, r.stop)
    if all(value is None for value in given):
        return None
    return Sampling(
        max_tokens=min(limit or tokens, tokens),
        temperature=0.0 if r.temperature is None else r.temperature,
        top_p=r.top_p or None,
        presence_penalty=r.presence_penalty or 0.0,
        seed=None if r.seed is None else r.seed % (1 << 31),
        stop=stop,
    )


def _within(name: str, value: float | None, low: float, high: float | None) -> None:
    if value is None or (value >= low and (high is None or value <= high)):
        return
    if high is None:
        raise BadField(name, f"不能小于 {low:g}", f"must be at least {low:g}")
    raise BadField(name, f"应在 {low:g} 到 {high:g} 之间", f"must be from {low:g} to {high:g}")


def thinking_of(r: ChatRequest) -> bool:
    return r.reasoning_effort not in (None, "none", "minimal")
