"""What was found in the ledger, as a file."""

from __future__ import annotations

import time
from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from typing import IO

from fastapi import FastAPI, Request
from fastapi.responses import Response, StreamingResponse

from dazi.access.auditing import LedgerReading
from dazi.audit.export import Format
from dazi.console.audit_query import EXPORT, asked
from dazi.console.thread_routes import saved_as
from dazi.console.visits import Visits
from dazi.core.errors import AccessError

IN_MEMORY = 16 << 20
PIECE = 1 << 16
TYPES = {"jsonl": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}


def add_routes(app: FastAPI, reading: LedgerReading, visits: Visits) -> None:
    async def export(request: Request) -> Response:
        found = await visits.of(request)
        if found is None:
            return Response(status_code=401)
        given = request.query_params
        what = asked(given)
        form: Format = "csv" if given.get("format") == "csv" else "jsonl"
        if what.wrong:
            return Response(status_code=400)
        out: IO[bytes] = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115
        try:
            await reading.export(found[0], what.query, form, out, sealed=bool(given.get("sealed")))
        except AccessError:
            out.close()
            return Response(status_code=403)
        except BaseException:
            out.close()
            raise
        headers = saved_as(f"dazi-audit-{time.strftime('%Y%m%d-%H%M%S')}.{form}")
        del headers["x-content-generator"]  # nobody's model wrote it
        return StreamingResponse(_pieces(out), media_type=TYPES[form], headers=headers)

    app.add_api_route(EXPORT, export, include_in_schema=False, response_model=None)


def _pieces(out: IO[bytes]) -> Iterator[bytes]:
    with out:
        out.seek(0)
        while piece := out.read(PIECE):
            yield piece
