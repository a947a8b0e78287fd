"""Weights at rest: what was changed is refused by name, nothing in plain touches the disk, and the model
is the same."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from dazi.core.engine import GenerateRequest, Sampling, TextDelta
from dazi.core.errors import CallerError, DaziError, OperatorError
from dazi.core.messages import Message
from dazi.inference.catalog import BUNDLED, Catalog, open_engine
from dazi.inference.embedded import EmbeddedEngine, EmbeddedOptions
from dazi.inference.weights import memory, sealing, stream
from dazi.inference.weights.held import LOCK, held, sweep
from dazi.inference.weights.keys import KeySource, WrappingKey
from dazi.inference.weights.manifest import FILE, read_manifest
from dazi.inference.weights.memory import in_memory, memory_backed, place_of
from dazi.inference.weights.vault import Vault
from tests.inference import lora

KEY = WrappingKey(bytes(range(32)), "test")
OTHER = WrappingKey(bytes(32), "other")
LINUX = sys.platform == "linux"
CANARY = b"SECRET-WEIGHTS-OF-OURS"


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "CHUNK", 64)


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """A folder of files whose sizes meet every edge of a chunk."""
    folder = tmp_path / "model"
    (folder / "deeper").mkdir(parents=True)
    for size in (0, 1, 63, 64, 65, 128, 200):
        (folder / f"w{size}.bin").write_bytes((CANARY * 20)[:size])
    (folder / "deeper" / "twin.bin").write_bytes((CANARY * 20)[:200])
    (folder / ".cache").mkdir()
    (folder / ".cache" / "note").write_text("not ours")
    return folder


@pytest.fixture
def sealed(plain: Path, tmp_path: Path) -> Path:
    sealing.encrypt(plain, tmp_path / "sealed", KEY)
    return tmp_path / "sealed"


def content(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


def test_what_was_encrypted_comes_back_and_is_nowhere_in_plain(
    plain: Path, sealed: Path, tmp_path: Path
) -> None:
    sealing.decrypt(sealed, tmp_path / "back", KEY)
    wanted = {name: data for name, data in content(plain).items() if not name.startswith(".")}
    assert content(tmp_path / "back") == wanted
    assert not any(CANARY[:8] in data for data in content(sealed).values())
    assert all((p.stat().st_mode & 0o077) == 0 for p in (tmp_path / "back").rglob("*"))
    # the same content twice looks different
    by_name = {f.name: (sealed / f.sealed).read_bytes() for f in read_manifest(sealed).files}
    assert by_name["w200.bin"][stream.HEAD :] != by_name["deeper/twin.bin"][stream.HEAD :]


def changed(place: int) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        data = bytearray(path.read_bytes())
        data[place] ^= 1
        path.write_bytes(data)

    return change


def rebuilt(order: Callable[[list[bytes]], list[bytes]]) -> Callable[[Path], None]:
    """The chunks of a file in another order."""

    def change(path: Path) -> None:
        data, step = path.read_bytes(), 64 + stream.TAG
        head, body = data[: stream.HEAD], data[stream.HEAD :]
        chunks = [body[i : i + step] for i in range(0, len(body), step)]
        path.write_bytes(head + b"".join(order(chunks)))

    return change


WRONG: dict[str, Callable[[Path], None]] = {
    "magic": changed(0),
    "salt": changed(len(stream.MAGIC)),
    "first byte": changed(stream.HEAD),
    "last tag": changed(-1),
    "last chunk cut off": rebuilt(lambda c: c[:-1]),
    "a byte cut off": lambda p: p.write_bytes(p.read_bytes()[:-1]),
    "a byte more": lambda p: p.write_bytes(p.read_bytes() + b"\0"),
    "two chunks exchanged": rebuilt(lambda c: [c[1], c[0], *c[2:]]),
    "a chunk doubled": rebuilt(lambda c: [c[0], c[0], *c[2:]]),
    "the end moved": rebuilt(lambda c: [*c[:-2], c[-1], c[-2]]),
    "empty": lambda p: p.write_bytes(b""),
    "gone": lambda p: p.unlink(),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_a_file_that_was_changed_is_refused_by_its_name(
    sealed: Path, tmp_path: Path, wrong: Callable[[Path], None]
) -> None:
    one = next(f for f in read_manifest(sealed).files if f.name == "w200.bin")
    wrong(sealed / one.sealed)
    for act in (
        lambda: sealing.decrypt(sealed, tmp_path / "back", KEY),
        lambda: sealing.verify(sealed, KEY),
    ):
        with pytest.raises(OperatorError) as refused:
            act()
        assert refused.value.code == "weights_tampered"
        assert one.sealed in refused.value.text.zh and "w200.bin" in refused.value.text.en
    assert not (tmp_path / "back").exists() and not list(tmp_path.glob(".back*"))


def test_files_cannot_take_each_others_places(plain: Path, sealed: Path, tmp_path: Path) -> None:
    by_name = {f.name: sealed / f.sealed for f in read_manifest(sealed).files}
    one, twin = by_name["w200.bin"], by_name["deeper/twin.bin"]
    kept = one.read_bytes()
    one.write_bytes(twin.read_bytes())
    with pytest.raises(OperatorError, match=r"w200\.bin"):
        sealing.verify(sealed, KEY)
    # nor those of another model under the same key, even with its own name
    sealing.encrypt(plain, tmp_path / "again", KEY)
    again = next(f for f in read_manifest(tmp_path / "again").files if f.name == "w200.bin")
    one.write_bytes((tmp_path / "again" / again.sealed).read_bytes())
    with pytest.raises(OperatorError, match=r"w200\.bin"):
        sealing.verify(sealed, KEY)
    one.write_bytes(kept)
    sealing.verify(sealed, KEY)


@pytest.mark.parametrize("field", ["files", "name", "kind", "entry", "model", "mac", "wrapped"])
def test_the_list_of_files_cannot_be_changed(sealed: Path, field: str) -> None:
    manifest = read_manifest(sealed)
    other = {
        "files": manifest.files[:-1],
        "name": "other",
        "kind": "files" if manifest.kind != "files" else "adapter",
        "entry": manifest.files[0].name,
        "model": "0" * 32,
        "mac": bytes(32),
        "wrapped": bytes(60),
    }
    made = msgspec.structs.replace(manifest, **{field: other[field]})
    (sealed / FILE).write_bytes(msgspec.json.encode(made))
    with pytest.raises(OperatorError) as refused:
        sealing.verify(sealed, KEY)
    assert refused.value.code == "weights_tampered" and FILE in refused.value.text.en


@pytest.mark.parametrize("name", ["../out", "/out", "a/../../out", "a\\b", "c:out"])
def test_no_name_leads_out_of_the_folder(sealed: Path, name: str) -> None:
    manifest = read_manifest(sealed)
    bent = msgspec.structs.replace(manifest.files[0], name=name)
    made = msgspec.structs.replace(manifest, files=(bent, *manifest.files[1:]))
    (sealed / FILE).write_bytes(msgspec.json.encode(made))
    with pytest.raises(OperatorError) as refused:
        read_manifest(sealed)
    assert refused.value.code == "weights_tampered"


def test_the_wrong_key_is_told_from_a_changed_file(sealed: Path, tmp_path: Path) -> None:
    with pytest.raises(OperatorError) as refused:
        sealing.decrypt(sealed, tmp_path / "back", OTHER)
    assert refused.value.code == "weights_wrong_key"
    assert KEY.id in refused.value.text.en and OTHER.id in refused.value.text.en


def test_a_new_key_opens_and_the_old_one_does_not_and_the_weights_stay(sealed: Path) -> None:
    before = {n: d for n, d in content(sealed).items() if n != FILE}
    sealing.rekey(sealed, KEY, OTHER)
    assert {n: d for n, d in content(sealed).items() if n != FILE} == before
    sealing.verify(sealed, OTHER)
    with pytest.raises(OperatorError) as refused:
        sealing.verify(sealed, KEY)
    assert refused.value.code == "weights_wrong_key"


def test_encrypting_that_is_interrupted_leaves_nothing_or_is_swept(
    plain: Path, tmp_path: Path
) -> None:
    def stop(name: str, done: int, total: int) -> None:
        if done > total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sealing.encrypt(plain, tmp_path / "out", KEY, watch=stop)
    assert not [p for p in tmp_path.iterdir() if "out" in p.name]
    with pytest.raises(CallerError):
        sealing.encrypt(plain, plain, KEY)


KILLED = """
    import os, signal, sys
    from pathlib import Path
    from dazi.inference.weights import sealing, stream
    from dazi.inference.weights.keys import WrappingKey
    stream.CHUNK = 64
    def kill(name, done, total):
        if done > total // 2:
            os.kill(os.getpid(), signal.SIGKILL)
    what, source, target = sys.argv[1:]
    act = sealing.encrypt if what == "encrypt" else sealing.decrypt
    act(Path(source), Path(target), WrappingKey(bytes(range(32)), "test"), watch=kill)
"""


@pytest.mark.skipif(not LINUX, reason="SIGKILL and locks that end with their process")
@pytest.mark.parametrize("what", ["encrypt", "decrypt"])
def test_killed_half_way_and_done_again(
    plain: Path, sealed: Path, tmp_path: Path, what: str
) -> None:
    source, target = (plain, tmp_path / "out") if what == "encrypt" else (sealed, tmp_path / "out")
    line = [sys.executable, "-c", textwrap.dedent(KILLED), what, str(source), str(target)]
    done = subprocess.run(line, check=False, timeout=60)
    assert done.returncode == -9
    left = list(tmp_path.glob(".out.part-*"))
    assert len(left) == 1 and not target.exists()
    act = sealing.encrypt if what == "encrypt" else sealing.decrypt
    act(source, target, KEY)
    assert target.is_dir() and not list(tmp_path.glob(".out.part-*"))


def test_what_somebody_works_on_is_not_swept(tmp_path: Path) -> None:
    with held(tmp_path, "dazi-weights-") as mine:
        assert sweep(tmp_path, "dazi-weights-") == [] and mine.is_dir()
        assert mine.stat().st_mode & 0o777 == 0o700
    assert not mine.exists()
    left = tmp_path / "dazi-weights-left"
    left.mkdir()
    (left / LOCK).touch()
    if LINUX:
        assert sweep(tmp_path, "dazi-weights-") == [left] and not left.exists()


# --- the key ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [b"00" * 32, b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", bytes(32)],
    ids=["hex", "base64", "raw"],
)
def test_a_key_from_a_file_the_environment_and_a_command(tmp_path: Path, text: bytes) -> None:
    file = tmp_path / "key"
    file.write_bytes(text)
    assert KeySource(file=file).read().value == bytes(32)
    command = f"{sys.executable} -c \"import sys; sys.stdout.buffer.write(open(sys.argv[1],'rb').read())\" {file}"
    assert KeySource(command=command).read().value == bytes(32)
    if text != bytes(32):
        assert KeySource(value=text.decode()).read().value == bytes(32)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (KeySource(), "DAZI_WEIGHTS_KEY_FILE"),
        (KeySource(value="00" * 32, file=Path("x")), "set one"),
        (KeySource(value="too short"), "32 bytes"),
        (KeySource(file=Path("missing")), "missing"),
        (KeySource(command="no-such-command-here"), "cannot be run"),
        (KeySource(command="'"), "cannot be run"),
        (
            KeySource(command=f"{sys.executable} -c \"import sys; sys.exit('vault is sealed')\""),
            "vault is sealed",
        ),
    ],
    ids=["none", "two", "no key", "no file", "no command", "no words", "refused"],
)
def test_a_key_that_is_not_to_be_had_says_why(source: KeySource, says: str) -> None:
    with pytest.raises(OperatorError) as refused:
        source.read()
    assert says in refused.value.text.en


def test_a_key_is_in_no_text_of_its_own() -> None:
    source = KeySource(value="ab" * 32)
    assert "abab" not in repr(source) and "\\xab" not in repr(source.read())
    with pytest.raises(OperatorError) as refused:
        KeySource(value="ab" * 31).read()
    assert "abab" not in refused.value.text.zh + refused.value.text.en


# --- memory ----------------------------------------------------------------------------------------


@pytest.mark.skipif(not LINUX, reason="tells of Linux's mounts")
def test_a_disk_is_refused_and_a_named_folder_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert memory_backed(Path("/dev/shm")) and not memory_backed(Path("/proc"))
    monkeypatch.setattr(memory, "SHARED", Path("/proc"))
    with pytest.raises(OperatorError) as refused:
        place_of()
    assert refused.value.code == "weights_place" and "DAZI_WEIGHTS_FOLDER" in refused.value.text.zh
    with pytest.raises(OperatorError):
        place_of(tmp_path / "missing")
    with in_memory(1, tmp_path) as folder:
        assert folder.parent == tmp_path and folder.stat().st_mode & 0o777 == 0o700
    assert not folder.exists()
    with pytest.raises(OperatorError) as refused, in_memory(1 << 60, tmp_path):
        pass
    assert refused.value.code == "weights_room"


# --- models ----------------------------------------------------------------------------------------


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    """Not in shared memory, so that the tests run anywhere and see what is left."""
    (tmp_path / "memory").mkdir()
    return Vault(KeySource(value=KEY.value.hex()), tmp_path / "memory")


async def said(engine: EmbeddedEngine) -> str:
    asked = GenerateRequest(
        (Message("user", "订单 ORD12345 到哪了?"),), sampling=Sampling(max_tokens=16)
    )
    return "".join([e.text async for e in engine.generate(asked) if isinstance(e, TextDelta)])


async def test_an_encrypted_model_answers_as_the_plain_one_and_leaves_nothing(
    model_folder: Path, engine: EmbeddedEngine, tmp_path: Path, vault: Vault,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(stream, "CHUNK", 1 << 20)
    sealing.encrypt(model_folder, tmp_path / "data" / "models" / "sealed", KEY)
    catalog = Catalog(tmp_path / "data", BUNDLED)
    entry = catalog.add(tmp_path / "data" / "models" / "sealed", "ours")
    options = EmbeddedOptions(cache_gb=1, cache_dir=catalog.models, vault=vault)
    opened = open_engine(entry, embedded=options)
    assert isinstance(opened, EmbeddedEngine)
    try:
        assert await said(opened) == await said(engine) != ""
        assert opened.profile == engine.profile
        assert list((tmp_path / "memory").iterdir()) == []
        opened._steps._pipeline = None  # as after a failure: it is decrypted once more
        assert await said(opened) == await said(engine)
    finally:
        await opened.close()
    weights = (model_folder / "openvino_model.bin").read_bytes()
    samples = [weights[at : at + 48] for at in range(4096, len(weights) - 48, len(weights) // 7)]
    for name, data in content(tmp_path).items():
        assert not any(s in data for s in samples if any(s)), name


async def test_an_encrypted_adapter_counts_as_the_plain_one(
    model_folder: Path, tmp_path: Path, vault: Vault
) -> None:
    if model_folder != BUNDLED:
        pytest.skip("the adapters of these tests have the bundled model's sizes")
    plain = lora.write(
        tmp_path / "crm" / "adapter_model.safetensors", lora.tensors(0.5), lora_alpha=4
    )
    sealing.encrypt(plain.parent, tmp_path / "crm.sealed", KEY)
    catalog = Catalog(tmp_path / "data", model_folder)
    texts, names = [], []
    for path, name in ((plain.parent, "plain"), (tmp_path / "crm.sealed", "sealed")):
        entry = catalog.add_adapter(path, "dazi-mini", name=name)
        options = EmbeddedOptions(cache_gb=1, cache_dir=catalog.models, vault=vault)
        engine = open_engine(entry, embedded=options)
        assert isinstance(engine, EmbeddedEngine)
        try:
            texts.append(await said(engine))
            names.append(engine.profile)
        finally:
            await engine.close()
    assert texts[0] == texts[1] and names[0] == names[1]
    with pytest.raises(CallerError) as refused:
        catalog.add(tmp_path / "crm.sealed")
    assert refused.value.code == "adapter_needs_base"


def test_a_gguf_file_keeps_what_lies_beside_it(tmp_path: Path, vault: Vault) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "q.gguf").write_bytes(b"GGUF" + CANARY)
    (tmp_path / "m" / "dazi_model.json").write_text("{}")
    (tmp_path / "m" / "other.gguf").write_bytes(b"GGUF")
    made = sealing.encrypt(tmp_path / "m" / "q.gguf", tmp_path / "q.sealed", KEY)
    assert (made.kind, made.entry, len(made.files)) == ("gguf", "q.gguf", 2)
    with vault.laid_open(tmp_path / "q.sealed") as laid:
        assert laid.path.name == "q.gguf" and laid.path.read_bytes() == b"GGUF" + CANARY
        assert (laid.path.parent / "dazi_model.json").is_file()
        assert laid.scratch is not None and laid.scratch.parent == laid.path.parents[2]
    assert list((tmp_path / "memory").iterdir()) == []


def test_no_key_or_a_changed_file_is_told_before_the_engine_sees_it(
    model_folder: Path, tmp_path: Path, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "CHUNK", 1 << 20)
    sealing.encrypt(model_folder, tmp_path / "sealed", KEY)
    with pytest.raises(OperatorError) as refused:
        EmbeddedEngine(tmp_path / "sealed")
    assert refused.value.code == "weights_key_missing"
    biggest = max(read_manifest(tmp_path / "sealed").files, key=lambda f: f.size)
    changed(-1)(tmp_path / "sealed" / biggest.sealed)
    with pytest.raises(DaziError) as refused2:
        EmbeddedEngine(tmp_path / "sealed", EmbeddedOptions(vault=vault))
    assert refused2.value.code == "weights_tampered" and biggest.name in refused2.value.text.zh
    assert list((tmp_path / "memory").iterdir()) == []


async def test_what_is_made_of_an_encrypted_model_goes_to_memory_too(
    model_folder: Path, tmp_path: Path, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A base whose layers have to be named for an adapter, and a GGUF file that has to be converted."""
    if model_folder != BUNDLED:
        pytest.skip("the adapters of these tests have the bundled model's sizes")
    monkeypatch.setattr(stream, "CHUNK", 1 << 20)
    sealing.encrypt(model_folder, tmp_path / "data" / "models" / "mini.sealed", KEY)
    catalog = Catalog(tmp_path / "data", BUNDLED)
    catalog.add(tmp_path / "data" / "models" / "mini.sealed", "ours")
    strong = lora.write(tmp_path / "crm" / "adapter_model.safetensors", lora.tensors(0.5))
    entry = catalog.add_adapter(strong, "ours")
    options = EmbeddedOptions(cache_gb=1, cache_dir=catalog.models, vault=vault)
    engine = open_engine(entry, embedded=options)
    assert isinstance(engine, EmbeddedEngine)
    await engine.close()
    assert engine.profile.name == "dazi-mini+crm"
    assert [p.name for p in catalog.models.iterdir()] == ["mini.sealed"]

    (tmp_path / "q.gguf").write_bytes(b"GGUF" + CANARY)
    sealing.encrypt(tmp_path / "q.gguf", catalog.models / "q.sealed", KEY)
    seen: list[tuple[Path, Path | None]] = []

    def converted(path: Path, into: Path | None) -> Path:
        seen.append((path, into))
        return model_folder

    monkeypatch.setattr("dazi.inference.embedded.converted", converted)
    EmbeddedEngine(catalog.models / "q.sealed", options).shut()
    ((path, into),) = seen
    memory_folder = tmp_path / "memory"
    assert path.name == "q.gguf" and path.is_relative_to(memory_folder)
    assert into is not None and into.is_relative_to(memory_folder)
    assert list(memory_folder.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="links")
def test_links_to_files_are_followed_as_hubs_keep_them(tmp_path: Path) -> None:
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / "abc").write_bytes(CANARY)
    (tmp_path / "snapshot").mkdir()
    (tmp_path / "snapshot" / "model.safetensors").symlink_to(tmp_path / "blobs" / "abc")
    made = sealing.encrypt(tmp_path / "snapshot", tmp_path / "s", KEY)
    sealing.decrypt(tmp_path / "s", tmp_path / "back", KEY)
    assert made.kind == "files"
    assert (tmp_path / "back" / "model.safetensors").read_bytes() == CANARY
    shutil.rmtree(tmp_path / "back")
