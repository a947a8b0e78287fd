"""The Qwen3 conversation format, written out by hand.

Rendering here rather than through a tokenizer's Jinja template keeps one format for the bundled
model's training data, the embedded engine and the tests, and costs microseconds. The format is
that of the Qwen3 model card: tools listed in the system turn, calls in ``<tool_call>``, results
in ``<tool_response>`` inside a user turn, an empty ``<think>`` block when thinking is off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dazi.core.engine import GenerateRequest, OfferedTool
from dazi.core.messages import CallText, Message, dumps

START = "<|im_start|>"
END = "<|im_end|>"
CALL_OPEN = "<tool_call>"
CALL_CLOSE = "</tool_call>"
THINK_OPEN = "<think>"
THINK_CLOSE = "</think>"

TOOLS_HEAD = (
    "# Tools\n\nYou may call one or more functions to assist with the user query.\n\n"
    "You are provided with function signatures within <tools></tools> XML tags:\n<tools>"
)
TOOLS_TAIL = (
    "\n</tools>\n\nFor each function call, return a json object with function name and arguments "
    "within <tool_call></tool_call> XML tags:\n<tool_call>\n"
    '{"name": <function-name>, "arguments": <args-json-object>}\n</tool_call>'
)
NO_THINKING = "<think>\n\n</think>\n\n"
CALL_HEAD = '<tool_call>\n{"name": "'
CALL_MIDDLE = '", "arguments": '
CALL_TAIL = "}\n</tool_call>"
RESPONSE_HEAD = "<tool_response>\n"
RESPONSE_TAIL = "\n</tool_response>"


def tool_json(name: str, description: str, parameters: Mapping[str, Any]) -> str:
    """One line of the ``<tools>`` list."""
    function = {"name": name, "description": description, "parameters": parameters}
    return dumps({"type": "function", "function": function})


def call_text(name: str, arguments: str) -> str:
    """A call as the model writes it; ``arguments`` is JSON text."""
    return f"{CALL_HEAD}{name}{CALL_MIDDLE}{arguments}{CALL_TAIL}"


def render(request: GenerateRequest, *, thinks: bool = True) -> str:
    """The whole prompt, up to where the assistant's next words go.

    ``thinks`` is false for a model that has no thinking mode: it gets no empty ``<think>`` block,
    so that what it generated and the history agree and the prefix cache covers both.
    """
    out: list[str] = []
    messages = list(request.messages)
    system = messages.pop(0).content if messages and messages[0].role == "system" else ""
    tools = request.tools if request.tool_choice != "none" else ()
    if system or tools:
        out += [START, "system\n", system]
        if tools:
            out += ["\n\n" if system else "", _tools(tools)]
        out += [END, "\n"]
    previous = ""
    for i, message in enumerate(messages):
        following = messages[i + 1].role if i + 1 < len(messages) else ""
        out.append(_message(message, previous, following))
        previous = message.role
    out += [START, "assistant\n"]
    if thinks and not request.thinking:
        out.append(NO_THINKING)
    out.append(request.prefix)
    return "".join(out)


def _tools(tools: Sequence[OfferedTool]) -> str:
    lines = "".join("\n" + tool_json(t.name, t.description, t.parameters) for t in tools)
    return TOOLS_HEAD + lines + TOOLS_TAIL


def assistant_text(content: str, calls: Sequence[CallText]) -> str:
    """What stands in an assistant turn."""
    parts = [content] if content else []
    parts += [call_text(c.name, c.arguments) for c in calls]
    return "\n".join(parts)


def _message(message: Message, previous: str, following: str) -> str:
    if message.role == "tool":
        head = "" if previous == "tool" else f"{START}user"
        tail = "" if following == "tool" else f"{END}\n"
        return f"{head}\n{RESPONSE_HEAD}{message.content}{RESPONSE_TAIL}{tail}"
    if message.role == "assistant":
        return f"{START}assistant\n{assistant_text(message.content, message.calls)}{END}\n"
    return f"{START}{message.role}\n{message.content}{END}\n"


BOILERPLATE: tuple[str, ...] = (
    f"{START}system\n",
    f"\n{START}user\n",
    f"\n{START}assistant\n",
    NO_THINKING,
    f"\n\n{TOOLS_HEAD}",
    TOOLS_TAIL,
    '\n{"name": "',
    CALL_MIDDLE,
    "}\n",
    RESPONSE_HEAD,
    RESPONSE_TAIL,
    '\n{"type": "function", "function": {"name": "',
    '", "description": "',
    '", "parameters": {"type": "object", "properties": {',
    '}, "required": [',
    "]}}}",
    '": {"type": "string"',
    '": {"type": "number"',
    '": {"type": "integer"',
    '": {"type": "array"',
    ', "description": "',
    ', "enum": [',
    ', "items": {"type": "string", "enum": [',
    ', "pattern": "',
)
"""Fragments that are the same in every conversation; the bundled model's tokenizer makes each of
them one token, which shortens its prompts about threefold."""
