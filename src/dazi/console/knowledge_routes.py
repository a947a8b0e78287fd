"""Addresses of documents, and pages of PDFs as pictures for whoever is signed in and may read them."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.responses import Response

from dazi.console.visits import Visits
from dazi.core.errors import DaziError, NotFound
from dazi.knowledge.service import KnowledgeService

HEADERS = {
    "cache-control": "private, no-store",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'",
}


def document_url(number: str, ordinal: int | None = None) -> str:
    start = "" if ordinal is None else f"?at={ordinal}"
    return f"/knowledge/d/{quote(number, safe='')}{start}"


def picture_url(number: str, page: int, ordinal: int | None = None) -> str:
    mark = "" if ordinal is None else f"?passage={ordinal}"
    return f"/knowledge/picture/{quote(number, safe='')}/{page}{mark}"


def add_routes(app: FastAPI, knowledge: KnowledgeService, visits: Visits) -> None:
    async def picture(
        request: Request, document: str, page: int, passage: int | None = None
    ) -> Response:
        found = await visits.of(request)
        if found is None:
            return Response(status_code=401)
        try:
            drawn = await knowledge.picture(found[0], document, page, passage)
        except NotFound:
            return Response(status_code=404)
        except DaziError:  # a file that cannot be drawn: the page shows its text
            return Response(status_code=422)
        return Response(drawn, media_type="image/png", headers=HEADERS)

    app.add_api_route(
        "/knowledge/picture/{document}/{page}",
        picture,
        methods=["GET"],
        include_in_schema=False,
        response_model=None,
    )
