"""Encrypting a model's files, decrypting them, and changing the key: of folders of any size, in the
memory of two chunks."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec

from dazi.core.errors import CallerError, OperatorError
from dazi.inference.adapters import CONFIG, WEIGHTS
from dazi.inference.layers import MODEL_FILE
from dazi.inference.profiles import PROFILE_FILE
from dazi.inference.weights.held import LOCK, held
from dazi.inference.weights.keys import WrappingKey
from dazi.inference.weights.manifest import (
    ENDING,
    Kind,
    Manifest,
    SealedFile,
    is_sealed,
    read_manifest,
    tampered,
    write_manifest,
)
from dazi.inference.weights.stream import (
    KEY_BYTES,
    Damaged,
    FileKey,
    fresh_salt,
    seal,
    sealed_size,
    unseal,
)

Watch = Callable[[str, int, int], None]
"""Hears a file's name, the bytes done of all files, and all."""


def unwatched(name: str, done: int, total: int) -> None:
    pass


def encrypt(
    source: Path, target: Path, key: WrappingKey, *, name: str = "", watch: Watch = unwatched
) -> Manifest:
    """Write ``source``, a model's folder or file, encrypted into the new folder ``target``.

    Either the whole is there in the end, or nothing. Raises ``CallerError`` for what is no model or a
    folder that is not empty, and ``OperatorError`` for what the disk refuses.
    """
    if is_sealed(source):
        raise CallerError("weights_sealed", f"{source} 已经加密", f"{source} is encrypted already")
    kind, entry, files = _of_model(source)
    _check_new(target)
    model, data_key = secrets.token_hex(16), secrets.token_bytes(KEY_BYTES)
    sizes = {told: path.stat().st_size for told, path in files.items()}
    progress = _Progress(sum(sizes.values()), watch)
    sealed = []
    with _disk(), _becoming(target) as work:
        for number, (told, path) in enumerate(sorted(files.items())):
            one = SealedFile(told, f"{number:04d}{ENDING}", sizes[told], fresh_salt())
            progress.name = told
            bound = FileKey(data_key, model, told, one.salt)
            with path.open("rb") as plain, _written(work / one.sealed) as out:
                try:
                    seal(plain, one.size, out, bound, progress.count)
                except Damaged:
                    raise CallerError(
                        "weights_changing",
                        f"{path} 正在被改写;等它写完再加密",
                        f"somebody is writing to {path}; encrypt it when it is whole",
                    ) from None
            sealed.append(one)
        shown = name or name_of(source)
        made = Manifest(
            model, shown, kind, entry, tuple(sealed), key.id, key.wrap(data_key, model)
        ).signed(data_key)
        write_manifest(work, made)
    return made


def decrypt(folder: Path, target: Path, key: WrappingKey, *, watch: Watch = unwatched) -> Path:
    """Write the encrypted model of ``folder`` in plain into the new folder ``target``; where the model
    is one file, the path of that. Raises ``OperatorError``, and then nothing of it stays."""
    manifest, data_key = opened(folder, key)
    _check_new(target)
    with _disk(), _becoming(target) as work:
        unseal_into(folder, manifest, data_key, work, watch)
    return target / manifest.entry if manifest.entry else target


def verify(folder: Path, key: WrappingKey, *, watch: Watch = unwatched) -> Manifest:
    """Read all of it. Raises ``OperatorError`` for the first file that was changed."""
    manifest, data_key = opened(folder, key)
    with _disk():
        unseal_into(folder, manifest, data_key, None, watch)
    return manifest


def rekey(folder: Path, old: WrappingKey, new: WrappingKey) -> Manifest:
    """Wrap the data key with ``new``; the files stay as they are. Raises ``OperatorError``."""
    manifest, data_key = opened(folder, old)
    wrapped = new.wrap(data_key, manifest.model)
    made = msgspec.structs.replace(manifest, key=new.id, wrapped=wrapped)
    with _disk():
        write_manifest(folder, made)
    return made


def opened(folder: Path, key: WrappingKey) -> tuple[Manifest, bytes]:
    """What the folder holds, checked, and its data key. Raises ``OperatorError``."""
    manifest = read_manifest(folder)
    if manifest.key != key.id:
        raise OperatorError(
            "weights_wrong_key",
            f"{folder} 是用另一把密钥加密的(编号 {manifest.key},{key.source} 里的是 {key.id})",
            f"{folder} was encrypted with another key (id {manifest.key}; that of {key.source} is {key.id})",
        )
    data_key = key.unwrap(manifest.wrapped, manifest.model)
    if data_key is None or not manifest.sound(data_key):
        raise tampered(folder / "dazi_weights.json")
    return manifest, data_key


def unseal_into(
    folder: Path, manifest: Manifest, data_key: bytes, target: Path | None, watch: Watch
) -> None:
    """Write, or merely check, every file. Raises ``OperatorError`` with the name of the one that was
    changed, and ``OSError``."""
    progress = _Progress(manifest.size, watch)
    for one in manifest.files:
        progress.name = one.name
        path = folder / one.sealed
        bound = FileKey(data_key, manifest.model, one.name, one.salt)
        try:
            with path.open("rb") as sealed:
                if os.fstat(sealed.fileno()).st_size != sealed_size(one.size):
                    raise Damaged
                if target is None:
                    unseal(sealed, one.size, None, bound, progress.count)
                else:
                    with _written(target / one.name) as plain:
                        unseal(sealed, one.size, plain, bound, progress.count)
        except (Damaged, FileNotFoundError):
            raise tampered(f"{path} ({one.name})") from None


def name_of(source: Path) -> str:
    """What a model is called where nobody says else: an adapter's file has its folder's name."""
    if source.is_dir():
        return source.name
    return source.parent.name if source.name == WEIGHTS else source.stem


class _Progress:
    def __init__(self, total: int, watch: Watch) -> None:
        self.name = ""
        self._done, self._total, self._watch = 0, total, watch

    def count(self, more: int) -> None:
        self._done += more
        self._watch(self.name, self._done, self._total)


def _of_model(source: Path) -> tuple[Kind, str, dict[str, Path]]:
    """What it is, the file that it is where it is one, and its files by name."""
    if source.is_file() and source.suffix in (".gguf", ".safetensors"):
        gguf = source.suffix == ".gguf"
        beside = source.with_name(PROFILE_FILE if gguf else CONFIG)
        files = {p.name: p for p in (source, beside) if p.is_file()}
        return "gguf" if gguf else "adapter", source.name, files
    files = dict(_below(source, source)) if source.is_dir() else {}
    if not files:
        raise CallerError(
            "not_a_model",
            f"{source} 不是模型:要一个有文件的目录,或 .gguf、.safetensors 文件",
            f"{source} is no model: it takes a folder with files, or a .gguf or .safetensors file",
        )
    if MODEL_FILE in files:
        return "openvino", "", files
    return "adapter" if WEIGHTS in files else "files", "", files


def _below(folder: Path, root: Path) -> Iterator[tuple[str, Path]]:
    """Links to files are followed, as hubs keep them; hidden files are notes of ours or of a hub."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_file():
            yield path.relative_to(root).as_posix(), path
        elif path.is_dir() and not path.is_symlink():
            yield from _below(path, root)


def _check_new(target: Path) -> None:
    if target.is_file() or (target.is_dir() and any(target.iterdir())):
        raise CallerError(
            "not_empty",
            f"{target} 已经有了,换个位置或先移走",
            f"{target} is there already: choose another place, or move it away",
        )


@contextmanager
def _becoming(target: Path) -> Iterator[Path]:
    """A folder that takes the target's name once it is whole; else nothing of it stays."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with held(target.parent, f".{target.name}.part-") as work:
        yield work
        (work / LOCK).unlink()
        if target.is_dir():
            target.rmdir()
        work.rename(target)
    if os.name == "posix":
        handle = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def _written(path: Path) -> Iterator[IO[bytes]]:
    """A new file that its owner alone reads, and that is on the disk afterwards."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as out:
        yield out
        out.flush()
        os.fsync(handle)


@contextmanager
def _disk() -> Iterator[None]:
    try:
        yield
    except OSError as e:
        raise OperatorError(
            "weights_disk",
            f"{e.filename or ''} 读不了或写不了:{e.strerror}。检查路径、权限和磁盘空间",
            f"{e.filename or ''} cannot be read or written: {e.strerror}. Check path, rights and disk",
        ) from e
