"""``dazi doctor`` on models: do they load, answer, and give calls that can be read?"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from dazi.core.engine import CallDone, Engine, GenerateRequest, OfferedTool, Sampling
from dazi.core.errors import DaziError
from dazi.core.language import Text
from dazi.core.messages import Message
from dazi.inference.parser_check import MEND, Parsing
from dazi.inference.pool.engine import PoolEngine
from dazi.inference.pool.health import look
from dazi.inference.remote import RemoteEngine
from dazi.main.doctor_finding import Finding
from dazi.main.engines import load_engine
from dazi.main.settings import Settings

LOOK_S = 5.0
PROBE = OfferedTool(
    "get_time",
    "current time / 现在几点",
    {
        "type": "object",
        "properties": {"zone": {"type": "string", "enum": ["UTC"]}},
        "required": ["zone"],
    },
)


async def model_findings(settings: Settings, data: Path) -> list[Finding]:
    """Of the model in use, or of each server of a pool."""
    began = time.perf_counter()
    try:
        engine = await asyncio.to_thread(load_engine, settings, data)
    except DaziError as e:
        return [Finding(False, e.text)]
    loaded = time.perf_counter() - began
    try:
        if isinstance(engine, PoolEngine):
            return await _pool(engine)
        name = engine.profile.name
        zh, en = f"模型 {name}({loaded:.1f} 秒载入)", f"model {name} (loaded in {loaded:.1f} s)"
        return [Finding(True, Text(zh, en)), await _probed(engine)]
    finally:
        await engine.close()


async def _pool(pool: PoolEngine) -> list[Finding]:
    """A cloud is not asked: that would cost money."""
    findings: list[Finding] = []
    for backend in pool.backends:
        name = f"{backend.name}({backend.engine.profile.name})"
        if backend.place == "cloud":
            findings.append(
                Finding(True, Text(f"{name}:云上的,没有试", f"{name}: in a cloud, not tried"))
            )
            continue
        error = await look(backend, LOOK_S)
        found = Finding(False, error.text) if error else await _probed(backend.engine)
        text = Text(f"{name}:{found.text.zh}", f"{name}: {found.text.en}")
        findings.append(Finding(found.ok, text))
    return findings


async def _probed(engine: Engine) -> Finding:
    """Servers are asked as they are in earnest, so that it is seen whose parser reads the call; a
    small model in this process would rather talk."""
    remote = isinstance(engine, RemoteEngine)
    request = GenerateRequest(
        (Message("user", "现在 UTC 几点?What time is it in UTC?"),),
        (PROBE,),
        "auto" if remote else "required",
        Sampling(max_tokens=64),
    )
    try:
        events = [e async for e in engine.generate(request)]
    except DaziError as e:
        text = e.text
        if remote and e.code == "model_refused":  # e.g. no parser at all
            text = Text(f"{text.zh}。{MEND.zh}", f"{text.en}. {MEND.en[0].upper()}{MEND.en[1:]}")
        return Finding(False, text)
    called = any(isinstance(e, CallDone) for e in events)
    parsing: Parsing = engine.parsing if isinstance(engine, RemoteEngine) else ""
    return _calls(called=called, parsing=parsing)


def _calls(*, called: bool, parsing: Parsing) -> Finding:
    """Who can read the model's calls?"""
    if not called:
        return Finding(
            False,
            Text(
                f"模型没有给出可解析的工具调用:{MEND.zh}",
                f"no readable tool call: {MEND.en}",
            ),
        )
    if parsing == "text":
        return Finding(
            True,
            Text(
                f"工具调用可以解析,但服务器的解析器没有认出来,由搭子自己解析:{MEND.zh}",
                "tool calls can be read, though not by the server's parser: Dazi parses them "
                f"itself; {MEND.en}",
            ),
        )
    return Finding(True, Text("工具调用可以解析", "tool calls can be read"))
