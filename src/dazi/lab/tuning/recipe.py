"""A recipe: one YAML file that says what is trained on what, and how."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from dazi.core.errors import ConfigError
from dazi.router.yaml_source import YamlSource

Method = Literal["lora", "qlora", "p-tuning", "prompt-tuning"]
Where = Literal["cpu", "cuda", "accelerate", "ray"]
SOFT: frozenset[Method] = frozenset({"p-tuning", "prompt-tuning"})
"""Methods that put learnt vectors before the prompt; the built-in engine cannot serve them."""
NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")
LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
"""The linear layers of a block in the Qwen3 family."""
TIED = ("minutes", "gate")
"""What may change while a run that was stopped goes on."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Files(_Strict):
    """Samples that lie in files of the dataset format, in place of a dataset."""

    train: list[Path]
    validation: list[Path] = []
    tools: Path | None = None
    replies: Path | None = None


class Gate(_Strict):
    """What the evaluation must show before an adapter may be deployed. ``gain``: of the shares of
    exactly right cases in files of ``better``; ``loss``: the most that a file of ``same`` may lose, by
    the difference itself: small files take more than what chance does to them."""

    better: list[Path] = []
    same: list[Path] = []
    gain: float = Field(0.0, ge=-1, le=1)
    loss: float = Field(0.02, ge=0, le=1)


class Recipe(_Strict):
    """``data``: ``NAME@VERSION`` of the data folder, several with commas, or files. ``weights``: the
    folder with config.json and safetensors where the model that serves has none of its own (GGUF,
    OpenVINO). ``samples``: only the first so many to train on, 0 for all; in a dataset they are a part
    of every larger number, as the curve of gains wants. ``alpha`` 0 is twice the rank. ``length``:
    tokens of the longest sample. ``batch``: samples in a step. ``patience``: validations without a
    better loss after which it ends, 0 for none. ``weigh``: how much the beginning of a decision and
    names and values weigh in the loss, where a plain token weighs 1. ``virtual``: learnt vectors of
    the soft methods."""

    name: str
    base: str = "dazi-mini"
    weights: Path | None = None
    data: str | Files
    samples: int = Field(0, ge=0)
    method: Method = "lora"
    rank: int = Field(16, ge=1, le=1024)
    alpha: float = Field(0, ge=0)
    dropout: float = Field(0.0, ge=0, lt=1)
    targets: list[str] = list(LINEAR)
    virtual: int = Field(16, ge=1, le=1024)
    rate: float = Field(1e-3, gt=0, le=1)
    warmup: float = Field(0.05, ge=0, lt=1)
    decay: float = Field(0.0, ge=0)
    epochs: float = Field(3.0, gt=0, le=1000)
    length: int = Field(1024, ge=16, le=131_072)
    batch: int = Field(16, ge=1, le=4096)
    clip: float = Field(1.0, gt=0)
    seed: int = Field(1, ge=0)
    minutes: float = Field(15.0, gt=0)
    validations: int = Field(8, ge=0, le=100)
    patience: int = Field(0, ge=0)
    weigh: tuple[float, float] = (3.0, 2.0)
    where: Where = "cpu"
    devices: int = Field(1, ge=1, le=1024)
    gate: Gate = Gate()

    @model_validator(mode="after")
    def _fits(self) -> Recipe:
        if not NAME.fullmatch(self.name):
            raise ValueError("name: lower-case letters, digits and -, beginning with a letter")
        if self.method == "qlora" and self.where == "cpu":
            raise ValueError("qlora needs a GPU: where is cuda, accelerate or ray")
        if self.devices > 1 and self.where in ("cpu", "cuda"):
            raise ValueError("several devices need where: accelerate or ray")
        if self.samples and len(self.datasets) > 1:
            raise ValueError("samples: the first of one dataset, and several are named")
        if min(self.weigh) <= 0:
            raise ValueError("weigh: both above 0")
        return self

    @property
    def scale(self) -> float:
        return self.alpha or 2.0 * self.rank

    @property
    def datasets(self) -> tuple[str, ...]:
        """``NAME@VERSION`` each; empty where files are named."""
        if isinstance(self.data, Files):
            return ()
        return tuple(part.strip() for part in self.data.split(","))

    def plain(self) -> dict[str, Any]:
        return self.model_dump(mode="json")

    def digest(self) -> str:
        """Of everything that makes another training of it."""
        kept = {k: v for k, v in self.plain().items() if k not in TIED}
        text = json.dumps(kept, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def read_recipe(path: Path) -> Recipe:
    """Relative paths in it are from its own folder. Raises ``ConfigError`` with the line."""
    source = YamlSource(path)
    if not isinstance(source.data, dict):
        raise source.error((), "应是 键: 值", "write it as KEY: VALUE")
    try:
        return Recipe.model_validate(_placed(source.data, path.resolve().parent))
    except ValidationError as e:
        first = e.errors()[0]
        at = [p for p in first["loc"] if isinstance(p, str | int)]
        where = ".".join(map(str, at))
        said = first["msg"].removeprefix("Value error, ")
        told = f"{where}: {said}" if where else said
        raise source.error(at, f"配方不对,{told}", f"the recipe is wrong, {told}") from None


def _placed(data: dict[str, Any], folder: Path) -> dict[str, Any]:
    def at(value: Any) -> Any:
        if isinstance(value, list):
            return [at(v) for v in value]
        return str(folder / Path(value).expanduser()) if isinstance(value, str) else value

    out = dict(data)
    if "weights" in out:
        out["weights"] = at(out["weights"])
    if isinstance(out.get("data"), dict):
        out["data"] = {k: at(v) for k, v in out["data"].items()}
    if isinstance(out.get("gate"), dict):
        files = {k: at(v) for k, v in out["gate"].items() if k in ("better", "same")}
        out["gate"] = {**out["gate"], **files}
    return out


def checked_place(recipe: Recipe, source: Path) -> None:
    """Raise ``ConfigError`` for what no trainer can do, before anything is made for it."""
    if recipe.method in SOFT and set(recipe.targets) != set(LINEAR):
        raise ConfigError(
            source,
            None,
            f"{recipe.method} 没有 targets,删掉这一项",
            f"{recipe.method} has no targets; leave them out",
        )
