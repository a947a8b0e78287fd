"""Dazi's own server over the fake upstream: everything ``dazi serve`` mounts, without a model."""

from __future__ import annotations

import argparse
import asyncio
from datetime import date
from pathlib import Path

import uvicorn
import uvloop

from bench.upstream import MODEL
from dazi.inference.remote import RemoteEngine, RemoteOptions
from dazi.main.runtime import open_runtime
from dazi.main.serve import build_app
from dazi.main.settings import Settings, demo_folder


async def serve(url: str, port: int, data: Path, audit: str) -> None:
    settings = Settings(
        company=demo_folder(), data=data, port=port, audit=audit, today=date(2025, 4, 3)
    )
    engine = RemoteEngine(RemoteOptions(url, MODEL, qwen=False))
    runtime = await open_runtime(settings, engine=engine, effects=False)
    config = uvicorn.Config(
        build_app(runtime), port=port, log_level="warning", access_log=False, server_header=False
    )
    try:
        await uvicorn.Server(config).serve()
    finally:
        await asyncio.wait_for(runtime.close(), 10)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--audit", choices=["memory", "durable"], required=True)
    a = parser.parse_args()
    uvloop.run(serve(a.url, a.port, a.data, a.audit))


if __name__ == "__main__":
    main()
