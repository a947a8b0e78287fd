"""``dazi serve``: the company's services, the model, the page and the API, with a self-check."""

from __future__ import annotations

import asyncio
import secrets
import signal
import socket
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import typer
import uvicorn
from fastapi import FastAPI

from dazi.access.users import DEMO_KEY_PREFIX
from dazi.agent.asking import Ask
from dazi.audit.checkpoints import Checkpoints, keep_checkpoints
from dazi.audit.days import checked_days
from dazi.audit.retention import Retention, keep_pruned
from dazi.audit.signing import SigningKeys
from dazi.console.mount import mount_console
from dazi.console.state import ConsoleState
from dazi.core.errors import OperatorError
from dazi.core.language import Language, Text
from dazi.core.turn import CallFinished, TurnFinished
from dazi.gateway.app import StraightIn, create_app
from dazi.gateway.protocol import BoundedHttp, ServerConfig
from dazi.gateway.state import GatewayState, Limits
from dazi.main import collecting
from dazi.main.alert_figures import keep_verified
from dazi.main.alerting import open_alerts
from dazi.main.auditing import audit_folder
from dazi.main.chores import keep_tidying
from dazi.main.contracts import open_contracts
from dazi.main.demo import with_port
from dazi.main.erasing import Ages, Stores, keep_stores_pruned
from dazi.main.logs import keep_logs
from dazi.main.model_health import looking
from dazi.main.observing import parts_of, watch
from dazi.main.runtime import Runtime, open_runtime
from dazi.main.settings import Settings
from dazi.main.system import RunningSystem
from dazi.main.warming import AGAIN_S, keep_trying, warm
from dazi.ops.scaling import Dampers, ScalingRules

WITHOUT_MODEL = Text(
    f"先启动,模型每 {AGAIN_S:g} 秒再试一次;试通之前 /readyz 的 model 是 false。",
    f"Starting all the same; the model is tried every {AGAIN_S:g} seconds. "
    "Until then model is false in /readyz.",
)
DEMO_PAGE = Text("  网站挂件的演示页:{url}", "  a page with the widget on it: {url}")
SHUTDOWN_S = 10
BACKLOG = 128


class _Server(uvicorn.Server):
    """Signals are ours: the library would stop listening at the first one."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(settings: Settings, language: Language, check: bool) -> None:
    """Run until interrupted. Raises ``OperatorError`` when the port is taken."""
    checked_days(settings.audit_days, "DAZI_AUDIT_DAYS")
    listening = _listen(settings)
    began = time.perf_counter()
    runtime = await open_runtime(settings)
    keep_logs(runtime)
    try:
        missing = await warm(runtime)
        if missing is not None:
            typer.echo(f"{missing.message(language)}\n{WITHOUT_MODEL(language)}", err=True)
        elif check:
            await self_check(runtime, language)
        config = _config(runtime)
        server = _Server(config)
        collecting.lasting()
        _announce(runtime, listening.getsockname()[1], time.perf_counter() - began, language)
        beside = [asyncio.create_task(work) for work in _beside(runtime)]
        try:
            await _until_stopped(server, listening, runtime, config)
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
    finally:
        await runtime.close()


def _beside(runtime: Runtime) -> Iterator[Coroutine[Any, Any, None]]:
    """What goes on while we serve."""
    if not runtime.model_reached:
        yield keep_trying(runtime)
    yield from looking(runtime)
    if runtime.watching is not None:
        yield runtime.watching.sampler.run()
        if runtime.watching.exporter is not None:
            yield runtime.watching.exporter.run()
    yield runtime.service.keep_taking_up()
    if runtime.experiments is not None:
        yield from runtime.experiments.beside()
    if runtime.documents is not None:
        yield runtime.documents.keep_indexed(
            runtime.settings.knowledge_seconds, runtime.settings.knowledge_outside_seconds
        )
    if runtime.channels is not None:
        yield runtime.channels.run()
    if runtime.jobs is not None:
        yield runtime.jobs.keep_scheduled()
        if runtime.settings.jobs_at_once and runtime.jobs.workers is not None:
            yield runtime.jobs.workers.run()
    chosen = runtime.settings
    ages = Ages(
        chosen.thread_days, chosen.thread_archive_days, chosen.job_days, chosen.feedback_days
    )
    channels = runtime.channels.names if runtime.channels is not None else ()
    yield keep_stores_pruned(Stores.of(runtime.database, runtime.sealing.keys), ages, channels)
    yield keep_tidying(runtime)
    if runtime.settings.audit != "memory":
        folder = audit_folder(runtime.settings.data_folder(runtime.company.folder))
        keys = SigningKeys(folder)
        yield keep_checkpoints(Checkpoints(runtime.database, keys))
        retention = Retention(runtime.database, runtime.ledger, keys)
        yield keep_pruned(retention, runtime.settings.audit_days)
        if runtime.alerts is not None and runtime.settings.audit_verify_seconds:
            yield keep_verified(runtime.alerts.figures, runtime.settings.audit_verify_seconds)


def fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's event loop where there is one (not on Windows)."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # asyncio turns Nagle off only for sockets that name the protocol: else answers wait 40 ms.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host, settings.port))
        # From now on the port is ours, however long the model takes to load.
        listening.listen(BACKLOG)
    except OSError as e:
        listening.close()
        other = settings.port + 1
        raise OperatorError(
            "port",
            f"{settings.host}:{settings.port} 用不了({e.strerror});"
            f"换个端口:dazi serve --port {other}",
            f"{settings.host}:{settings.port} cannot be used ({e.strerror}); "
            f"take another port: dazi serve --port {other}",
        ) from None
    return listening


def build_app(runtime: Runtime) -> FastAPI:
    """The ASGI application: gateway and console over one runtime."""
    s = runtime.settings

    async def ready() -> dict[str, bool]:
        parts = await parts_of(runtime)
        return parts | ({"draining": False} if runtime.draining else {})

    risk = runtime.risk.service if runtime.risk is not None else None
    learning = runtime.learning
    contracts = open_contracts(runtime)
    trials = runtime.experiments.service if runtime.experiments is not None else None
    if runtime.reports is not None:
        _ = runtime.reports.reports  # a mistake in one stops the start
    if runtime.jobs is not None:
        _ = len(runtime.jobs.kinds)  # a kind that is declared wrong does as well
    alerts = runtime.alerts = runtime.alerts or open_alerts(runtime)
    app = create_app(
        GatewayState(
            runtime.service,
            runtime.engine,
            runtime.company,
            runtime.directory,
            runtime.ledger,
            Limits(
                s.max_body_bytes,
                s.max_concurrent,
                max_queued=s.max_queued,
                queue_seconds=s.queue_seconds,
            ),
            ready,
            runtime.access,
            runtime.embedder,
            runtime.documents.people if runtime.documents is not None else None,
            runtime.jobs,
            runtime.desk,
            risk,
            contracts,
            runtime.reports,
            runtime.observer,
            s.metrics_token,
            experiments=trials,
            widget=runtime.widget,
            alerts=alerts.service,
            scaling=scaled_by(s),
            channels=runtime.channels,
            feedback=learning.feedback if learning is not None else None,
            gaps=learning.gaps if learning is not None else None,
        )
    )
    if (watching := runtime.watching) is None:
        watching = runtime.watching = watch(runtime, app.state.gate)
        alerts.watch(watching)
    mount_console(
        app,
        ConsoleState(
            runtime.service,
            runtime.access,
            runtime.company,
            runtime.engine,
            runtime.ledger,
            s.max_message_chars,
            s.public_url,
            runtime.documents.people if runtime.documents is not None else None,
            runtime.jobs,
            runtime.desk,
            risk,
            contracts,
            runtime.reports,
            runtime.observer.registry,
            watching.history,
            RunningSystem(runtime),
            runtime.answers,
            experiments=trials,
            alerts=alerts.service,
            reading=runtime.reading(),
            channels=runtime.channels,
            feedback=learning.feedback if learning is not None else None,
            gaps=learning.gaps if learning is not None else None,
        ),
    )
    return app


def scaled_by(s: Settings) -> Dampers:
    return Dampers(
        ScalingRules(
            s.scaling_target,
            s.scaling_least,
            s.scaling_most,
            s.scaling_up_seconds,
            s.scaling_down_seconds,
        )
    )


def _config(runtime: Runtime) -> ServerConfig:
    return ServerConfig(
        StraightIn(build_app(runtime)),
        http=BoundedHttp,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=max(SHUTDOWN_S, round(runtime.settings.turn_seconds)),
        ssl_certfile=runtime.settings.tls_cert,
        ssl_keyfile=runtime.settings.tls_key,
    )


async def _until_stopped(
    server: uvicorn.Server, listening: socket.socket, runtime: Runtime, config: ServerConfig
) -> None:
    """At the first signal ``/readyz`` says no, so that balancers look elsewhere, and each answer is
    the last on its connection; after ``drain_seconds`` nothing new is taken and what is under way
    ends. A second signal is at once."""
    loop = asyncio.get_running_loop()

    def stop() -> None:
        server.force_exit = runtime.draining
        wait = 0.0 if runtime.draining else runtime.settings.drain_seconds
        runtime.draining = config.draining = True
        loop.call_later(wait, lambda: setattr(server, "should_exit", True))

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    await server.serve(sockets=[listening])


async def self_check(runtime: Runtime, language: Language) -> None:
    """Ask the company's own check question through the whole path, and say what happened."""
    declared = runtime.company.settings.get("self_check")
    if not declared:
        return
    principal = runtime.directory.principal(str(declared["user"]), "check")
    question = Text.of(declared["question"])(language)
    typer.echo(f"> {question}")
    ask = Ask(principal, f"check-{secrets.token_hex(8)}", question, language)
    async for event in runtime.service.ask(ask):
        if isinstance(event, CallFinished):
            r = event.record
            told = ", ".join(f"{k}={v}" for k, v in r.arguments.items())
            typer.echo(f"  -> {r.name}({told}): {r.outcome} ({r.ms:.0f} ms)")
        elif isinstance(event, TurnFinished):
            typer.echo(f"  -> {event.answer} ({event.ms:.0f} ms)")


def _announce(runtime: Runtime, port: int, seconds: float, language: Language) -> None:
    host = f"[{runtime.settings.host}]" if ":" in runtime.settings.host else runtime.settings.host
    url = f"http://{host}:{port}"
    users = ", ".join(u.user for u in runtime.directory.users)
    model = runtime.engine.profile.name
    told = Text(
        f"\n搭子已启动({seconds:.1f} 秒):{url}\n  模型:{model}\n  接口:{url}/v1(OpenAI 兼容)",
        f"\nDazi is up ({seconds:.1f} s): {url}\n  model: {model}\n  API: {url}/v1 (OpenAI-compatible)",
    )
    typer.echo(told(language))
    page = runtime.company.settings.get("widget", {}).get("demo_page", "")
    if page and runtime.running is not None:
        shop = with_port(str(page), runtime.running.services_port)
        typer.echo(DEMO_PAGE(language).format(url=f"{shop}?dazi={url}"))
    if users:
        typer.echo(
            Text(
                f"  演示用户(密码同名):{users}\n  演示密钥:{DEMO_KEY_PREFIX}用户名",
                f"  demo users (password = name): {users}\n  demo keys: {DEMO_KEY_PREFIX}USER",
            )(language)
        )
