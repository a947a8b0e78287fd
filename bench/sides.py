"""The sides that the gateway benchmark compares: how each is started, called, and set up."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bench.load import post
from bench.machine import cores
from bench.options import Options
from bench.peer_env import PORTKEY, NodePeer, PeerEnvironment, nginx, peers, portkey
from bench.processes import ROOT, NotStarted, Process, free_port
from bench.upstream import MODEL, PACED
from dazi.access.users import DEMO_KEY_PREFIX
from dazi.inference.catalog import Catalog
from dazi.main.settings import demo_folder

RAW_USER = "admin"
_DAZI = "from dazi.main.cli import run; run()"
LITELLM_KEY = "sk-bench"
LITELLM_ENV = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_LOG": "ERROR",
    "NO_DOCS": "True",
}


@dataclass(slots=True)
class Side:
    """``process`` is ``None`` for the upstream itself and for what could not be started."""

    name: str
    on: str
    off: str
    port: int = 0
    process: Process | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    health: str = "/healthz"
    why_not: str = ""
    no_streams: str = ""
    """Why it is not asked for streams."""

    def request(self, *, stream: bool) -> bytes:
        """A short chat; ``stream`` asks for pieces at a pace."""
        said = "我的订单 ORD12345 为什么还没有发货?请说明原因,并告诉我预计哪天能到。"
        body = {
            "model": MODEL,
            "messages": [
                {"role": "system", "content": "你是云杉商贸的客服。请简短、准确地回答。"},
                {"role": "user", "content": f"{PACED} {said}" if stream else said},
            ],
            "max_tokens": 256,
            "temperature": 0.2,
            "stream": stream,
        }
        data = json.dumps(body, ensure_ascii=False).encode()
        return post("/v1/chat/completions", data, self.headers)


@contextmanager
def started(options: Options, upstream_port: int, folder: Path) -> Iterator[list[Side]]:
    """Every side that can be had, ready, on its core, stopped; the upstream itself comes first."""
    url = f"http://127.0.0.1:{upstream_port}/v1"
    starts: list[Callable[[], Side]] = [
        partial(_dazi, url, folder, audit) for audit in ("memory", "durable")
    ]
    starts.append(partial(_fastapi, url, folder))
    if options.peers:
        starts = [
            partial(_nginx, upstream_port, folder), *starts,
            partial(_portkey, url, folder, portkey()), partial(_litellm, url, folder, peers()),
        ]  # fmt: skip
    sides = [Side("upstream itself", "", "", upstream_port)]
    with ExitStack() as stack:
        for start in starts:
            side = start()
            sides.append(side)
            if side.process is None:
                continue
            stack.callback(side.process.stop)
            try:
                side.process.ready(f"http://127.0.0.1:{side.port}{side.health}")
            except NotStarted as e:
                side.why_not = str(e)
                continue
            side.process.pin(cores().server)
            side.process.signal(signal.SIGSTOP)
        yield sides


def _dazi(url: str, folder: Path, audit: str) -> Side:
    """``dazi serve`` as it ships, for the demo company; its model is the upstream."""
    data = folder / audit
    Catalog(data).use(url, MODEL)
    port = free_port()
    command = [sys.executable, "-c", _DAZI, "serve", "--port", str(port), "--no-check"]
    env = {"DAZI_DATA": str(data), "DAZI_AUDIT": audit, "DAZI_COMPANY": str(demo_folder())}
    where = "in memory" if audit == "memory" else "durable"
    return Side(
        f"Dazi, audit {where}",
        "API key, roles, body and concurrency limits, validation, every piece decoded and encoded "
        "anew, personal data masked in it (guard), disconnect watch, hash-chained audit sealed per "
        f"person, {where}",
        "retries, budgets (no [[limits]] are set)",
        port,
        Process(command, folder / f"dazi-{audit}.log", env),
        {"authorization": f"Bearer {DEMO_KEY_PREFIX}{RAW_USER}"},
    )


def _fastapi(url: str, folder: Path) -> Side:
    port = free_port()
    program = ROOT / "bench" / "peers" / "fastapi_proxy.py"
    command: list[str | Path] = [sys.executable, program, "--url", url, "--port", str(port)]
    process = Process(command, folder / "fastapi.log")
    return Side("FastAPI + aiohttp", "passes bytes through", "everything else", port, process)


NGINX = """\
worker_processes 1;
daemon off;
{user}
pid {folder}/nginx.pid;
error_log stderr;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_requests 1000000;
  upstream model {{ server 127.0.0.1:{upstream}; keepalive 64; keepalive_requests 1000000; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://model;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
    }}
  }}
}}
"""


def _nginx(upstream_port: int, folder: Path) -> Side:
    side = Side("nginx, plain proxy", "passes bytes through", "everything else", free_port())
    program = nginx()
    if program is None:
        side.why_not = "nginx is not installed (Debian: nginx-light)"
        return side
    config = folder / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""
    config.write_text(
        NGINX.format(folder=folder, port=side.port, upstream=upstream_port, user=user)
    )
    command: list[str | Path] = [program, "-c", config, "-p", folder, "-e", "stderr"]
    side.process = Process(command, folder / "nginx.log")
    side.health = "/v1/models"
    return side


def _portkey(url: str, folder: Path, installed: NodePeer) -> Side:
    side = Side(
        f"Portkey gateway {PORTKEY.rpartition('@')[2]}",
        "headers say which provider and where; validation, retries, hooks",
        "API keys of its own, roles, audit, costs, limits (its hosted service has them)",
        free_port(),
        headers={
            "authorization": "Bearer bench",
            "x-portkey-provider": "openai",
            "x-portkey-custom-host": url,
        },
        health="/",
        no_streams='1.15.2 on Node 20 answers every stream with 500 ("TypeError: immutable")',
    )
    if installed.program is None:
        side.why_not = installed.why
        return side
    command: list[str | Path] = [
        installed.node, installed.program, f"--port={side.port}", "--headless",
    ]  # fmt: skip
    env = {"TRUSTED_CUSTOM_HOSTS": "127.0.0.1,localhost", "NODE_ENV": "production"}
    side.process = Process(command, folder / "portkey.log", env)
    return side


def _litellm(url: str, folder: Path, installed: PeerEnvironment) -> Side:
    side = Side(
        "LiteLLM proxy",
        "API key, validation, routing, costs, its own limits",
        "audit, roles",
        free_port(),
        headers={"authorization": f"Bearer {LITELLM_KEY}"},
        health="/health/liveliness",
    )
    if installed.python is None:
        side.why_not = installed.why
        return side
    side.name = installed.versions("litellm") or side.name
    config = folder / "litellm.yaml"
    model = {"model": f"openai/{MODEL}", "api_base": url, "api_key": "bench"}
    settings = {
        "model_list": [{"model_name": MODEL, "litellm_params": model}],
        "general_settings": {"master_key": LITELLM_KEY},
        "litellm_settings": {"telemetry": False},
    }
    config.write_text(json.dumps(settings))  # JSON is YAML
    command: list[str | Path] = [
        installed.python.parent / "litellm", "--config", config, "--host", "127.0.0.1",
        "--port", str(side.port), "--num_workers", "1", "--telemetry", "False",
    ]  # fmt: skip
    side.process = Process(command, folder / "litellm.log", LITELLM_ENV)
    return side
