"""A company's folder and the packs that it extends: of each file, the one that counts.

A pack is a folder like a company's own, shipped with Dazi or lying anywhere. ``extends`` in ``dazi.toml``
names it, and it may extend another: the layers, the company's own first. A file of a layer takes the
place of the file of that name in the layers below; ``without`` leaves out what they have. Whoever reads
a file of a company asks here where it is, and nobody else knows of packs.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from dazi.core.errors import ConfigError
from dazi.core.language import Text

SETTINGS = "dazi.toml"
HERE = Path(__file__).resolve().parent
KINDS = ("tool", "role", "setting")
"""What ``without`` names besides files: ``tool:NAME``, ``role:NAME``, ``setting:SECTION.KEY``."""
OF_ITS_OWN = frozenset({"demo", "users", "self_check", "extends", "without", "pack"})
"""Keys of ``dazi.toml`` that a folder does not hand on: people, and what it is itself."""
NOT_HANDED_ON = frozenset({SETTINGS, "models.yaml", "channels.yaml"})
"""Files that speak of one company's machines and accounts."""


@dataclass(frozen=True, slots=True)
class Layer:
    """``name``: "" for the company's own folder; ``without``: what it leaves out of those below."""

    folder: Path
    name: str
    settings: Mapping[str, Any]
    without: tuple[str, ...] = ()

    @property
    def title(self) -> Text:
        """A pack's name for people."""
        return Text.of(self.settings.get("pack", {}).get("name", self.name))

    def leaves_out(self, name: str) -> bool:
        """Whether it does not want the file ``name`` of the layers below, or a folder around it."""
        path = PurePosixPath(name)
        return any(path == (o := PurePosixPath(w)) or o in path.parents for w in self.without)


@dataclass(frozen=True, slots=True)
class Layers:
    """The company's own first."""

    layers: tuple[Layer, ...]

    @property
    def own(self) -> Layer:
        return self.layers[0]

    @property
    def packs(self) -> tuple[Layer, ...]:
        return self.layers[1:]

    def find(self, name: str | Path) -> Path:
        """The file or folder of that name that counts; where there is none, where the company's own
        would be."""
        told = PurePosixPath(name).as_posix()
        for layer in self._open_to(told):
            if (layer.folder / told).exists():
                return layer.folder / told
        return self.own.folder / told

    def glob(self, pattern: str) -> list[Path]:
        """The files that count, in the order of their names."""
        found: dict[str, Path] = {}
        for layer in self.layers:
            for path in layer.folder.glob(pattern):
                name = path.relative_to(layer.folder).as_posix()
                if name not in found and self.open_to(layer, name):
                    found[name] = path
        return [found[name] for name in sorted(found)]

    def counts(self, path: Path) -> bool:
        """Whether a file of a layer is the one that counts; a file of none does."""
        layer = self.layer_of(path)
        if layer is None:
            return True
        name = path.relative_to(layer.folder).as_posix()
        return self.open_to(layer, name) and self.find(name) == path

    def layer_of(self, path: Path) -> Layer | None:
        """Whose folder it is in: the innermost, where one lies in another."""
        inside = [x for x in self.layers if path.is_relative_to(x.folder)]
        return max(inside, key=lambda x: len(x.folder.parts), default=None)

    def whence(self, path: Path | str) -> str:
        """The name of the pack that a file is from; "" for the company's own."""
        layer = self.layer_of(Path(path))
        return layer.name if layer is not None else ""

    def told(self, path: Path | str) -> str:
        """A place for people: below the company's folder, or ``PACK: place``; else as it is."""
        layer = self.layer_of(Path(path))
        if layer is None:
            return str(path)
        below = Path(path).relative_to(layer.folder).as_posix()
        return f"{layer.name}: {below}" if layer.name else below

    def settings(self) -> dict[str, Any]:
        """``dazi.toml`` of all layers as one: tables are joined key by key, of anything else the upper
        one counts."""
        merged: dict[str, Any] = {}
        for layer in reversed(self.layers):
            for name in layer.without:
                kind, _, place = name.partition(":")
                if kind == "setting":
                    self._take_out(merged, place, layer)
            own = layer is self.own
            given = {k: v for k, v in layer.settings.items() if own or k not in OF_ITS_OWN}
            given = deepcopy(given)
            if not own and isinstance(given.get("knowledge"), dict):
                given["knowledge"].pop("sources", None)  # a pack's documents are in its folder
            merged = _joined(merged, given)
        return merged

    def open_to(self, layer: Layer, name: str) -> bool:
        """Whether the layer's file or folder of that name may count."""
        return any(x is layer for x in self._open_to(name))

    def _open_to(self, name: str) -> Iterator[Layer]:
        """The layers whose file of that name may count, from above."""
        for layer in self.layers:
            if layer is self.own or name not in NOT_HANDED_ON:
                yield layer
            if layer.leaves_out(name):
                return

    def _take_out(self, settings: dict[str, Any], place: str, layer: Layer) -> None:
        *above, last = place.split(".")
        table: Any = settings
        for key in above:
            table = table.get(key) if isinstance(table, dict) else None
        if not isinstance(table, dict) or last not in table:
            raise nothing_left_out(layer, f"setting:{place}")
        del table[last]

    def check(self) -> None:
        """Raises ``ConfigError`` for a file in ``without`` that no pack has. Tools, roles and settings
        are looked at by those who read them."""
        for number, layer in enumerate(self.layers):
            below = self.layers[number + 1 :]
            for name in layer.without:
                if name.partition(":")[0] in KINDS and ":" in name:
                    continue
                if not any((x.folder / name).exists() for x in below):
                    raise nothing_left_out(layer, name)


def layers_of(folder: Path) -> Layers:
    """Of a company's folder, which need not have a ``dazi.toml`` yet. Raises ``ConfigError`` for a
    file that cannot be read, a pack that is not there, and packs that extend each other in a circle."""
    layers: list[Layer] = []
    names: set[str] = set()
    name = ""
    while True:
        settings = read_settings(folder) if (folder / SETTINGS).is_file() else {}
        layer = Layer(folder, name, settings, _without(folder, settings))
        layers.append(layer)
        names.add(name)
        extends = settings.get("extends")
        if extends is None:
            return Layers(tuple(layers))
        following = _pack(folder, extends)
        if any(following.resolve() == x.folder.resolve() for x in layers):
            circle = " → ".join([*(x.name or x.folder.name for x in layers), str(extends)])
            raise _wrong(
                folder,
                "extends",
                f"几个包互相继承,成了一圈:{circle}",
                f"packs extend each other in a circle: {circle}",
            )
        base = following.name
        name = next(n for n in (base, *(f"{base}-{i}" for i in range(2, 99))) if n not in names)
        folder = following


def built_in() -> dict[str, Path]:
    """The packs that ship with Dazi, by name."""
    return {p.parent.name: p.parent for p in sorted(HERE.glob(f"*/{SETTINGS}"))}


def read_settings(folder: Path) -> dict[str, Any]:
    """One layer's ``dazi.toml``, parsed. Raises ``ConfigError``."""
    path = folder / SETTINGS
    try:
        seen = path.stat()
        return _parsed(path, seen.st_mtime_ns, seen.st_size)
    except FileNotFoundError:
        raise ConfigError(
            path,
            None,
            "这个目录里没有 dazi.toml。用 dazi init 目录名 生成一个",
            "no dazi.toml in this folder. Make one with dazi init DIR",
        ) from None


@lru_cache(maxsize=32)
def _parsed(path: Path, changed: int, size: int) -> dict[str, Any]:
    """Read again when it changed: many ask for the same file."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as e:
        line = getattr(e, "lineno", None)
        raise ConfigError(path, line, f"TOML 语法错误:{e}", f"not valid TOML: {e}") from None


def line_of(path: Path, key: str) -> int | None:
    """Where ``key`` is written in a TOML file."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip().startswith((key, f"[{key}", f"[[{key}")):
            return number
    return None


def nothing_left_out(layer: Layer, name: str) -> ConfigError:
    return _wrong(
        layer.folder,
        "without",
        f"without 里的 “{name}” 在继承的包里没有",
        f"“{name}” in without is in no pack below",
    )


def _pack(folder: Path, extends: Any) -> Path:
    """A name is that of a pack that ships; with a slash in it, or beginning with a dot, it is a path."""
    if not isinstance(extends, str) or not extends.strip():
        raise _wrong(
            folder, "extends", "extends 写一个包的名字或路径", "extends takes a name or a path"
        )
    if "/" in extends or extends.startswith("."):
        path = Path(folder / extends).resolve()
        if not (path / SETTINGS).is_file():
            raise _wrong(
                folder, "extends", f"{path} 里没有 dazi.toml", f"there is no dazi.toml in {path}"
            )
        return path
    known = built_in()
    if extends not in known:
        told = ", ".join(known)
        raise _wrong(
            folder,
            "extends",
            f"没有叫 “{extends}” 的包,自带的有:{told};自己的包写路径,如 ./{extends}",
            f"there is no pack “{extends}”; those that ship: {told}; for one of your own write a path, "
            f"such as ./{extends}",
        )
    return known[extends]


def _without(folder: Path, settings: Mapping[str, Any]) -> tuple[str, ...]:
    given = settings.get("without", [])
    if not isinstance(given, list) or not all(isinstance(w, str) and w for w in given):
        raise _wrong(folder, "without", "without 应是文字的列表", "without must be a list of texts")
    if given and "extends" not in settings:
        raise _wrong(folder, "without", "without 要和 extends 一起写", "without goes with extends")
    return tuple(given)


def _joined(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    out = dict(below)
    for key, value in above.items():
        old = out.get(key)
        both = isinstance(old, dict) and isinstance(value, dict)
        out[key] = _joined(old, value) if both else value  # type: ignore[arg-type]
    return out


def _wrong(folder: Path, key: str, zh: str, en: str) -> ConfigError:
    path = folder / SETTINGS
    return ConfigError(path, line_of(path, key), zh, en)


def named_file(folder: Path, kind: str, file: Path) -> Path:
    """``file``, or where there is none, that of the company's or a pack's folder ``kind``."""
    if file.exists() or file.is_absolute():
        return file
    found = layers_of(folder).find(Path(kind) / file)
    return found if found.is_file() else file
