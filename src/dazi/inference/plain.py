"""Keep what people and systems write from acting as control text of the conversation format."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import replace

from dazi.core.engine import GenerateRequest, OfferedTool
from dazi.core.messages import CallText, Message, dumps

_CONTROL = re.compile(
    r"<(?=\|(?:im_start|im_end|endoftext)\|>|/?(?:tool_call|tool_response|tools|think)>)"
)
_SURROGATE = re.compile("[\ud800-\udfff]")


def plain(text: str) -> str:
    """``text`` with the control tags in it made ordinary text, and encodable as UTF-8.

    Tokenizers read a ``<|im_end|>`` inside a message as the end of that message: whoever wrote the
    message could go on as the system. The opening bracket becomes its full-width form.
    """
    if "<" in text:
        text = _CONTROL.sub("＜", text)
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def plain_request(request: GenerateRequest) -> GenerateRequest:
    """For rendering only: grammars must be made of the request as it was."""
    messages = tuple([_message(m) for m in request.messages])
    tools = tuple([_tool(t) for t in request.tools])
    prefix = plain(request.prefix)
    if (messages, tools, prefix) == (request.messages, request.tools, request.prefix):
        return request
    return replace(request, messages=messages, tools=tools, prefix=prefix)


def folded_request(request: GenerateRequest) -> GenerateRequest:
    """For models that copy: what people wrote in the form (NFKC) that values are taken from it in.

    「，」 typed on a Chinese keyboard is then the very character that the call must hold.
    """
    return replace(
        request,
        messages=tuple(
            replace(m, content=unicodedata.normalize("NFKC", m.content)) if m.role == "user" else m
            for m in request.messages
        ),
    )


def _message(message: Message) -> Message:
    content = plain(message.content)
    if not message.calls:
        return message if content == message.content else replace(message, content=content)
    calls = tuple(CallText(c.id, plain(c.name), plain(c.arguments)) for c in message.calls)
    return replace(message, content=content, calls=calls)


def _tool(tool: OfferedTool) -> OfferedTool:
    text = dumps([tool.name, tool.description, tool.parameters])
    cleaned = plain(text)
    if cleaned == text:
        return tool
    name, description, parameters = json.loads(cleaned)
    return replace(tool, name=name, description=description, parameters=parameters)
