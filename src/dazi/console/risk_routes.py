"""The model's reports as files, for whoever is signed in and may see them."""

from __future__ import annotations

import asyncio

from fastapi import FastAPI, Request
from fastapi.responses import Response

from dazi.apps.risk.card import card, drift_text, thresholds_text
from dazi.apps.risk.papers import CONTENT_TYPES, as_paper
from dazi.apps.risk.service import RiskService
from dazi.console.frame import language_of_request
from dazi.console.visits import Visits
from dazi.core.errors import AccessError, NotFound
from dazi.memory.export import attachment


def add_routes(app: FastAPI, service: RiskService, visits: Visits) -> None:
    async def report(request: Request, which: str) -> Response:
        found = await visits.of(request)
        if found is None:
            return Response(status_code=401)
        by, language = found[0], language_of_request(request)
        try:
            made = await service.model(by)
            match which:
                case "card":
                    said = card(made.model, made.quality, await service.drift(by), language)
                case "thresholds":
                    said = thresholds_text(made.quality, made.thresholds, language)
                case "drift":
                    said = drift_text(await service.drift(by), language)
                case _:
                    return Response(status_code=404)
        except AccessError:
            return Response(status_code=403)
        except NotFound:
            return Response(status_code=404)
        data = await asyncio.to_thread(as_paper, said, "pdf")
        headers = {
            "content-disposition": attachment(f"risk-{which}.pdf"),
            "cache-control": "private, no-store",
            "x-content-type-options": "nosniff",
        }
        return Response(data, media_type=CONTENT_TYPES["pdf"], headers=headers)

    app.add_api_route(
        "/risk/report/{which}.pdf", report, include_in_schema=False, response_model=None
    )
