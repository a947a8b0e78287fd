"""Files of a person's jobs, for whoever is signed in."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.responses import Response

from dazi.console.thread_routes import saved_as
from dazi.console.visits import Visits
from dazi.core.errors import NotFound
from dazi.store.jobs.service import JobService


def file_url(job: str, name: str) -> str:
    return f"/jobs/{quote(job, safe='')}/files/{quote(name, safe='')}"


def add_routes(app: FastAPI, jobs: JobService, visits: Visits) -> None:
    async def file(request: Request, job: str, name: str) -> Response:
        found = await visits.of(request)
        if found is None:
            return Response(status_code=401)
        try:
            kept, data = await jobs.store.file(job, name, found[0])
        except NotFound:
            return Response(status_code=404)
        return Response(data, media_type=kept.type, headers=saved_as(kept.name))

    app.add_api_route(
        "/jobs/{job}/files/{name}", file, include_in_schema=False, response_model=None
    )
