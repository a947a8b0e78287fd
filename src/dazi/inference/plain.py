"""Keep what people and systems write from acting as control text of the conversation format."""

from __future__ import annotations

import re
from dataclasses import replace

from dazi.core.engine import GenerateRequest

_CONTROL = re.compile(
    r"<(?=\|(?:im_start|im_end|endoftext)\|>|/?(?:tool_call|tool_response|tools|think)>)"
)
_SURROGATE = re.compile("[\ud800-\udfff]")


def plain(text: str) -> str:
    """``text`` with the control tags in it made ordinary text, and encodable as UTF-8.

    Tokenizers read a ``<|im_end|>`` inside a message as the end of that message: whoever wrote the
    message could go on as the system. The opening bracket becomes its full-width form.
    """
    return _SURROGATE.sub("\ufffd", _CONTROL.sub("＜", text))


def plain_request(request: GenerateRequest) -> GenerateRequest:
    messages = tuple(replace(m, content=plain(m.content)) for m in request.messages)
    return replace(request, messages=messages, prefix=plain(request.prefix))
