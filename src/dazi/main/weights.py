"""Weights at rest: encrypting, decrypting, changing the key, and what is left for others to do."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from dazi.core.errors import CallerError, DaziError
from dazi.core.language import Text
from dazi.inference.adapters import CONFIG
from dazi.inference.catalog import Catalog, ModelEntry
from dazi.inference.gguf import conversion_of
from dazi.inference.weights.keys import KeySource, WrappingKey
from dazi.inference.weights.manifest import ENDING, is_sealed, read_manifest
from dazi.inference.weights.memory import memory_backed
from dazi.inference.weights.sealing import Watch, decrypt, encrypt, name_of, rekey, verify
from dazi.inference.weights.vault import Vault
from dazi.main.settings import Settings

NEW = ("--new-key-env", "--new-key-file", "--new-key-command")


def key_source(settings: Settings) -> KeySource:
    return KeySource(settings.weights_key, settings.weights_key_file, settings.weights_key_command)


def vault_of(settings: Settings) -> Vault:
    return Vault(key_source(settings), settings.weights_folder)


@dataclass(frozen=True, slots=True)
class Target:
    """What a command names: a model that is known, or a path."""

    path: Path
    entry: ModelEntry | None = None

    @classmethod
    def of(cls, catalog: Catalog, named: str) -> Target:
        """The weights of its own that a model has: of one with an adapter, the adapter. Raises
        ``NotFound``, and ``CallerError`` for a server."""
        entry = next((m for m in catalog.list() if m.name == named), None)
        if entry is None:
            path = Path(named).expanduser()
            if path.is_dir():
                return cls(path.resolve())
            if path.exists():  # a link keeps its name: what it leads to may have another ending
                return cls(path.parent.resolve() / path.name)
            entry = catalog.get(named)
        if entry.kind == "server":
            raise CallerError(
                "model_at_server",
                f"{named} 在服务上,权重不在这里;到那台机器上加密",
                f"{named} is at a server, and its weights are not here: encrypt them there",
            )
        return cls(Path(entry.adapter or entry.location), entry)


@dataclass(frozen=True, slots=True)
class Wanted:
    """As it is given on the command line."""

    named: str
    to: Path | None = None
    name: str = ""
    delete: bool = False


def encrypt_model(settings: Settings, catalog: Catalog, wanted: Wanted, watch: Watch) -> list[Text]:
    """Encrypt, and let the model's name stand for the encrypted one from now on. With ``delete`` all of
    it is read once more, and then the plain files go. Raises ``CallerError`` and ``OperatorError``."""
    key = key_source(settings).read()
    source = Target.of(catalog, wanted.named)
    shown = wanted.name or (source.entry.name if source.entry is not None else "")
    own = (shown or name_of(source.path)).replace("/", "-")
    place = (wanted.to or catalog.models / f"{own}{ENDING}").expanduser().absolute()
    others = _in_use(catalog, source) if wanted.delete else ()
    if others:
        told = "、".join(others), ", ".join(others)
        raise CallerError(
            "files_in_use",
            f"{told[0]} 也用这些文件,不能删明文;去掉 --delete",
            f"{told[1]} needs these files too, and the plain ones cannot be deleted: leave --delete out",
        )
    linked = _linked(source.path) if wanted.delete else None
    if linked is not None:
        raise CallerError(
            "files_linked",
            f"{linked} 是链接,明文在它指的地方,删了链接明文还在;去掉 --delete,再到那里删(如模型库的缓存)",
            f"{linked} is a link: the plain text is where it leads, and would stay. Leave --delete out, and "
            "delete it there (such as in a hub's cache)",
        )
    base = _base(catalog, source.entry)
    made = encrypt(source.path, place, key, watch=watch)
    lines = [
        Text(
            f"{place}:{len(made.files)} 个文件,{_gib(made.size)},密钥编号 {made.key}",
            f"{place}: {len(made.files)} files, {_gib(made.size)}, key id {made.key}",
        )
    ]
    if wanted.delete:
        verify(place, key, watch=watch)
        lines.append(_deleted(catalog, source.path))
    else:
        lines.append(
            Text(
                f"明文还在 {source.path};不再需要就删掉它(或用 --delete)",
                f"the plain files stay in {source.path}: delete them once nothing needs them (or use --delete)",
            )
        )
    return [*lines, _known(catalog, source, place, base, wanted.name)]


def decrypt_model(
    settings: Settings, catalog: Catalog, wanted: Wanted, *, on_disk: bool, watch: Watch
) -> list[Text]:
    """Write a model in plain. Raises ``CallerError`` for a place that is not in memory, unless that is
    wanted, and ``OperatorError``."""
    source = Target.of(catalog, wanted.named)
    _check_sealed(source.path)
    if wanted.to is None:
        raise CallerError("place", "用 --to 写明解密到哪里", "say with --to where to decrypt it")
    place = wanted.to.expanduser().absolute()
    above = next(p for p in place.parents if p.exists())
    if not on_disk and not memory_backed(above):
        raise CallerError(
            "weights_place",
            f"{above} 不在内存里,明文会落盘;换到 /dev/shm 下,或加 --on-disk 表示就要这样",
            f"{above} is not in memory, and the plain text would be on a disk: take a place in /dev/shm, or "
            "say with --on-disk that you want that",
        )
    path = decrypt(source.path, place, key_source(settings).read(), watch=watch)
    return [
        Text(
            f"{path}(只有本人能读)。用完就删:rm -r {place}",
            f"{path} (readable by its owner only). Delete it when you are done: rm -r {place}",
        )
    ]


def rekey_models(
    settings: Settings, catalog: Catalog, named: list[str], new: KeySource
) -> list[Text]:
    """Raises ``CallerError`` and ``OperatorError``; what was done before stays done, and the same again
    goes on from there."""
    old, fresh = key_source(settings).read(), new.read()
    lines = []
    for target in (Target.of(catalog, one) for one in named):
        _check_sealed(target.path)
        if read_manifest(target.path).key == fresh.id:  # by a run that broke off
            lines.append(
                Text(
                    f"{target.path}:已经是密钥编号 {fresh.id}",
                    f"{target.path}: has the key id {fresh.id} already",
                )
            )
            continue
        rekey(target.path, old, fresh)
        lines.append(
            Text(
                f"{target.path}:密钥编号 {old.id} 换成 {fresh.id}",
                f"{target.path}: key id {old.id} became {fresh.id}",
            )
        )
    return lines


def sealed_state(path: Path, key: WrappingKey | DaziError) -> Text | DaziError:
    """What is to be said of an encrypted model at rest, or what is wrong with it."""
    if isinstance(key, DaziError):
        return key
    from dazi.inference.weights.sealing import opened

    try:
        manifest, _ = opened(path, key)
    except DaziError as e:
        return e
    return Text(
        f"权重已加密({_gib(manifest.size)}),密钥拿得到({key.source},编号 {key.id})",
        f"its weights are encrypted ({_gib(manifest.size)}) and the key is reachable ({key.source}, id {key.id})",
    )


def _check_sealed(path: Path) -> None:
    if not is_sealed(path):
        raise CallerError("weights_plain", f"{path} 没有加密", f"{path} is not encrypted")
    read_manifest(path)


def _base(catalog: Catalog, entry: ModelEntry | None) -> str:
    """The name of the model that an adapter is added to; "" for what is none. Raises ``CallerError``
    where that model is not in the list any more."""
    if entry is None or not entry.adapter:
        return ""
    for m in catalog.list():
        if m.location == entry.location and not m.adapter:
            return m.name
    raise CallerError(
        "adapter_base",
        f"{entry.name} 的底座 {entry.location} 已不在列表里;先登记:dazi model add {entry.location}",
        f"{entry.location}, which {entry.name} is added to, is not in the list any more: first "
        f"dazi model add {entry.location}",
    )


def _linked(path: Path) -> Path | None:
    """A link among the files, if there is one."""
    every = (path, *path.rglob("*")) if path.is_dir() else (path,)
    return next((p for p in every if p.is_symlink()), None)


def _known(catalog: Catalog, source: Target, place: Path, base: str, name: str) -> Text:
    entry, manifest = source.entry, read_manifest(place)
    if manifest.kind == "adapter":
        if entry is None:
            return Text(
                f"登记:dazi model add {place} --base 模型名",
                f"to make it known: dazi model add {place} --base MODEL",
            )
        known = catalog.add_adapter(place, base, name=name or entry.name, alpha=entry.alpha)
    else:
        built_in = entry is not None and entry.name in {m.name for m in catalog.built_in()}
        own = entry.name if entry is not None else manifest.name
        known = catalog.add(place, name or (f"{own}-sealed" if built_in else own))
    return Text(f"选用:dazi model use {known.name}", f"to use it: dazi model use {known.name}")


def _in_use(catalog: Catalog, source: Target) -> list[str]:
    """Other models that need the plain files, the bundled one among them."""
    own = source.entry.name if source.entry is not None else ""
    built_in = {m.name for m in catalog.built_in()}
    return [
        m.name
        for m in catalog.list()
        if (m.name != own or m.name in built_in)
        and any(
            p == source.path or source.path in p.parents
            for p in map(Path, filter(None, (m.location, m.adapter)))
        )
    ]


def _deleted(catalog: Catalog, source: Path) -> Text:
    """With what was made of it in the data folder: converted forms, and folders with names."""
    gone = [source]
    if source.is_file():
        made = conversion_of(source, catalog.models)
        gone += [made, *catalog.models.glob(f"{made.name}-named-*")]
        if source.suffix == ".safetensors":
            gone.append(source.with_name(CONFIG))
    else:
        gone += catalog.models.glob(f"{source.name}-named-*")
    for path in gone:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    return Text(f"已删除明文 {source}", f"the plain files at {source} are deleted")


def _gib(size: int) -> str:
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.1f} MiB"
