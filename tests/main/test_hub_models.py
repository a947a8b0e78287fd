"""``dazi model`` with a hub: killed and gone on with, stopped by hand, listed, and removed."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dazi.core.errors import CallerError, DaziError, NotFound
from dazi.inference.catalog import BUNDLED, Catalog
from dazi.inference.gguf import conversion_of
from dazi.main.commands.models import group
from dazi.main.hub_models import Wanted, add_from_hub, chosen_hub, remove_model
from dazi.main.settings import Settings
from tests.fakes.hub import FakeHub, serving, stall
from tests.inference import lora
from tests.waiting import until

REPO, GGUF = "Qwen/Qwen3-14B-GGUF", "Qwen3-14B-Q4_K_M.gguf"
ADD = ("model", "add", REPO, "--file", GGUF)
BODY = random.Random(5).randbytes(900_000)


@pytest.fixture
async def hub() -> AsyncIterator[FakeHub]:
    files = {REPO: {GGUF: BODY, "Qwen3-14B-Q8_0.gguf": BODY[::-1]}}
    async with serving(FakeHub(files=files)) as running:
        yield running


def environment(hub: FakeHub, data: Path, **more: str) -> dict[str, str]:
    mine = {"DAZI_HUB": hub.base, "DAZI_HUB_FILES": hub.cdn, "DAZI_DATA": str(data)}
    return {**os.environ, "DAZI_LANG": "en", **mine, **more}


async def dazi(*arguments: str, env: dict[str, str]) -> Process:
    code = "from dazi.main.cli import run; run()"
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, *arguments, env=env, stdout=PIPE, stderr=PIPE
    )


async def said(process: Process) -> str:
    out, err = await process.communicate()
    return (out + err).decode()


def held(data: Path) -> int:
    return sum(p.stat().st_size for p in data.rglob("*.part"))


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
async def test_killed_it_goes_on_where_it_was(hub: FakeHub, tmp_path: Path) -> None:
    env = environment(hub, tmp_path)
    await stopped(hub, tmp_path, signal.SIGKILL)
    listed = await said(await dazi("model", "list", env=env))
    assert f"{REPO}  unfinished 390.6 KiB / 878.9 KiB" in listed
    second = await dazi(*ADD, env=env)
    told = await said(second)
    assert second.returncode == 0, told
    assert "dazi model use Qwen3-14B-Q4_K_M" in told
    assert hub.asked(GGUF, "cdn")[-1].headers["Range"] == "bytes=400000-"
    assert (tmp_path / "models" / REPO / GGUF).read_bytes() == BODY
    assert Catalog(tmp_path).get("Qwen3-14B-Q4_K_M").location.endswith(GGUF)


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGINT")
async def test_stopped_by_hand_it_says_how_to_go_on(hub: FakeHub, tmp_path: Path) -> None:
    code, told = await stopped(hub, tmp_path, signal.SIGINT)
    assert code == 130 and "the same command goes on" in told and "Traceback" not in told
    assert held(tmp_path) == 400_000


async def stopped(hub: FakeHub, data: Path, sent: signal.Signals) -> tuple[int | None, str]:
    hub.faults[GGUF] = [stall(400_000)]
    process = await dazi(*ADD, env=environment(hub, data))
    await until(lambda: held(data) == 400_000)
    process.send_signal(sent)
    told = await said(process)
    return process.returncode, told


async def test_what_a_person_is_told(hub: FakeHub, tmp_path: Path) -> None:
    hub.gated["meta/closed"] = "right"
    hub.files["meta/closed"] = {"m.gguf": BODY}
    env = environment(hub, tmp_path, DAZI_HUB_TOKEN="wr0ng")
    closed = await dazi("model", "add", "meta/closed", env=env)
    told = await said(closed)
    assert closed.returncode == 2 and "DAZI_HUB_TOKEN" in told
    assert "wr0ng" not in told and "Traceback" not in told
    off = await dazi("model", "add", REPO, env=environment(hub, tmp_path, DAZI_HUB="off"))
    assert "switched off" in await said(off) and off.returncode == 2


def test_an_adapter_of_this_machine_is_added_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAZI_DATA", str(tmp_path))
    monkeypatch.setenv("DAZI_LANG", "en")
    made = lora.write(tmp_path / "l" / "adapter_model.safetensors", lora.tensors(0.1), lora_alpha=8)
    run = CliRunner().invoke
    line = ["add", str(made.parent), "--base", "dazi-mini", "--name", "crm", "--alpha", "2"]
    done = run(group, line)
    assert done.exit_code == 0 and "dazi model use crm" in done.output
    listed = run(group, ["list"]).output
    assert f"  crm  local  {BUNDLED}  + {made}" in listed
    assert Catalog(tmp_path).get("crm").alpha == 2.0
    assert "Removed crm" in run(group, ["remove", "crm"]).output and made.is_file()


async def added(hub: FakeHub, data: Path, wanted: Wanted) -> str:
    settings = Settings(hub=hub.base, hub_files=hub.cdn, data=data)
    return (await add_from_hub(settings, Catalog(data), wanted, lambda _: None)).name


def files(data: Path) -> list[str]:
    return sorted(p.name for p in (data / "models").rglob("*") if p.is_file())


def refused(data: Path, name: str, *, files: bool = True) -> DaziError:
    with pytest.raises(DaziError) as failed:
        remove_model(Catalog(data), name, files=files)
    return failed.value


async def test_one_of_two_files_is_removed_with_what_was_made_of_it(
    hub: FakeHub, tmp_path: Path
) -> None:
    catalog = Catalog(tmp_path)
    for name in (GGUF, "Qwen3-14B-Q8_0.gguf"):
        await added(hub, tmp_path, Wanted(REPO, files=(name,)))
    first = Path(catalog.get("Qwen3-14B-Q4_K_M").location)
    made = conversion_of(first, catalog.models)
    for folder in (made, made.with_name(f"{made.name}-named-0")):
        folder.mkdir()
        (folder / "openvino_model.bin").write_bytes(b"converted")
    catalog.use("Qwen3-14B-Q4_K_M")
    remove_model(catalog, "Qwen3-14B-Q4_K_M", files=True)
    assert [n for n in files(tmp_path) if not n.startswith(".")] == ["Qwen3-14B-Q8_0.gguf"]
    assert catalog.active() == catalog.get("dazi-mini")
    assert "stay" in remove_model(catalog, "Qwen3-14B-Q8_0", files=False).en
    assert "Qwen3-14B-Q8_0.gguf" in files(tmp_path)


async def test_an_unfinished_download_is_removed_by_its_name(hub: FakeHub, tmp_path: Path) -> None:
    await added(hub, tmp_path, Wanted(REPO, files=(GGUF,)))
    other = "Qwen3-14B-Q8_0.gguf"
    hub.faults[other] = [stall(300_000)]
    task = asyncio.create_task(added(hub, tmp_path, Wanted(REPO, files=(other,))))
    await until(lambda: held(tmp_path) == 300_000)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert refused(tmp_path, REPO, files=False).code == "model_unfinished"
    remove_model(Catalog(tmp_path), REPO, files=True)
    assert held(tmp_path) == 0 and GGUF in files(tmp_path)
    assert isinstance(refused(tmp_path, REPO), NotFound)


async def test_what_was_not_downloaded_or_is_needed_is_not_deleted(
    hub: FakeHub, tmp_path: Path
) -> None:
    mini = {p.name: p.read_bytes() for p in BUNDLED.glob("*") if p.suffix != ".safetensors"}
    made = lora.write(tmp_path / "l" / "adapter_model.safetensors", lora.tensors(0.1), lora_alpha=8)
    adapter = {p.name: p.read_bytes() for p in (made, made.with_name("adapter_config.json"))}
    hub.files |= {"dazi/mini": mini, "yunshan/crm": adapter}
    catalog = Catalog(tmp_path)
    with pytest.raises(NotFound):
        await added(hub, tmp_path, Wanted("yunshan/crm", base="mini"))
    assert hub.seen == []
    await added(hub, tmp_path, Wanted("dazi/mini"))
    assert await added(hub, tmp_path, Wanted("yunshan/crm", base="mini")) == "crm"
    assert catalog.get("crm").location == catalog.get("mini").location

    assert refused(tmp_path, "mini").code == "files_in_use"
    assert refused(tmp_path, "dazi-mini").code == "files_not_ours"
    assert refused(tmp_path, "dazi-mini", files=False).code == "model_bundled"
    own = catalog.add_adapter(made, "mini", name="own")
    assert refused(tmp_path, "own").code == "files_not_ours"
    assert made.is_file() and catalog.get("own") == own
    for name, deleted in (("own", False), ("crm", True), ("mini", True)):
        remove_model(catalog, name, files=deleted)
    assert not any((tmp_path / "models").rglob("*")) and made.is_file()
    assert [m.name for m in catalog.list()] == ["dazi-mini"]


async def test_weights_for_a_server_are_listed_and_not_opened(hub: FakeHub, tmp_path: Path) -> None:
    hub.files["Qwen/Qwen3-14B"] = {"model.safetensors": BODY, "config.json": b"{}"}
    env = environment(hub, tmp_path)
    done = await dazi("model", "add", "Qwen/Qwen3-14B", "--for", "server", env=env)
    told = await said(done)
    assert done.returncode == 0 and "vllm serve" in told
    catalog = Catalog(tmp_path, tmp_path / "no bundled one")
    assert catalog.get("Qwen3-14B").kind == "files" and catalog.active() is None
    with pytest.raises(CallerError) as failed:
        catalog.use("Qwen3-14B")
    assert "vllm serve" in failed.value.text.zh


def test_the_token_belongs_to_the_hub_of_the_settings() -> None:
    settings = Settings(hub="modelscope", hub_token="secret")
    assert chosen_hub(settings, "").token == "secret"
    assert chosen_hub(settings, "modelscope").token == "secret"
    assert chosen_hub(settings, "huggingface").token == ""
    assert chosen_hub(settings, "https://mirror.lan").token == ""
    mirror = Settings(hub="https://mirror.lan", hub_token="secret")
    other = chosen_hub(mirror, "modelscope:https://mirror.lan/")
    assert (other.dialect, other.token) == ("modelscope", "secret")
    assert "secret" not in repr(settings)
    with pytest.raises(CallerError):
        chosen_hub(Settings(hub="off"), "huggingface")
