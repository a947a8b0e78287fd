"""A person's conversations as files, for whoever is signed in."""

from __future__ import annotations

import time
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.responses import Response, StreamingResponse

from dazi.agent.service import AssistantService
from dazi.console.frame import language_of_request
from dazi.console.visits import Visits
from dazi.core.errors import NotFound
from dazi.memory.export import CONTENT_TYPES, Format, as_file, attachment, everything, file_name

EVERYTHING_URL = "/export/all"


def export_url(thread: str, format: Format) -> str:
    return f"/export/{format}/{quote(thread, safe='')}"


def add_routes(app: FastAPI, service: AssistantService, visits: Visits) -> None:
    async def one(request: Request, format: Format, thread: str) -> Response:
        found = await visits.of(request)
        if found is None:
            return Response(status_code=401)
        principal, store = found[0], service.threads
        try:
            kept = await store.get(thread, principal)
            messages = [m async for m in store.messages(thread, principal)]
        except NotFound:
            return Response(status_code=404)
        body = as_file(kept, messages, format, language_of_request(request))
        headers = saved_as(file_name(kept, format))
        return Response(body, media_type=CONTENT_TYPES[format], headers=headers)

    async def all_of_them(request: Request) -> Response:
        found = await visits.of(request)
        if found is None:
            return Response(status_code=401)
        lines = everything(service.threads, service.remembering.facts, found[0])
        headers = saved_as(f"dazi-{time.strftime('%Y%m%d')}.jsonl")
        return StreamingResponse(lines, media_type="application/x-ndjson", headers=headers)

    app.add_api_route(EVERYTHING_URL, all_of_them, include_in_schema=False, response_model=None)
    app.add_api_route(
        "/export/{format}/{thread:path}", one, include_in_schema=False, response_model=None
    )


def saved_as(name: str) -> dict[str, str]:
    return {
        "content-disposition": attachment(name),
        "cache-control": "private, no-store",
        "x-content-type-options": "nosniff",
        "x-content-generator": "AI",
    }
