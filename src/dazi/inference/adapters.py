"""LoRA adapters: what a file holds, and whether it fits a model (Hu et al. 2021; files as PEFT
writes them)."""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from dazi.core.engine import TaughtReply
from dazi.core.errors import CallerError
from dazi.inference.layers import Layers
from dazi.inference.safetensors import read_shapes

WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"
TOLD = "adapter.json"
"""Beside them, where the adapter was tuned here: what it is called, and what it was taught to say."""
_TENSOR = re.compile(r"base_model\.model\.(.+)\.lora_([AB])\.weight")
_ELSE = {"use_dora": False, "bias": "none", "rank_pattern": {}, "alpha_pattern": {}}
"""What would need more than two matrices a layer and one scale, with the value that does not."""


class Told(msgspec.Struct, frozen=True):
    """The part of ``adapter.json`` that an engine reads. ``replies``: sentences that the adapter was
    taught, which its base may not say (see ``agent.taught``)."""

    name: str = ""
    version: int = 0
    replies: tuple[TaughtReply, ...] = ()


@dataclass(frozen=True, slots=True)
class Adapter:
    """``scale``: what the product of both matrices is multiplied by; ``shapes``: of A and B, by
    layer."""

    path: Path
    rank: int
    scale: float
    shapes: dict[str, tuple[tuple[int, ...], tuple[int, ...]]]
    told: Told = field(default_factory=Told)

    @property
    def name(self) -> str:
        if self.told.name:
            return f"{self.told.name}@{self.told.version}"
        return self.path.parent.name if self.path.name == WEIGHTS else self.path.stem

    def version(self, base: str) -> str:
        """Twelve digits that tell the model with this adapter from every other."""
        digest = hashlib.sha256(f"{base} {self.scale!r} ".encode())
        digest.update(self.path.read_bytes())
        return digest.hexdigest()[:12]


def adapter_file(path: Path) -> Path:
    """The weights: ``path``, or what lies in it."""
    return path / WEIGHTS if path.is_dir() else path


def read_adapter(path: Path, alpha: float | None = None) -> Adapter:
    """``alpha``: LoRA's, in place of what ``adapter_config.json`` beside the file says; with neither
    it is the rank. Raises ``CallerError`` for what is no adapter that the engine can use."""
    try:
        shapes = read_shapes(path)
    except (OSError, ValueError, msgspec.MsgspecError) as e:
        raise _unusable(
            path, f"不是完整的 safetensors 文件：{e}", f"no whole safetensors file: {e}"
        ) from e
    config = _read_config(path)
    halves: dict[str, dict[str, tuple[int, ...]]] = {}
    for name, shape in shapes.items():
        parsed = _TENSOR.fullmatch(name)
        if not parsed or len(shape) != 2:
            raise _unusable(
                path,
                f"里面的 {name} 不是线性层的 LoRA 矩阵",
                f"its {name} is no LoRA matrix of a linear layer",
            )
        halves.setdefault(parsed[1], {})[parsed[2]] = shape
    pairs = {}
    for layer, half in halves.items():
        a, b = half.get("A"), half.get("B")
        if a is None or b is None or a[0] != b[1]:
            raise _unusable(
                path,
                f"{layer} 的两个矩阵缺一个，或对不上：A {a}，B {b}",
                f"the matrices of {layer} are not both there, or do not belong together: A {a}, "
                f"B {b}",
            )
        pairs[layer] = (a, b)
    ranks = {a[0] for a, _ in pairs.values()}
    if len(ranks) != 1 or 0 in ranks:
        told = sorted(ranks)
        raise _unusable(
            path, f"各层的秩要相同，而这里是 {told}", f"all layers need one rank, and it has {told}"
        )
    rank = ranks.pop()
    given = config.get("lora_alpha", rank) if alpha is None else alpha
    if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given):
        raise _unusable(path, f"alpha 不是数：{given!r}", f"alpha is no number: {given!r}")
    scale = given / (math.sqrt(rank) if config.get("use_rslora") else rank)
    return Adapter(path, rank, scale, pairs, _read_told(path))


def check_fit(adapter: Adapter, layers: Layers, base: str) -> None:
    """Raise ``CallerError`` unless the model has each of the adapter's layers, in its sizes."""
    for name, (a, b) in adapter.shapes.items():
        layer = layers.by_name.get(name)
        if layer is None:
            raise _unfit(adapter, base, f"{base} 没有 {name} 这一层", f"{base} has no layer {name}")
        for half, found, wanted in (
            ("A", a, (adapter.rank, layer.inputs)),
            ("B", b, (layer.outputs, adapter.rank)),
        ):
            if found != wanted:
                tensor = f"base_model.model.{name}.lora_{half}.weight"
                raise _unfit(
                    adapter,
                    base,
                    f"{tensor} 的形状是 {list(found)}，应为 {list(wanted)}",
                    f"{tensor} has the shape {list(found)} and would have to be {list(wanted)}",
                )


def _read_told(path: Path) -> Told:
    beside = path.with_name(TOLD)
    if not beside.is_file():
        return Told()
    try:
        return msgspec.json.decode(beside.read_bytes(), type=Told)
    except msgspec.MsgspecError as e:
        raise _unusable(path, f"旁边的 {TOLD} 读不懂：{e}", f"{TOLD} beside it: {e}") from e


def _read_config(path: Path) -> dict[str, Any]:
    """``adapter_config.json`` beside the file; empty without one."""
    beside = path.with_name(CONFIG)
    if not beside.is_file():
        return {}
    try:
        config = msgspec.json.decode(beside.read_bytes(), type=dict[str, Any])
    except msgspec.MsgspecError as e:
        raise _unusable(path, f"旁边的 {CONFIG} 读不懂：{e}", f"{CONFIG} beside it: {e}") from e
    if config.get("peft_type", "LORA") != "LORA":
        kind = config["peft_type"]
        raise _unusable(path, f"它是 {kind}，不是 LoRA", f"it is {kind}, not LoRA")
    for key, plain in _ELSE.items():
        if config.get(key) not in (None, plain):
            raise _unusable(
                path,
                f"{CONFIG} 里的 {key}={config[key]!r} 内置引擎做不到",
                f"the built-in engine cannot do {key}={config[key]!r} of {CONFIG}",
            )
    return config


def _unusable(path: Path, zh: str, en: str) -> CallerError:
    return CallerError(
        "not_an_adapter",
        f"{path} 不是能用的 LoRA 适配器：{zh}。",
        f"{path} is no usable LoRA adapter: {en}.",
    )


def _unfit(adapter: Adapter, base: str, zh: str, en: str) -> CallerError:
    return CallerError(
        "adapter_unfit",
        f"适配器 {adapter.path} 不是为这个模型训练的：{zh}。",
        f"The adapter {adapter.path} was not trained for this model: {en}.",
    )
