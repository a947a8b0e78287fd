"""What was made of a contract, and statistics of rules, as files for whoever is signed in."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import PurePath
from urllib.parse import quote

import msgspec
from fastapi import FastAPI, Request
from fastapi.responses import Response

from dazi.apps.contracts.making import KEPT
from dazi.apps.contracts.outputs.told import as_told
from dazi.apps.contracts.reviewed import from_plain
from dazi.apps.contracts.service import ContractService
from dazi.console.frame import language_of_request
from dazi.console.thread_routes import saved_as
from dazi.console.visits import Visits
from dazi.core.errors import AccessError, NotFound


def file_url(job: str, name: str) -> str:
    return f"/contracts/{quote(job, safe='')}/files/{quote(name, safe='')}"


def add_routes(app: FastAPI, contracts: ContractService, visits: Visits) -> None:
    async def file(request: Request, job: str, name: str) -> Response:
        found = await visits.of(request)
        if found is None:
            return Response(status_code=401)
        try:
            opened = await contracts.open(found[0], job)
            kept, data = await contracts.jobs.store.file(job, name, found[0])
        except NotFound:
            return Response(status_code=404)
        if name == KEPT:
            done = from_plain(msgspec.json.decode(data))
            told = as_told(done, language_of_request(request))
            told["verdicts"] = [asdict(v) for v in opened.verdicts.values()]
            data = json.dumps(told, ensure_ascii=False, indent=1).encode()
        named = f"{PurePath(opened.job.title).stem}.{name}"
        return Response(data, media_type=kept.type, headers=saved_as(named))

    async def statistics(request: Request) -> Response:
        found = await visits.of(request)
        if found is None:
            return Response(status_code=401)
        try:
            rules = await contracts.statistics(found[0])
        except AccessError:
            return Response(status_code=403)
        data = json.dumps([asdict(q) for q in rules], ensure_ascii=False, indent=1)
        headers = saved_as("contract-rules.json")
        return Response(data, media_type="application/json", headers=headers)

    app.add_api_route(
        "/contracts/statistics.json", statistics, include_in_schema=False, response_model=None
    )
    app.add_api_route(
        "/contracts/{job}/files/{name}", file, include_in_schema=False, response_model=None
    )
