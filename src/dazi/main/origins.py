"""Whence the parts of a company come: its own folder, or one of the packs that it extends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dazi.core.company import Company
from dazi.core.language import Language, Text
from dazi.packs.layers import OF_ITS_OWN, Layer, Layers, layers_of
from dazi.router.yaml_source import YamlSource

OWN = Text("自己的", "own")
TOOLS, ROLES, SECTIONS, FILES = (
    Text("工具", "tools"),
    Text("角色", "roles"),
    Text("设置", "settings"),
    Text("文件", "files"),
)
REPLACED, LEFT_OUT = Text("换掉的", "replaced"), Text("去掉的", "left out")
PARTS = (
    "policies/*.cedar", "reports/*.yaml", "words/*.txt", "guard.yaml", "alerts.yaml", "answers.yaml",
    "desk/*.yaml", "prompts/*.yaml", "templates/*", "contracts/*", "knowledge/**/*.*", "evals/*.*",
)  # fmt: skip
"""What else is handed on, where there is such a file."""
MANY = 8


def origins(company: Company, language: Language) -> list[str]:
    """A line for each pack and each kind of part; none where nothing is extended."""
    layers = layers_of(company.folder)
    if not layers.packs:
        return []
    lines = [
        f"  ← {p.name}: {p.title(language)}" + _version(p) + f"  {p.folder}" for p in layers.packs
    ]
    tools = ((layers.whence(t.source), name) for name, t in company.tools.items())
    rows: list[tuple[Text, list[tuple[str, str]]]] = [
        (TOOLS, list(tools)),
        (ROLES, [(_role(layers, role), role) for role in company.roles]),
        (SECTIONS, list(_sections(layers))),
        (FILES, list(_files(layers))),
    ]
    for title, parts in rows:
        by: dict[str, list[str]] = {}
        for whence, name in parts:
            by.setdefault(whence, []).append(name)
        for whence, names in by.items():
            lines.append(f"  {title(language)} {whence or OWN(language)}: {', '.join(names)}")
    replaced = [layers.told(p) for p in _replaced(layers)]
    if replaced:
        lines.append(f"  {REPLACED(language)}: {', '.join(replaced)}")
    out = [w for layer in layers.layers for w in layer.without]
    if out:
        lines.append(f"  {LEFT_OUT(language)}: {', '.join(out)}")
    return lines


def _version(pack: Layer) -> str:
    version = pack.settings.get("pack", {}).get("version", "")
    return f" {version}" if version else ""


def _role(layers: Layers, role: str) -> str:
    """The uppermost layer that declares it."""
    for layer in layers.layers:
        path = layer.folder / "roles.yaml"
        if path.is_file():
            data = YamlSource(path).data
            if role in data.get("roles", data):
                return layer.name
    return ""


def _sections(layers: Layers) -> Iterator[tuple[str, str]]:
    """A section of several layers is named with each."""
    kept = layers.settings()
    for layer in layers.layers:
        for key in layer.settings:
            if key not in OF_ITS_OWN and key in kept and key != "company":
                yield layer.name, key


def _files(layers: Layers) -> Iterator[tuple[str, str]]:
    """One by one; where a folder has many, how many."""
    for pattern in PARTS:
        by: dict[str, list[str]] = {}
        for path in layers.glob(pattern):
            layer = layers.layer_of(path)
            if layer is not None and path.is_file():
                by.setdefault(layer.name, []).append(path.relative_to(layer.folder).as_posix())
        for whence, names in by.items():
            if len(names) > MANY:
                folder = names[0].partition("/")[0]
                names = [f"{folder}/ ({len(names)})"]
            yield from ((whence, name) for name in names)


def _replaced(layers: Layers) -> Iterator[Path]:
    """Files of packs in whose place there is another."""
    for pack in layers.packs:
        for pattern in ("tools/*.yaml", *PARTS):
            for path in sorted(pack.folder.glob(pattern)):
                name = path.relative_to(pack.folder).as_posix()
                if path.is_file() and layers.open_to(pack, name) and not layers.counts(path):
                    yield path
