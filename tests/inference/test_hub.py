"""Models from a hub: what is downloaded is whole and right, whatever happens on the way."""

from __future__ import annotations

import asyncio
import random
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from yarl import URL

from dazi.core.errors import (
    AccessError,
    CallerError,
    ConfigError,
    DaziError,
    NotFound,
    OperatorError,
    OverloadError,
)
from dazi.inference.embedded import EmbeddedEngine, EmbeddedOptions
from dazi.inference.hub.fetching import Order, Step, fetch_model
from dazi.inference.hub.notes import Lock, remove_files, unfinished
from dazi.inference.hub.places import Hub, hub_of, repo_of
from dazi.inference.hub.wire import HubClient, Patience
from tests.fakes.hub import (
    COMMIT,
    FakeHub,
    cut,
    longer,
    serving,
    shifted,
    stall,
    status,
    whole_or_range,
    without_ranges,
    wrong,
)
from tests.waiting import until

QUICK = Patience(attempts=3, first_s=0.0, longest_s=0.0, asked_s=5.0)
REPO = "Qwen/Qwen3-14B-GGUF"
GGUF = "Qwen3-14B-Q4_K_M.gguf"
BODY = random.Random(3).randbytes(600_000)
OTHER = random.Random(4).randbytes(70_000)
CONFIG = b'{"model_type": "qwen3"}\n'
ORDER = Order(REPO, wanted=(GGUF,))


@pytest.fixture
async def hub() -> AsyncIterator[FakeHub]:
    made = FakeHub(files={REPO: {GGUF: BODY, "Qwen3-14B-Q8_0.gguf": OTHER, "config.json": CONFIG}})
    async with serving(made) as running:
        yield running


async def fetch(hub: FakeHub, models: Path, order: Order = ORDER, **more: Any) -> Path:
    more.setdefault("patience", QUICK)
    return (await fetch_model(hub.hub(more.pop("token", "")), order, models, **more)).path


def found(folder: Path, pattern: str = "*") -> list[Path]:
    return sorted(folder.rglob(pattern))


def parts(models: Path) -> list[Path]:
    return found(models, "*.part*")


def exported(hub: FakeHub) -> dict[str, bytes]:
    """An OpenVINO folder, with more beside it."""
    files = {
        "openvino_model.xml": b"<net/>", "openvino_model.bin": BODY, "config.json": CONFIG,
        "openvino_tokenizer.xml": b"<net/>", "openvino_tokenizer.bin": OTHER,
        "tokenizer_config.json": b"{}", "chat_template.jinja": b"{{ messages }}", "LICENSE": b"Apache",
        "empty.json": b"", "pictures/x.png": b"png", ".gitattributes": b"* text",
    }  # fmt: skip
    hub.files["OpenVINO/Qwen3-14B-int4-ov"] = files
    return files


@pytest.mark.parametrize("dialect", ["huggingface", "modelscope"])
async def test_a_model_comes_whole_and_only_what_belongs_to_it(
    hub: FakeHub, tmp_path: Path, dialect: Any
) -> None:
    hub.dialect, hub.page = dialect, 2
    files = exported(hub)
    steps: list[Step] = []
    folder = await fetch(hub, tmp_path, Order("OpenVINO/Qwen3-14B-int4-ov"), watch=steps.append)
    assert folder == tmp_path / "OpenVINO" / "Qwen3-14B-int4-ov"
    there = {p.name: p.read_bytes() for p in folder.iterdir() if not p.name.startswith(".")}
    assert there == {n: b for n, b in files.items() if "/" not in n and not n.startswith(".")}
    assert steps[-1].done == steps[-1].total == sum(map(len, there.values()))
    wanted = COMMIT if dialect == "huggingface" else "master"
    assert any(f"/resolve/{wanted}/" in s.path for s in hub.asked("openvino_model.bin", "hub"))
    before = len(hub.seen)
    await fetch(hub, tmp_path, Order("OpenVINO/Qwen3-14B-int4-ov"))
    assert not any("resolve" in s.path or s.host == "cdn" for s in hub.seen[before:])


async def test_four_files_at_once_and_no_more(hub: FakeHub, tmp_path: Path) -> None:
    names = [f"model-{i}.safetensors" for i in range(9)]
    hub.files["a/many"] = dict.fromkeys(names, OTHER)
    for name in names:
        hub.faults[name] = [stall(10)]
    task = asyncio.create_task(fetch(hub, tmp_path, Order("a/many", purpose="server")))
    await until(lambda: len([s for s in hub.seen if s.host == "cdn"]) >= 4)
    await asyncio.sleep(0.05)
    assert len([s for s in hub.seen if s.host == "cdn"]) == 4
    hub.hold.set()
    await task


@pytest.mark.parametrize("after", [0, 1, 65_536, 599_999])
async def test_a_cut_at_any_byte_goes_on_there(hub: FakeHub, tmp_path: Path, after: int) -> None:
    hub.faults[GGUF] = [cut(after)]
    path = await fetch(hub, tmp_path)
    assert path.read_bytes() == BODY
    _, again = hub.asked(GGUF, "cdn")
    assert again.headers.get("Range") == (f"bytes={after}-" if after else None)
    assert parts(tmp_path) == []


async def test_progress_is_never_a_failure(hub: FakeHub, tmp_path: Path) -> None:
    """More cuts than attempts, but each brought something."""
    hub.faults[GGUF] = [cut(70_000) for _ in range(6)]
    assert (await fetch(hub, tmp_path)).read_bytes() == BODY
    assert len(hub.asked(GGUF, "cdn")) == 7


async def test_what_has_come_is_kept_when_patience_ends(hub: FakeHub, tmp_path: Path) -> None:
    hub.faults[GGUF] = [cut(300_000), *[cut(5)] * 3]
    with pytest.raises(OperatorError) as failed:
        await fetch(hub, tmp_path)
    assert failed.value.code == "hub_unreachable" and "modelscope" in failed.value.text.zh
    (begun,) = unfinished(tmp_path)
    assert (begun.note.repo, begun.held, begun.size) == (REPO, 300_015, len(BODY))
    assert (await fetch(hub, tmp_path)).read_bytes() == BODY
    assert hub.asked(GGUF, "cdn")[-1].headers["Range"] == "bytes=300015-"
    assert unfinished(tmp_path) == ()


async def test_a_cancelled_download_goes_on(hub: FakeHub, tmp_path: Path) -> None:
    hub.faults[GGUF] = [stall(200_000)]
    task = asyncio.create_task(fetch(hub, tmp_path))
    await until(lambda: any(p.stat().st_size == 200_000 for p in parts(tmp_path)))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await fetch(hub, tmp_path)).read_bytes() == BODY
    assert hub.asked(GGUF, "cdn")[-1].headers["Range"] == "bytes=200000-"


async def test_other_contents_at_the_server_begin_anew(hub: FakeHub, tmp_path: Path) -> None:
    """The server says by its ETag that the rest would not belong to what has come."""
    hub.faults[GGUF] = [cut(100_000)]
    place = f"/bytes/{REPO}/{GGUF}"
    hub.etags[place] = '"first"'

    async def changed(fake: FakeHub, request: Any, body: bytes) -> Any:
        fake.etags[place] = '"second"'
        return await whole_or_range(fake, request, body)

    hub.faults[GGUF].append(changed)
    assert (await fetch(hub, tmp_path)).read_bytes() == BODY
    _, last = (s.headers for s in hub.asked(GGUF, "cdn"))
    assert (last["Range"], last["If-Range"]) == ("bytes=100000-", '"first"')


async def test_a_server_without_ranges_begins_anew(hub: FakeHub, tmp_path: Path) -> None:
    hub.faults[GGUF] = [cut(100_000), without_ranges()]
    assert (await fetch(hub, tmp_path)).read_bytes() == BODY


async def test_a_range_that_was_not_asked_for_begins_anew(hub: FakeHub, tmp_path: Path) -> None:
    hub.faults[GGUF] = [cut(100_000), shifted()]
    assert (await fetch(hub, tmp_path)).read_bytes() == BODY


async def test_a_part_that_is_too_long_begins_anew(hub: FakeHub, tmp_path: Path) -> None:
    hub.faults[GGUF] = [cut(100_000), *[status(500)] * 3]
    with pytest.raises(OperatorError):
        await fetch(hub, tmp_path)
    part = next(p for p in parts(tmp_path) if p.suffix == ".part")
    with part.open("ab") as file:
        file.write(bytes(len(BODY)))
    assert (await fetch(hub, tmp_path)).read_bytes() == BODY


async def test_wrong_contents_are_deleted_and_told(hub: FakeHub, tmp_path: Path) -> None:
    hub.faults[GGUF] = [wrong()]
    with pytest.raises(OperatorError) as failed:
        await fetch(hub, tmp_path)
    assert failed.value.code == "hub_mismatch" and GGUF in failed.value.text.zh
    assert parts(tmp_path) == [] and not found(tmp_path, "*.gguf")
    assert (await fetch(hub, tmp_path)).read_bytes() == BODY


async def test_small_files_are_checked_as_git_names_them(hub: FakeHub, tmp_path: Path) -> None:
    exported(hub)
    hub.faults["config.json"] = [wrong()]
    with pytest.raises(OperatorError) as failed:
        await fetch(hub, tmp_path, Order("OpenVINO/Qwen3-14B-int4-ov"))
    assert failed.value.code == "hub_mismatch" and "config.json" in failed.value.text.en


async def test_a_file_that_was_spoiled_here_comes_again(hub: FakeHub, tmp_path: Path) -> None:
    path = await fetch(hub, tmp_path)
    with path.open("r+b") as file:
        file.seek(1000)
        file.write(b"spoiled")
    assert (await fetch(hub, tmp_path)).read_bytes() == BODY


async def test_another_size_than_listed_is_refused(hub: FakeHub, tmp_path: Path) -> None:
    hub.told[GGUF] = BODY + b"x"
    with pytest.raises(OperatorError) as failed:
        await fetch(hub, tmp_path)
    assert failed.value.code == "hub_changed"


async def test_more_than_listed_is_refused_and_not_kept(hub: FakeHub, tmp_path: Path) -> None:
    hub.faults[GGUF] = [longer()]
    with pytest.raises(OperatorError) as failed:
        await fetch(hub, tmp_path)
    assert failed.value.code == "hub_changed" and parts(tmp_path) == []


async def test_errors_of_the_hub_are_tried_again(hub: FakeHub, tmp_path: Path) -> None:
    hub.listing_faults = [status(502), status(429, Retry_After="0")]
    hub.faults[GGUF] = [status(503), status(429, Retry_After="0")]
    assert (await fetch(hub, tmp_path)).read_bytes() == BODY


async def test_a_hub_that_wants_long_rest_is_left_alone(hub: FakeHub, tmp_path: Path) -> None:
    hub.faults[GGUF] = [status(429, Retry_After="3600")]
    with pytest.raises(OverloadError) as failed:
        await fetch(hub, tmp_path)
    assert failed.value.retry_after == 3600 and "3600" in failed.value.text.zh
    assert len(hub.asked(GGUF, "cdn")) == 1


async def test_a_missing_model_revision_or_file_is_named(hub: FakeHub, tmp_path: Path) -> None:
    cases: list[tuple[Order, type[DaziError], str]] = [
        (Order("nobody/nothing"), AccessError, "nobody/nothing"),
        (Order(REPO, revision="v9"), NotFound, "v9"),
        (Order(REPO, wanted=("x.gguf",)), CallerError, GGUF),
    ]
    for order, kind, name in cases:
        with pytest.raises(kind) as failed:
            await fetch(hub, tmp_path, order)
        assert name in failed.value.text.zh and name in failed.value.text.en
    hub.dialect = "modelscope"
    with pytest.raises(NotFound):
        await fetch(hub, tmp_path, Order("nobody/nothing"))


async def test_the_token_goes_to_the_hub_and_nowhere_else(hub: FakeHub, tmp_path: Path) -> None:
    hub.gated[REPO] = "hf_secret"
    with pytest.raises(AccessError) as failed:
        await fetch(hub, tmp_path)
    assert "DAZI_HUB_TOKEN" in failed.value.text.zh
    await fetch(hub, tmp_path, token="hf_secret")
    with_token = {s.host for s in hub.seen if "hf_secret" in str(s.headers)}
    assert with_token == {"hub"} and hub.asked(GGUF, "cdn")
    assert "hf_secret" not in repr(hub.hub("hf_secret"))
    assert not any(b"hf_secret" in p.read_bytes() for p in found(tmp_path) if p.is_file())


@pytest.mark.parametrize(
    "there", ["http://192.0.2.7/x", "http://127.0.0.1:9/x", "https://127.0.0.1:9/x",
              "https://169.254.169.254/latest", "file:///etc/passwd", ""],
)  # fmt: skip
async def test_it_is_led_to_no_other_place(hub: FakeHub, tmp_path: Path, there: str) -> None:
    hub.redirect_to = there or f"{hub.base}/{REPO}/resolve/main/{GGUF}"
    with pytest.raises(OperatorError) as failed:
        await fetch(hub, tmp_path)
    assert failed.value.code == ("hub_redirect" if there else "hub_redirects")


@pytest.mark.parametrize(
    "path", ["../outside.gguf", "/etc/cron.d/x", "a/../../b.json", "a\\b.json", "a\nb.json",
             "a//b.json", "./a.json", "x" * 201, "a/" * 260 + "b", GGUF],
)  # fmt: skip
async def test_unsafe_names_are_refused_before_anything_comes(
    hub: FakeHub, tmp_path: Path, path: str
) -> None:
    hub.extra = [{"type": "file", "oid": "0" * 40, "size": 1, "path": path}]
    with pytest.raises(OperatorError) as failed:
        await fetch(hub, tmp_path / "models")
    assert failed.value.code == "hub_unsafe"
    assert found(tmp_path) == []


class Way:
    """A way out that is told what to answer, and to what."""

    def __init__(self, **answers: str) -> None:
        self.answers, self.asked = answers, []  # type: ignore[var-annotated]

    async def request(self, method: str, url: URL, headers: dict[str, str]) -> Any:
        self.asked.append((str(url), headers))
        location = self.answers.get(url.path.strip("/"), "")
        answer = {"status": 302 if location else 200, "headers": {"Location": location}}
        return SimpleNamespace(**answer, close=lambda: None)

    async def close(self) -> None:
        pass


@pytest.mark.parametrize("base", ["https://hub.example", "http://mirror.lan"])
async def test_ways_to_the_outside(base: str) -> None:
    """By https only, without the token, and back with it."""
    client = HubClient(Hub("huggingface", base, "secret"))
    await client.close()
    mine = Way(
        away="https://cdn.example/x?Signature=a%2Bb",
        plain="http://cdn.example/x",
        round="https://cdn.example/back",
    )
    outside = Way(back=f"{base}/again")
    client._to_hub, client._to_public = mine, outside  # type: ignore[assignment]
    async with client.get(f"{base}/away", {"Range": "bytes=1-"}):
        pass
    assert mine.asked[0][1]["Authorization"] == "Bearer secret"
    assert outside.asked == [("https://cdn.example/x?Signature=a%2Bb", {"Range": "bytes=1-"})]
    with pytest.raises(OperatorError) as failed:
        async with client.get(f"{base}/plain"):
            pass
    assert failed.value.code == "hub_redirect" and len(outside.asked) == 1
    back = client.get(f"{base}/round")
    if base.startswith("https"):
        async with back:
            assert mine.asked[-1] == (f"{base}/again", {"Authorization": "Bearer secret"})
    else:
        with pytest.raises(OperatorError):
            async with back:
                pass
        assert mine.asked[-1][0] == f"{base}/round"


async def test_listings_are_bounded(hub: FakeHub, tmp_path: Path) -> None:
    entry = {"type": "file", "oid": "0" * 40, "size": 1}
    hub.page, hub.pages_at = 1, hub.cdn
    with pytest.raises(OperatorError) as failed:
        await fetch(hub, tmp_path)
    assert failed.value.code == "hub_answer" and "Link" in failed.value.text.zh
    hub.page, hub.pages_at = 6_000, ""
    hub.extra = [entry | {"path": f"{i}.json"} for i in range(10_001)]
    with pytest.raises(OperatorError) as failed:
        await fetch(hub, tmp_path)
    assert failed.value.code == "hub_too_many"
    for odd in ({"size": -1}, {"size": 1 << 41}, {"size": "many"}):
        hub.extra = [entry | {"path": "x.json"} | odd]
        with pytest.raises(OperatorError) as failed:
            await fetch(hub, tmp_path)
        assert failed.value.code == "hub_answer"


async def test_what_cannot_be_checked_is_not_downloaded(hub: FakeHub, tmp_path: Path) -> None:
    hub.extra = [{"type": "file", "oid": "none", "size": 70_000, "path": "bare.gguf"}]
    with pytest.raises(OperatorError) as failed:
        await fetch(hub, tmp_path, Order(REPO, wanted=("bare.gguf",)))
    assert failed.value.code == "hub_unchecked"


async def test_what_is_no_hub_is_told_so(hub: FakeHub, tmp_path: Path) -> None:
    async def page(_: FakeHub, __: Any, ___: bytes) -> Any:
        from aiohttp import web

        return web.Response(text="<html>Welcome</html>", content_type="text/html")

    hub.listing_faults = [page]
    with pytest.raises(OperatorError) as failed:
        await fetch(hub, tmp_path)
    assert failed.value.code == "hub_answer"


async def test_room_is_looked_for_first(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.faults[GGUF] = [cut(500_000), *[status(500)] * 3]
    with pytest.raises(OperatorError):
        await fetch(hub, tmp_path)
    real = shutil.disk_usage(tmp_path)
    asked = len(hub.asked(GGUF, "cdn"))
    for free, enough in ((99_999, False), (100_000, True)):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, f=free: real._replace(free=f))
        if enough:
            assert (await fetch(hub, tmp_path)).read_bytes() == BODY
            continue
        with pytest.raises(OperatorError) as failed:
            await fetch(hub, tmp_path)
        assert failed.value.code == "disk_full"
        assert len(hub.asked(GGUF, "cdn")) == asked


async def test_one_process_at_a_time(hub: FakeHub, tmp_path: Path) -> None:
    with Lock(tmp_path / REPO), pytest.raises(OperatorError) as failed:
        await fetch(hub, tmp_path)
    assert failed.value.code == "hub_locked"
    await fetch(hub, tmp_path)


async def test_choosing(hub: FakeHub, tmp_path: Path) -> None:
    hub.files |= {
        "a/weights": {"model-00001-of-00002.safetensors": BODY, "config.json": CONFIG,
                      "model-00002-of-00002.safetensors": OTHER, "pytorch_model.bin": BODY},
        "a/split": {"m-00001-of-00002.gguf": BODY, "m-00002-of-00002.gguf": OTHER},
        "a/lora": {"adapter_model.safetensors": OTHER, "adapter_config.json": CONFIG},
        "a/pickled": {"pytorch_model.bin": BODY},
        "a/one": {"one.gguf": BODY, "mmproj-one.gguf": OTHER},
    }  # fmt: skip
    refused = {
        Order(REPO): ("hub_choose", GGUF),
        Order("a/weights"): ("hub_for_server", "--for server"),
        Order("a/split"): ("hub_choose", "m-00001"),
        Order("a/split", wanted=("m-00001-of-00002.gguf",)): ("hub_one_gguf", "--for server"),
        Order(REPO, wanted=("config.json",)): ("hub_one_gguf", "GGUF"),
        Order("a/lora"): ("hub_adapter", "--base"),
        Order("a/one", purpose="adapter"): ("hub_no_adapter", "--base"),
        Order("a/pickled"): ("hub_no_weights", "GGUF"),
        Order("a/pickled", purpose="server"): ("hub_no_weights", "safetensors"),
    }
    for order, (code, told) in refused.items():
        with pytest.raises(CallerError) as failed:
            await fetch(hub, tmp_path, order)
        assert failed.value.code == code
        assert told in failed.value.text.zh and told in failed.value.text.en
    assert found(tmp_path) == []
    one = await fetch(hub, tmp_path, Order("a/one"))
    weights = await fetch(hub, tmp_path, Order("a/weights", purpose="server"))
    split = Order("a/split", wanted=("m-00001-of-00002.gguf",), purpose="server")
    first = await fetch(hub, tmp_path, split)
    lora = await fetch(hub, tmp_path, Order("a/lora", purpose="adapter"))
    assert (one.name, lora.name) == ("one.gguf", "adapter_model.safetensors")
    assert len(list(weights.glob("*.safetensors"))) == 2 and not list(weights.glob("*.bin"))
    assert {p.name for p in first.parent.glob("*.gguf")} == set(hub.files["a/split"])


async def test_revisions_lie_apart(hub: FakeHub, tmp_path: Path) -> None:
    path = await fetch(hub, tmp_path, Order(REPO, revision="v1", wanted=(GGUF,)))
    assert path.parent.name == "Qwen3-14B-GGUF@v1"
    with pytest.raises(CallerError):
        await fetch(hub, tmp_path, Order("../..", wanted=(GGUF,)))
    for revision in ("../x", "a b", "-x"):
        with pytest.raises(CallerError):
            await fetch(hub, tmp_path, Order(REPO, revision=revision))


async def test_files_are_removed_one_by_one_or_with_their_folder(
    hub: FakeHub, tmp_path: Path
) -> None:
    first = await fetch(hub, tmp_path)
    second = await fetch(hub, tmp_path, Order(REPO, wanted=("Qwen3-14B-Q8_0.gguf",)))
    remove_files(first.parent, [first.name])
    assert not first.exists() and second.exists()
    remove_files(second.parent, [second.name])
    assert found(tmp_path) == []


async def test_the_files_of_a_hub_are_a_model_that_works(
    hub: FakeHub, model_folder: Path, tmp_path: Path
) -> None:
    hub.files["dazi/mini"] = {p.name: p.read_bytes() for p in found(model_folder)}
    folder = await fetch(hub, tmp_path, Order("dazi/mini"))
    assert not (folder / "model.safetensors").exists()
    engine = EmbeddedEngine(folder, EmbeddedOptions(cache_gb=1))
    assert engine.profile.name == "dazi-mini"
    await engine.close()


def test_which_hub() -> None:
    assert hub_of("huggingface").name == "Hugging Face"
    assert hub_of("modelscope").name == "ModelScope"
    assert hub_of("http://mirror.lan:8080/hf/") == Hub("huggingface", "http://mirror.lan:8080/hf")
    assert hub_of("modelscope:https://ms.lan").dialect == "modelscope"
    with pytest.raises(CallerError):
        hub_of("off")
    for text in ("", "hugging", "ftp://x", "https://user:word@x"):
        with pytest.raises(ConfigError):
            hub_of(text)
    assert hub_of("http://127.0.0.1:1", token="t").token == "t"
    with pytest.raises(ConfigError) as failed:
        hub_of("http://mirror.lan", token="t0ken")
    assert "t0ken" not in failed.value.text.zh
    with pytest.raises(ConfigError):
        hub_of("huggingface", files_at=("minio",))


def test_which_names_are_of_a_hub() -> None:
    assert repo_of("Qwen/Qwen3-14B-GGUF") and repo_of("01-ai/Yi-1.5_x")
    for text in (
        "model.gguf",
        "a/b/c",
        "./a",
        "/a/b",
        "a/b.gguf",
        "a/..",
        "../a",
        "a b/c",
        "模/型",
    ):
        assert repo_of(text) is None, text
