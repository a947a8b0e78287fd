"""An engine behind any OpenAI-compatible URL: vLLM, SGLang, TGI, llama.cpp, a cloud."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

import msgspec

from dazi.core.engine import (
    CallArgumentsDelta,
    Done,
    EngineEvent,
    GenerateRequest,
    ModelProfile,
    ReasoningDelta,
    Sampling,
    TextDelta,
)
from dazi.core.errors import CallerError, DaziError, OperatorError, OverloadError
from dazi.inference.chunks import LONGEST_LINE, Chunk, SseReader, chunks_of
from dazi.inference.dialects import DIALECTS, Kind
from dazi.inference.parser_check import ParserCheck, Parsing
from dazi.inference.plain import folded_request, plain_request
from dazi.inference.template import render
from dazi.inference.wire import ChunkReader, holds_grammar, request_body
from dazi.net import Answer, LeanClient

_HANZI = re.compile(r"[\u3400-\u9fff\uf900-\uffef]")
_TOO_LONG = re.compile(r"context.{0,20}(?:length|window|size)|too (?:long|many tokens)", re.I)
_EXCERPT = 300
SLOWEST_TOKENS_S = 1.0
"""A server that gives less than so many tokens a second will not come to an end."""
TOKEN_CHARS = 16
"""A token is shorter on average, whatever the language: an answer that comes to more than all that
were asked for is no answer to what was asked."""
PICTURE_TOKENS = 1_300
"""About what Qwen-VL makes of a picture of a million pixels: one token for each 28 by 28."""
TOKEN_BYTES = 4096
"""What a token takes in a stream, envelope and all, is shorter still: bounds what is held back."""
WAIT_S = 60.0
log = logging.getLogger("dazi.inference")
encode = msgspec.json.Encoder(enc_hook=dict).encode


@dataclass(frozen=True, slots=True)
class RemoteOptions:
    """Operator configuration; nothing here may come from a request.

    ``model`` empty: the first one that the server lists. ``idle_timeout_s`` bounds the wait for the
    first and for each further piece of an answer; an answer as a whole has that much, and a second
    more for each token that was asked for.
    """

    base_url: str
    model: str = ""
    api_key: str = field(default="", repr=False)
    context_tokens: int = 32_768
    kind: Kind = "compatible"
    connect_timeout_s: float = 5.0
    idle_timeout_s: float = WAIT_S


@dataclass(slots=True)
class Health:
    """What is known of a server. ``well``: what the last look at it said, ``None`` before there was
    one; ``trouble``: why it is not; ``answered``: requests that it took."""

    well: bool | None = None
    trouble: DaziError | None = None
    answered: int = 0


class RemoteEngine:
    """Implements ``core.engine.Engine``. Opens no connection before the first request."""

    def __init__(self, options: RemoteOptions, profile: ModelProfile | None = None) -> None:
        self._options = replace(options, base_url=base_url(options.base_url))
        name = options.model or urlsplit(self._options.base_url).netloc
        self._profile = profile or ModelProfile(name, options.context_tokens)
        self._model = options.model
        dialect = DIALECTS[options.kind]
        # A model without a thinking mode is not told to leave it: templates answer that with tags.
        self._dialect = dialect if self._profile.thinks else replace(dialect, thinking="none")
        self._client: LeanClient | None = None
        self._parser = ParserCheck(self._options.base_url)
        self.health = Health()

    @property
    def profile(self) -> ModelProfile:
        return self._profile

    @property
    def parsing(self) -> Parsing:
        """Who read the calls of the answer that ended last."""
        return self._parser.last

    def count_tokens(self, request: GenerateRequest) -> int:
        """An estimate, rather too high: the server alone has the tokenizer.

        Qwen3 takes about 1.5 hanzi or 3.5 other characters a token.
        """
        text = render(plain_request(request))
        hanzi = len(_HANZI.findall(text))
        pictures = PICTURE_TOKENS * sum(len(m.images) for m in request.messages)
        return round(hanzi * 0.75 + (len(text) - hanzi) / 3) + 8 + pictures

    async def generate(self, request: GenerateRequest) -> AsyncIterator[EngineEvent]:
        async with aclosing(self.bursts(request)) as bursts:
            async for events in bursts:
                for event in events:
                    yield event

    async def bursts(self, request: GenerateRequest) -> AsyncGenerator[Sequence[EngineEvent], None]:
        reader = ChunkReader(request)
        told: list[EngineEvent] = []
        bounds = _Bounds(request.sampling.max_tokens, self._options.idle_timeout_s)
        answer: Answer | None = None
        try:
            more = f"traceparent: {request.trace}\r\n".encode() if request.trace else b""
            whole: bytes | None = None
            async with asyncio.timeout_at(bounds.until):
                answer, body = await self._asked(request, more)
                if "stream" not in body and answer.status == 200:
                    whole = await answer.whole(LONGEST_LINE)
            if answer.status != 200:
                raise await self._refusal(answer, request)
            self.health.answered += 1
            if whole is not None:
                told = [e for c in chunks_of(whole) for e in self._events(reader, c)]
            else:
                lines = SseReader()
                while data := await answer.some():
                    if events := [e for c in lines.read(data) for e in self._events(reader, c)]:
                        bounds.note(events)
                        yield events
                    bounds.check(len(data))
                told = [e for c in lines.finish() for e in self._events(reader, c)]
        except OSError as e:
            raise _unreachable(self._options.base_url, e) from e
        except ValueError as e:
            raise _broken(f"not an event stream: {e}"[:_EXCERPT]) from e
        finally:
            if answer is not None:
                answer.close()
        if reader.reason is None:
            raise _broken("the answer ended in the middle")
        told += reader.finish()
        self._parser.note(reader)
        yield [*told, Done(reader.reason, reader.usage)]

    async def _asked(
        self, request: GenerateRequest, more: bytes
    ) -> tuple[Answer, Mapping[str, Any]]:
        """The answer's head, and what was asked for it. A server that refuses a grammar is asked
        without one, once and for all: the router checks every call anyway."""
        given = plain_request(self._folded(request))
        name = await self._model_name(request)
        body = request_body(given, name, self._dialect)
        answer = await self._http().request("POST", "/chat/completions", encode(body), more)
        if answer.status not in (400, 422) or not holds_grammar(body):
            return answer, body
        said = (await answer.some())[:_EXCERPT].decode("utf-8", "replace")
        answer.close()
        without = replace(self._dialect, grammar="none")
        body = request_body(given, name, without)
        answer = await self._http().request("POST", "/chat/completions", encode(body), more)
        if answer.status == 200:
            self._dialect = without
            log.warning("%s takes no grammar of calls: %s", self._options.base_url, said)
        return answer, body

    def _folded(self, request: GenerateRequest) -> GenerateRequest:
        return folded_request(request) if self._profile.copies_text else request

    def _events(self, reader: ChunkReader, chunk: Chunk) -> list[EngineEvent]:
        if chunk.error:
            raise _broken(str(chunk.error)[:_EXCERPT])
        return reader.read(chunk)

    async def warm(self, request: GenerateRequest) -> None:
        async for _ in self.generate(replace(request, sampling=Sampling(max_tokens=1))):
            pass

    async def models(self) -> tuple[str, ...]:
        """The names of the models that the server offers. Raises ``OperatorError``."""
        answer: Answer | None = None
        try:
            answer = await self._http().request("GET", "/models")
            if answer.status != 200:
                raise await self._refusal(answer, None)
            listed = msgspec.json.decode(await answer.whole(LONGEST_LINE))["data"]
            return tuple(str(m["id"]) for m in listed)
        except OSError as e:
            raise _unreachable(self._options.base_url, e) from e
        except (ValueError, KeyError, TypeError) as e:
            raise _broken(f"/models: {e!r}"[:_EXCERPT]) from e
        finally:
            if answer is not None:
                answer.close()

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def _model_name(self, request: GenerateRequest) -> str:
        if request.model:
            return request.model
        if not self._model:
            listed = await self.models()
            if not listed:
                raise _broken("/models: the list is empty")
            self._model = listed[0]
        return self._model

    def _http(self) -> LeanClient:
        """Made on first use, because connections belong to the running loop."""
        if self._client is None:
            options = self._options
            key = {"authorization": f"Bearer {options.api_key}"} if options.api_key else {}
            self._client = LeanClient(
                options.base_url,
                key,
                connect_s=options.connect_timeout_s,
                idle_s=options.idle_timeout_s,
            )
        return self._client

    async def _refusal(self, answer: Answer, request: GenerateRequest | None) -> DaziError:
        """The error that a status other than 200 means."""
        status = answer.status
        text = (await answer.some())[:4096].decode("utf-8", "replace")
        if status in (429, 503):
            return OverloadError(
                "model_busy",
                "模型服务繁忙，请稍后再试。",
                "The model server is busy; try again later.",
                retry_after=_seconds(answer.headers),
            )
        if status in (400, 413, 422) and request is not None:
            if _TOO_LONG.search(text):
                needed, context = self.count_tokens(request), self._profile.context_tokens
                return CallerError(
                    "context_overflow",
                    f"请求约有 {needed} 个词元，而模型最多容纳 {context} 个；请缩短内容。",
                    f"The request has about {needed} tokens, and the model takes {context}; "
                    "shorten it.",
                )
            return CallerError(
                "model_refused",
                f"模型服务拒绝了这个请求：{text[:_EXCERPT]}",
                f"The model server refused the request: {text[:_EXCERPT]}",
            )
        # What a server says of its own inside is for whoever runs it, not for whoever asks.
        log.warning("%s answered %d: %s", self._options.base_url, status, text[:_EXCERPT])
        hint = _HINTS.get(status, ("请查看模型服务的日志。", "See the model server's log."))
        return OperatorError(
            "model_server",
            f"模型服务 {self._options.base_url} 返回 {status}。{hint[0]}",
            f"The model server {self._options.base_url} answered {status}. {hint[1]}",
        )


class _Bounds:
    """What an answer may come to: a server that knows no end must not take a place for good."""

    __slots__ = ("_bytes", "_left", "until")

    def __init__(self, tokens: int, wait_s: float) -> None:
        self._left = (tokens + 32) * TOKEN_CHARS
        self._bytes = (tokens + 32) * TOKEN_BYTES
        self.until = asyncio.get_running_loop().time() + wait_s + tokens / SLOWEST_TOKENS_S

    def note(self, events: Sequence[EngineEvent]) -> None:
        for event in events:
            if isinstance(event, TextDelta | ReasoningDelta | CallArgumentsDelta):
                self._left -= len(event.text)

    def check(self, size: int) -> None:
        """``size``: bytes that have come since. Raises ``OperatorError``."""
        self._bytes -= size
        if self._left < 0 or self._bytes < 0:
            raise _broken("it is longer than all the tokens asked for")
        if asyncio.get_running_loop().time() > self.until:
            raise _broken("it has not come to an end in time")


_KEY = ("请检查 API 密钥。", "Check the API key.")
_HINTS = {
    401: _KEY,
    403: _KEY,
    404: (
        "请检查地址（通常以 /v1 结尾）和模型名。",
        "Check the URL (often ending in /v1) and model.",
    ),
}


def base_url(url: str) -> str:
    """``url`` as requests need it. Raises ``OperatorError`` when it is not a plain HTTP URL."""
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
        raise OperatorError(
            "model_url",
            "模型服务地址应形如 http://主机:端口/v1，不带用户名、密码或参数。",
            "A model server's URL looks like http://host:port/v1, without user name or query.",
        )
    path = parts.path.rstrip("/").removesuffix("/chat/completions") or "/v1"
    return f"{parts.scheme}://{parts.netloc}{path}"


def _seconds(headers: Mapping[str, str]) -> float:
    try:
        return min(60.0, max(0.1, float(headers.get("retry-after", "1"))))
    except ValueError:
        return 1.0


def _unreachable(url: str, e: Exception) -> OperatorError:
    why = "timeout" if isinstance(e, asyncio.TimeoutError | TimeoutError) else type(e).__name__
    return OperatorError(
        "model_unreachable",
        f"连不上模型服务 {url}（{why}）。请确认它在运行，地址和防火墙设置正确。",
        f"The model server {url} cannot be reached ({why}). Make sure that it is running and that "
        "its address and the firewall are right.",
    )


def _broken(why: str) -> OperatorError:
    return OperatorError(
        "model_server",
        f"模型服务的回答无法使用：{why}",
        f"The model server's answer cannot be used: {why}",
    )
