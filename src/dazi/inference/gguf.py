"""GGUF files: their header, and their conversion to a folder that the embedded engine opens."""

from __future__ import annotations

import json
import shutil
import struct
from pathlib import Path
from typing import Any, BinaryIO

from dazi.core.errors import OperatorError
from dazi.inference.runtime import load_genai

_SCALARS = dict(enumerate("BbHhIif?")) | {10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_LONGEST_TEXT = 1 << 20
_FIELDS = {
    "context_length": "max_position_embeddings",
    "block_count": "num_hidden_layers",
    "embedding_length": "hidden_size",
    "attention.head_count": "num_attention_heads",
    "attention.head_count_kv": "num_key_value_heads",
    "attention.key_length": "head_dim",
}


def gguf_config(path: Path) -> dict[str, Any]:
    """The model's sizes under the names of a ``config.json``.

    Format: docs/gguf.md of the ggml project. Raises ``OperatorError`` when it is no GGUF file.
    """
    try:
        with path.open("rb") as f:
            header = _header(f)
    except (OSError, ValueError, KeyError, struct.error) as e:
        raise OperatorError(
            "model_unreadable",
            f"{path} 不是可读的 GGUF 文件（{e}）。请重新下载。",
            f"{path} is not a readable GGUF file ({e}). Download it again.",
        ) from e
    kind = header.get("general.architecture", "")
    config = {ours: header.get(f"{kind}.{theirs}") for theirs, ours in _FIELDS.items()}
    return {"model_type": kind} | {k: v for k, v in config.items() if v is not None}


def _header(f: BinaryIO) -> dict[str, Any]:
    """The scalar and text entries that stand before the tokenizer's lists."""
    if f.read(4) != b"GGUF":
        raise ValueError("no GGUF magic")
    _, _, count = struct.unpack("<IQQ", f.read(20))
    out: dict[str, Any] = {}
    for _ in range(count):
        key = _text(f)
        (kind,) = struct.unpack("<I", f.read(4))
        if kind == _ARRAY:
            break
        out[key] = _text(f) if kind == _STRING else _scalar(f, _SCALARS[kind])
    return out


def _scalar(f: BinaryIO, code: str) -> Any:
    return struct.unpack("<" + code, f.read(struct.calcsize("<" + code)))[0]


def _text(f: BinaryIO) -> str:
    (size,) = struct.unpack("<Q", f.read(8))
    if size > _LONGEST_TEXT:
        raise ValueError("a text is too long")
    return f.read(size).decode("utf-8", "replace")


def conversion_of(path: Path, cache_dir: Path | None) -> Path:
    """Where the OpenVINO form of ``path`` lies once it is made: in ``cache_dir``, or beside it."""
    stat = path.stat()
    return (cache_dir or path.parent) / f"{path.stem}-{stat.st_size:x}-{stat.st_mtime_ns:x}"


def converted(path: Path, cache_dir: Path | None) -> Path:
    """The folder with the OpenVINO form of ``path``, made on first use (or when the file changed).

    Raises ``OperatorError`` when it cannot be made.
    """
    config = gguf_config(path)
    folder = conversion_of(path, cache_dir)
    if folder.is_dir():
        return folder
    work = folder.with_name(folder.name + ".part")
    try:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        link = work / "model.gguf"
        link.symlink_to(path.resolve())
        _convert(link)
        link.unlink()
        (work / "config.json").write_text(json.dumps(config), encoding="utf-8")
        profile = path.with_name("dazi_model.json")
        if profile.is_file():
            shutil.copyfile(profile, work / profile.name)
        work.rename(folder)
    except Exception as e:  # the edge of a foreign library: it raises whatever C++ did
        shutil.rmtree(work, ignore_errors=True)
        raise OperatorError(
            "model_unreadable",
            f"无法转换 {path}（{e}）。请确认文件完整，"
            "并用 cache_dir 指定一个可写、空间足够的目录。",
            f"{path} cannot be converted ({e}). Make sure that the file is complete, and name a "
            "writable directory with enough space as cache_dir.",
        ) from e
    return folder


def _convert(link: Path) -> None:
    """OpenVINO writes the model and the tokenizer beside the file, each when it is opened."""
    genai = load_genai()
    scheduler = genai.SchedulerConfig()
    scheduler.cache_size = 1
    genai.Tokenizer(str(link), enable_save_ov_model=True)
    genai.ContinuousBatchingPipeline(str(link), scheduler, "CPU", {"enable_save_ov_model": True})
