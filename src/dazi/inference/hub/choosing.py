"""Which of a repository's files are wanted, and what can open them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from dazi.core.errors import CallerError
from dazi.inference.hub.listing import Listing, RemoteFile

Form = Literal["ir", "gguf", "adapter", "safetensors"]
"""An OpenVINO folder; one GGUF file; a LoRA adapter; weights that only a server opens."""
MOST_CHOSEN = 1_000
_BESIDE = (
    "*.json", "*.jinja", "*.txt", "*.model", "LICENSE*", "NOTICE*", "README.md",
)  # fmt: skip
"""Configuration, tokenizer, chat template, licence and card."""
_WEIGHTS: dict[Form, tuple[str, ...]] = {
    "ir": ("openvino_*.xml", "openvino_*.bin"),
    "adapter": ("adapter_model.safetensors",),
    "safetensors": ("*.safetensors",),
}
_SPLIT = re.compile(r"(.*)-\d{5}-of-\d{5}\.gguf")
IR_MODEL, ADAPTER = "openvino_model.xml", "adapter_model.safetensors"


@dataclass(frozen=True, slots=True)
class Choice:
    """``opens``: the file to be opened, or "" for the whole folder."""

    form: Form
    files: tuple[RemoteFile, ...]
    opens: str = ""

    @property
    def size(self) -> int:
        return sum(f.size for f in self.files)


Purpose = Literal["engine", "server", "adapter"]
"""To be opened in this process; to be opened by a server; to be added to a model in this process."""


def choose(listing: Listing, wanted: Sequence[str] = (), purpose: Purpose = "engine") -> Choice:
    """What to download: the files that are ``wanted``, else those that belong together.

    Raises ``CallerError`` where a person has to choose, or nothing could be done with the files.
    """
    if purpose == "adapter":
        choice = _adapter(listing)
    elif wanted:
        choice = _named(listing, wanted, purpose == "server")
    elif purpose == "server":
        choice = _for_server(listing)
    else:
        choice = _for_engine(listing)
    if len(choice.files) > MOST_CHOSEN:
        raise CallerError(
            "hub_too_many",
            f"{listing.repo} 要下 {len(choice.files)} 个文件，最多 {MOST_CHOSEN} 个；用 --file 指定。",
            f"{listing.repo} would be {len(choice.files)} files, and {MOST_CHOSEN} is the limit; "
            "name them with --file.",
        )
    return choice


def _for_engine(listing: Listing) -> Choice:
    names = {f.path for f in listing.files}
    if IR_MODEL in names:
        return Choice("ir", _matching(listing, _WEIGHTS["ir"] + _BESIDE))
    if ADAPTER in names:
        raise CallerError(
            "hub_adapter",
            f"{listing.repo} 是 LoRA 适配器：用 --base 写明加在哪个模型上。",
            f"{listing.repo} is a LoRA adapter: name the model that it is added to with --base.",
        )
    files = _ggufs(listing.files)
    if len(files) == 1 and not _SPLIT.fullmatch(files[0].path):
        return Choice("gguf", files, files[0].path)
    if files:
        raise CallerError(
            "hub_choose",
            f"{listing.repo} 有几个 GGUF 文件，请用 --file 选一个：\n{_listed(files)}",
            f"{listing.repo} has several GGUF files; choose one with --file:\n{_listed(files)}",
        )
    if any(fnmatchcase(n, "*.safetensors") for n in names):
        size = gib(_for_server(listing).size)
        raise CallerError(
            "hub_for_server",
            f"{listing.repo} 是 safetensors 权重（{size}），给 vLLM 这样的服务用，内置引擎打不开。"
            "内置引擎要 GGUF 文件或 OpenVINO 文件夹，找名字里带 GGUF 或 -ov 的。"
            "要下载下来离线起服务，加 --for server。",
            f"{listing.repo} holds safetensors weights ({size}) for a server such as vLLM; the "
            "built-in engine cannot open them. It takes a GGUF file or an OpenVINO folder: look for "
            "a name with GGUF or -ov in it. To download these for a server that is offline, add "
            "--for server.",
        )
    raise _nothing(listing)


def _adapter(listing: Listing) -> Choice:
    if ADAPTER not in {f.path for f in listing.files}:
        raise CallerError(
            "hub_no_adapter",
            f"{listing.repo} 里没有 {ADAPTER}，不是 LoRA 适配器；不是适配器就不要写 --base。",
            f"{listing.repo} has no {ADAPTER} and is no LoRA adapter; leave --base out for what is "
            "none.",
        )
    return Choice("adapter", _matching(listing, _WEIGHTS["adapter"] + _BESIDE), ADAPTER)


def _for_server(listing: Listing) -> Choice:
    files = _matching(listing, _WEIGHTS["safetensors"] + _BESIDE)
    if not any(f.path.endswith(".safetensors") for f in files):
        if _ggufs(listing.files):
            raise CallerError(
                "hub_choose",
                f"{listing.repo} 是 GGUF 文件，请用 --file 选：\n{_listed(_ggufs(listing.files))}",
                f"{listing.repo} holds GGUF files; choose with --file:\n"
                f"{_listed(_ggufs(listing.files))}",
            )
        raise _nothing(listing)
    return Choice("safetensors", files)


def _named(listing: Listing, wanted: Sequence[str], for_server: bool) -> Choice:
    by_name = {f.path: f for f in listing.files}
    for name in wanted:
        if name not in by_name:
            raise CallerError(
                "hub_no_file",
                f"{listing.repo} 里没有 {name}。有：\n{_listed(listing.files)}",
                f"{listing.repo} has no {name}. It has:\n{_listed(listing.files)}",
            )
    files = tuple(by_name[name] for name in dict.fromkeys(wanted))
    first = files[0].path
    if for_server:
        split = _SPLIT.fullmatch(first)
        if split and len(files) == 1:
            return Choice("safetensors", _matching(listing, (f"{split[1]}-*-of-*.gguf",)), first)
        return Choice("safetensors", files, first if len(files) == 1 else "")
    if len(files) == 1 and first.endswith(".gguf") and not _SPLIT.fullmatch(first):
        return Choice("gguf", files, first)
    raise CallerError(
        "hub_one_gguf",
        "不加 --for server 时，--file 要的是一个没有拆开的 GGUF 文件，内置引擎只打得开这样的。",
        "Without --for server, --file takes one GGUF file that is not split: that is what the "
        "built-in engine opens.",
    )


def _matching(listing: Listing, patterns: Iterable[str]) -> tuple[RemoteFile, ...]:
    """Files that lie at the top, and parts of what was named."""
    patterns = tuple(patterns)
    return tuple(
        f
        for f in listing.files
        if any(f.path.count("/") == p.count("/") and fnmatchcase(f.path, p) for p in patterns)
    )


def _ggufs(files: Sequence[RemoteFile]) -> tuple[RemoteFile, ...]:
    # A projector for pictures is no model of its own.
    return tuple(f for f in files if f.path.endswith(".gguf") and "mmproj" not in f.path.lower())


def gib(size: int) -> str:
    """For people: 3.1 GiB, 250 MiB, 12 KiB."""
    for unit, bits in (("GiB", 30), ("MiB", 20)):
        if size >= 1 << bits:
            return f"{size / (1 << bits):.1f} {unit}"
    return f"{max(size, 1) / 1024:.1f} KiB"


def _listed(files: Sequence[RemoteFile]) -> str:
    lines = [f"  {f.path}  {gib(f.size)}" for f in files[:40]]
    return "\n".join(lines + (["  ..."] if len(files) > len(lines) else []))


def _nothing(listing: Listing) -> CallerError:
    return CallerError(
        "hub_no_weights",
        f"{listing.repo} 里没有能用的权重：要 GGUF 文件、OpenVINO 文件夹（openvino_model.xml）、"
        "LoRA 适配器（adapter_model.safetensors）或 safetensors。",
        f"{listing.repo} has no weights of use here: a GGUF file, an OpenVINO folder "
        "(openvino_model.xml), a LoRA adapter (adapter_model.safetensors) or safetensors.",
    )
