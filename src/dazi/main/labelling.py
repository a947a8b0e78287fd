"""How labels of generated content come out: a sentence let through the real response paths.

An engine that says one sentence takes the model's place, in a data folder of its own; the gateway,
the guard's rules and the page's views are the company's.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, MutableMapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from dazi.access.users import DEMO_KEY_PREFIX
from dazi.core.company import Company, DemoUser
from dazi.core.engine import Done, EngineEvent, GenerateRequest, ModelProfile, TextDelta, Usage
from dazi.core.language import Language, Text
from dazi.core.turn import AnswerDelta, TurnFinished
from dazi.main.settings import Settings
from dazi.ops.compliance.subject import LabelledAnswer, SeenLabels

SENTENCE = "你好。"
USER = "compliance-probe"
PROFILE = ModelProfile("sentence", 8192, thinks=False)


class OneSentence:
    """An engine that says ``SENTENCE``, whatever it is asked."""

    profile = PROFILE

    async def generate(self, request: GenerateRequest) -> AsyncIterator[EngineEvent]:
        yield TextDelta(SENTENCE)
        yield Done("stop", Usage(1, 1))

    def count_tokens(self, request: GenerateRequest) -> int:
        return 1

    async def warm(self, request: GenerateRequest) -> None:
        return None

    async def close(self) -> None:
        return None


class LabelProbe:
    """Looks once, however often it is asked. ``page``: as ``page_texts`` has it, where that was drawn
    before: beside a running page it has to be drawn in that page's own thread."""

    def __init__(
        self,
        settings: Settings,
        company: Company,
        page: Mapping[Language, tuple[str, ...]] | None = None,
    ) -> None:
        self._settings = settings
        self._company = company
        self._page = page
        self._seen: SeenLabels | None = None

    async def __call__(self) -> SeenLabels:
        if self._seen is None:
            answers = tuple([a async for a in _answers(self._settings, self._company)])
            self._seen = SeenLabels(answers, self._page or page_texts(self._company))
        return self._seen


async def _answers(settings: Settings, company: Company) -> AsyncIterator[LabelledAnswer]:
    from dazi.gateway.app import create_app
    from dazi.gateway.state import GOVERNED, GatewayState, Limits
    from dazi.main.runtime import assemble

    with tempfile.TemporaryDirectory(prefix="dazi-labels-") as scratch:
        elsewhere = {"database": "", "redis": "", "embedding_url": "", "host": "127.0.0.1"}
        own = settings.model_copy(update={"data": Path(scratch), "audit": "durable", **elsewhere})
        runtime = await assemble(own, _alone(company), {}, OneSentence(), Path(scratch))
        try:

            async def ready() -> dict[str, bool]:
                return {}

            state = GatewayState(
                runtime.service, runtime.engine, runtime.company, runtime.directory,
                runtime.ledger, Limits(), ready, runtime.access,
            )  # fmt: skip
            app = create_app(state)
            for model in (GOVERNED, PROFILE.name):
                for stream in (False, True):
                    yield await _asked(app, model, stream)
        finally:
            await runtime.close()


def _alone(company: Company) -> Company:
    """With one person who may talk to the model, and nothing that they could do."""
    user = DemoUser(USER, "", ("admin",), Text("", ""))
    settings = {"demo": True, "company": company.settings.get("company", {})}
    roles = {**company.roles, "admin": frozenset({"admin"})}
    return replace(
        company, tools={}, connectors={}, roles=roles, settings=settings, users=(user,), policies=()
    )


async def _asked(app: Any, model: str, stream: bool) -> LabelledAnswer:
    """One question to the ASGI application, as a server would hand it in."""
    asked = {"model": model, "messages": [{"role": "user", "content": "你好"}], "stream": stream}
    given = iter([{"type": "http.request", "body": msgspec.json.encode(asked)}])
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> Mapping[str, Any]:
        message = next(given, None)
        if message is None:
            await asyncio.Event().wait()  # the caller stays to the end
        return message or {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    key = f"Bearer {DEMO_KEY_PREFIX}{USER}".encode()
    path = "/v1/chat/completions"
    scope = {
        "type": "http", "http_version": "1.1", "method": "POST", "scheme": "http", "path": path,
        "raw_path": path.encode(), "query_string": b"", "client": ("127.0.0.1", 0),
        "server": ("127.0.0.1", 80), "headers": [(b"host", b"localhost"), (b"authorization", key)],
    }  # fmt: skip
    await app(scope, receive, send)
    headers = {k.decode(): v.decode() for m in sent for k, v in m.get("headers", ())}
    body = b"".join(m.get("body", b"") for m in sent)
    way = f"{model} ({'stream' if stream else 'whole'})"
    return LabelledAnswer(way, headers, tuple(_metadata(body, stream)))


def _metadata(body: bytes, stream: bool) -> Iterator[Mapping[str, Any]]:
    parts = [p.removeprefix(b"data: ") for p in body.split(b"\n\n")] if stream else [body]
    for part in parts:
        if part.startswith(b"{"):
            found = msgspec.json.decode(part).get("dazi")
            if isinstance(found, dict):
                yield found


def page_texts(company: Company) -> dict[Language, tuple[str, ...]]:
    return dict(_page(company))


def _page(company: Company) -> Iterator[tuple[Language, tuple[str, ...]]]:
    """What the page's own view of a turn shows, drawn for a browser that is not there."""
    from nicegui import Client, ui

    from dazi.console.turn_view import TurnView

    languages: tuple[Language, ...] = ("zh", "en")
    for language in languages:
        client = Client(ui.page("/compliance-probe"), request=None)
        with client:
            view = TurnView(client.content, company, language)
            view.show(AnswerDelta(SENTENCE))
            view.show(TurnFinished(SENTENCE, (), Usage(1, 1), 1.0))
        texts = [getattr(e, "text", "") for e in client.elements.values()]
        client.delete()
        yield language, tuple(t for t in texts if t)
