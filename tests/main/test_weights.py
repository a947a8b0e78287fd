"""``dazi model encrypt|decrypt|rekey`` and what doctor says of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dazi.core.errors import CallerError, DaziError
from dazi.inference.catalog import BUNDLED, Catalog
from dazi.inference.weights import memory
from dazi.inference.weights.held import LOCK
from dazi.inference.weights.keys import KeySource
from dazi.inference.weights.manifest import is_sealed, read_manifest
from dazi.inference.weights.sealing import unwatched
from dazi.main.doctor_weights import weight_findings
from dazi.main.engines import load_engine, make_embedder, make_reranker
from dazi.main.settings import Settings
from dazi.main.weights import NEW, Wanted, decrypt_model, encrypt_model, rekey_models
from tests.inference import lora

HEX = "5a" * 32


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "memory").mkdir()
    return tmp_path / "data"


@pytest.fixture
def settings(data: Path, tmp_path: Path) -> Settings:
    return Settings(data=data, weights_key=HEX, weights_folder=tmp_path / "memory")


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    """The bundled model as a company's own."""
    shutil.copytree(BUNDLED, tmp_path / "own", ignore=shutil.ignore_patterns("hf", "*.md"))
    return tmp_path / "own"


def test_a_known_model_becomes_the_encrypted_one_and_the_plain_files_go(
    settings: Settings, data: Path, ours: Path
) -> None:
    catalog = Catalog(data)
    catalog.add(ours, "ours")
    catalog.use("ours")
    told = encrypt_model(settings, catalog, Wanted("ours", delete=True), unwatched)
    entry = catalog.get("ours")
    assert is_sealed(Path(entry.location)) and not ours.exists()
    assert "ours" in told[-1].zh and catalog.active() == entry
    load_engine(settings, data).shut()  # type: ignore[attr-defined]
    said = [f.text.en for f in weight_findings(settings, data)]
    key_id = read_manifest(Path(entry.location)).key
    assert "encrypted" in said[0] and key_id in said[0] and "not in memory" in said[1]


def test_doctor_says_what_is_wrong_and_what_is_plain(
    settings: Settings, data: Path, ours: Path
) -> None:
    catalog = Catalog(data)
    catalog.add(ours, "ours")
    catalog.use("ours")
    (plain,) = weight_findings(settings, data)
    assert plain.ok and "not encrypted" in plain.text.en
    encrypt_model(settings, catalog, Wanted("ours"), unwatched)
    assert ours.exists()
    for other, says in (
        (Settings(data=data), "there is no key"),
        (Settings(data=data, weights_key="00" * 32), "another key"),
    ):
        found = weight_findings(other, data)
        assert not found[0].ok and says in found[0].text.en
    assert weight_findings(Settings(data=data, model="http://gpu:1/v1"), data) == []


def test_plain_files_that_others_need_are_not_deleted(
    settings: Settings, data: Path, ours: Path
) -> None:
    catalog = Catalog(data)
    catalog.add(ours, "ours")
    catalog.add(ours, "twin")
    with pytest.raises(CallerError, match="twin"):
        encrypt_model(settings, catalog, Wanted("ours", delete=True), unwatched)
    bundled = catalog.built_in()[0].name
    with pytest.raises(CallerError, match=bundled):
        encrypt_model(settings, catalog, Wanted(bundled, delete=True), unwatched)
    assert ours.exists()


def test_the_bundled_models_name_stays_its_own(settings: Settings, data: Path) -> None:
    catalog = Catalog(data)
    bundled = catalog.built_in()[0]
    encrypt_model(settings, catalog, Wanted(bundled.name), unwatched)
    assert catalog.get(bundled.name) == bundled
    assert is_sealed(Path(catalog.get(f"{bundled.name}-sealed").location))


def test_decrypting_wants_memory_or_a_word(
    settings: Settings, data: Path, ours: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog = Catalog(data)
    encrypt_model(settings, catalog, Wanted(str(ours), name="ours"), unwatched)
    wanted = Wanted("ours", to=tmp_path / "out")
    monkeypatch.setattr("dazi.main.weights.memory_backed", lambda _: False)
    with pytest.raises(CallerError, match="--on-disk"):
        decrypt_model(settings, catalog, wanted, on_disk=False, watch=unwatched)
    decrypt_model(settings, catalog, wanted, on_disk=True, watch=unwatched)
    same = (tmp_path / "out" / "openvino_model.bin").read_bytes()
    assert same == (ours / "openvino_model.bin").read_bytes()
    with pytest.raises(CallerError, match="not encrypted"):
        decrypt_model(
            settings, catalog, Wanted(str(ours), to=tmp_path / "x"), on_disk=True, watch=unwatched
        )
    assert memory.SETTING == "DAZI_WEIGHTS_FOLDER"


def test_rekeying_several(settings: Settings, data: Path, ours: Path, tmp_path: Path) -> None:
    catalog = Catalog(data)
    for name in ("one", "two"):
        encrypt_model(settings, catalog, Wanted(str(ours), name=name), unwatched)
    (tmp_path / "new.key").write_text("11" * 32)
    new = KeySource(file=tmp_path / "new.key", names=NEW)
    rekey_models(settings, catalog, ["one"], new)  # and was killed before the other
    told = rekey_models(settings, catalog, ["one", "two"], new)
    assert "already" in told[0].en and "became" in told[1].en
    moved = settings.model_copy(
        update={"weights_key": "", "weights_key_file": tmp_path / "new.key"}
    )
    for name in ("one", "two"):
        catalog.use(name)
        assert all(f.ok for f in weight_findings(moved, data))
        assert not weight_findings(settings, data)[0].ok
    with pytest.raises(DaziError, match="--new-key-file"):
        rekey_models(moved, catalog, ["one"], KeySource(names=NEW))


def test_a_model_with_an_adapter_encrypts_the_adapter_and_is_the_same(
    settings: Settings, data: Path, tmp_path: Path
) -> None:
    plain = lora.write(
        tmp_path / "crm" / "adapter_model.safetensors", lora.tensors(0.3), lora_alpha=4
    )
    (tmp_path / "crm" / "adapter.json").write_text("{}")
    catalog = Catalog(data)
    base = catalog.built_in()[0].name
    catalog.add_adapter(plain.parent, base, name="crm")
    catalog.use("crm")
    left = tmp_path / "memory" / f"{memory.PREFIX}left"  # by a process that was killed
    left.mkdir()
    (left / LOCK).touch()
    before = load_engine(settings, data)
    assert not left.exists()
    encrypt_model(settings, catalog, Wanted("crm", delete=True), unwatched)
    assert [p.name for p in (tmp_path / "crm").iterdir()] == ["adapter.json"]
    after = load_engine(settings, data)
    assert after.profile == before.profile and after.profile.name == f"{base}+crm"
    for engine in (before, after):
        engine.shut()  # type: ignore[attr-defined]
    assert all(f.ok for f in weight_findings(settings, data))


def test_an_adapter_without_its_base_is_left_as_it_is(
    settings: Settings, data: Path, ours: Path, tmp_path: Path
) -> None:
    plain = lora.write(
        tmp_path / "crm" / "adapter_model.safetensors", lora.tensors(0.3), lora_alpha=4
    )
    catalog = Catalog(data)
    catalog.add(ours, "ours")
    catalog.add_adapter(plain.parent, "ours", name="crm")
    catalog.remove("ours")
    with pytest.raises(CallerError, match="dazi model add"):
        encrypt_model(settings, catalog, Wanted("crm", delete=True), unwatched)
    assert plain.is_file() and not (catalog.models / "crm.sealed").exists()


def test_plain_text_behind_links_is_not_said_to_be_deleted(
    settings: Settings, data: Path, tmp_path: Path
) -> None:
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / "5a5a").write_bytes(b"weights")
    (tmp_path / "snapshot").mkdir()
    for name in ("model.safetensors", "q.gguf"):
        (tmp_path / "snapshot" / name).symlink_to("../blobs/5a5a")
    catalog = Catalog(data)
    for path in (tmp_path / "snapshot", tmp_path / "snapshot" / "q.gguf"):
        with pytest.raises(CallerError, match="is a link"):
            encrypt_model(settings, catalog, Wanted(str(path), delete=True), unwatched)
        encrypt_model(settings, catalog, Wanted(str(path), name=path.name), unwatched)
        assert is_sealed(Path(catalog.get(path.name).location))
    assert (tmp_path / "blobs" / "5a5a").read_bytes() == b"weights"


def test_weights_for_a_server_say_how_to_serve_them(
    settings: Settings, data: Path, tmp_path: Path
) -> None:
    (tmp_path / "hf").mkdir()
    (tmp_path / "hf" / "model.safetensors").write_bytes(b"weights")
    catalog = Catalog(data)
    encrypt_model(settings, catalog, Wanted(str(tmp_path / "hf"), name="q"), unwatched)
    assert catalog.get("q").kind == "files"
    with pytest.raises(CallerError, match="dazi model decrypt q --to /dev/shm/q"):
        catalog.use("q")


def test_embedding_and_reranking_models_are_opened_in_plain(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bge-small").mkdir()
    (tmp_path / "bge-small" / "model.bin").write_bytes(b"vectors")
    catalog = Catalog(tmp_path / "data")
    encrypt_model(settings, catalog, Wanted(str(tmp_path / "bge-small"), name="v"), unwatched)
    sealed = catalog.get("v").location
    seen: list[tuple[str, bytes]] = []

    def opened(folder: Path, *options: object) -> None:
        seen.append((folder.name, (folder / "model.bin").read_bytes()))

    monkeypatch.setattr("dazi.main.engines.LocalEmbedder", opened)
    monkeypatch.setattr("dazi.main.engines.LocalReranker", opened)
    monkeypatch.setattr("dazi.main.engines.BatchingEmbedder", lambda *_: None)
    chosen = settings.model_copy(update={"embedding_model": sealed, "rerank_model": sealed})
    make_embedder(chosen)
    make_reranker(chosen)
    assert seen == [("bge-small", b"vectors")] * 2
    assert list((tmp_path / "memory").iterdir()) == []
