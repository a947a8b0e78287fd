"""Bodies that callers send, as OpenAI's API has them, and where one is wrong.

Fields that are not listed are ignored: clients send many that only label or route a request.
Fields that would change the answer and cannot be honoured are listed and refused
(``options.refuse_unsupported``).
"""

from __future__ import annotations

import re
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct

from dazi.gateway.errors import BadField

T = TypeVar("T")

_AT_BYTE = re.compile(r" \(byte (\d+)\)$")
_EXPECTED = re.compile(r"Expected `([^`]*)`(?:, got `([^`]*)`)?")
_REQUIRED = re.compile(r"missing required field `([^`]*)`")


class ImageUrl(Struct):
    url: str


class Part(Struct):
    type: str
    text: str | None = None
    image_url: ImageUrl | None = None


class FunctionCall(Struct):
    name: str
    arguments: str


class ToolCall(Struct):
    id: str
    function: FunctionCall
    type: str = "function"


class ChatMessage(Struct):
    role: str
    content: str | list[Part] | None = None
    tool_calls: list[ToolCall] | None = None
    tool_call_id: str | None = None


class FunctionDefinition(Struct):
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None


class ToolDefinition(Struct):
    function: FunctionDefinition
    type: str = "function"


class FunctionName(Struct):
    name: str


class NamedTool(Struct):
    function: FunctionName
    type: str = "function"


class StreamOptions(Struct):
    include_usage: bool | None = None


class ResponseFormat(Struct):
    type: str


class DaziOptions(Struct):
    """What callers who know Dazi ask for beside the answer."""

    show_context: bool | None = None


class ChatRequest(Struct):
    """``POST /v1/chat/completions``."""

    model: str
    messages: list[ChatMessage]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    tools: list[ToolDefinition] | None = None
    tool_choice: str | NamedTool | None = None
    parallel_tool_calls: bool | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    presence_penalty: float | None = None
    reasoning_effort: str | None = None
    n: int | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    frequency_penalty: float | None = None
    logit_bias: dict[str, float] | None = None
    response_format: ResponseFormat | None = None
    modalities: list[str] | None = None
    audio: Any = None
    functions: Any = None
    function_call: Any = None
    web_search_options: Any = None
    dazi: DaziOptions | None = None


class Decision(Struct, forbid_unknown_fields=True):
    """``POST /v1/dazi/confirmations/{ticket}``. ``reason``: why it was rejected; ``arguments``: those that
    would have been right, and ``consent``: that it may be learned from."""

    approve: bool
    reason: str = ""
    arguments: dict[str, Any] | None = None
    consent: bool = False


class Reader(Generic[T]):
    """Decodes bodies of one type. Raises ``BadField`` saying where a body is wrong."""

    def __init__(self, kind: type[T]) -> None:
        self.kind = kind
        self._decoder = msgspec.json.Decoder(kind)

    def read(self, body: bytes) -> T:
        try:
            return self._decoder.decode(body)
        except msgspec.ValidationError as e:
            raise _misfit(str(e)) from None
        except msgspec.DecodeError as e:
            found = _AT_BYTE.search(str(e))
            why = _AT_BYTE.sub("", str(e)).removeprefix("JSON is malformed: ")
            raise _malformed(body, int(found[1]) if found else len(body), why) from None
        except UnicodeDecodeError:
            raise _malformed(body, _utf8_until(body), "not UTF-8") from None
        except RecursionError:
            raise BadField("body", "嵌套太深", "nested too deeply", "malformed_json") from None


def _utf8_until(body: bytes) -> int:
    try:
        body.decode()
    except UnicodeDecodeError as e:
        return e.start
    return len(body)


def _misfit(text: str) -> BadField:
    said, _, path = text.partition(" - at `")
    where = path.rstrip("`").removeprefix("$").removeprefix(".")
    if missing := _REQUIRED.search(said):
        where = f"{where}.{missing[1]}".removeprefix(".")
        return BadField(where, "缺少这个字段", "this field is required", "missing_field")
    zh = said
    if expected := _EXPECTED.search(said):
        zh = f"应为 {expected[1]}" + (f",实为 {expected[2]}" if expected[2] else "")
    return BadField(where or "body", zh, said, "invalid_type")


def _malformed(body: bytes, at: int, why: str) -> BadField:
    before = body[:at]
    line = before.count(b"\n") + 1
    column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
    return BadField(
        "body",
        f"不是合法的 JSON,第 {line} 行第 {column} 个字符处:{why}",
        f"not valid JSON at line {line}, character {column}: {why}",
        "malformed_json",
    )


CHAT = Reader(ChatRequest)
DECISION = Reader(Decision)
