"""The layers of an OpenVINO model by the names that they had in training.

An adapter finds its layers by name. Models that were exported from PyTorch carry the names
(``__module.model.layers.0.self_attn.q_proj/aten::linear/MatMul``); those that were made of a GGUF
file carry them at the weights alone (``model.layers[0].self_attn.q_proj.weight``), and openvino-genai
2026.4 then leaves an adapter out with no more than a line on the terminal. For these a folder is
made that differs in the names only.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from dazi.core.errors import OperatorError
from dazi.inference.profiles import version_of

MODEL_FILE = "openvino_model.xml"
_OF_LAYER = re.compile(r"(?:^|\.)((?:model\.layers\.\d+\.[\w.]+)|lm_head)/")
_OF_WEIGHT = re.compile(r"(?:(model\.layers)\[(\d+)\]\.([\w.]+)|(lm_head))\.weight")
_FAR = 12
"""Steps from a multiplication to its weights: decompression takes a few."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A multiplication by weights: so many values come in, so many go out."""

    inputs: int
    outputs: int


@dataclass(frozen=True, slots=True)
class Layers:
    """By name. ``named``: the model itself carries the names."""

    by_name: dict[str, Layer]
    named: bool


def read_layers(folder: Path) -> Layers:
    """Raises ``OperatorError`` when the model's file cannot be read."""
    _, found = _scan(folder)
    return Layers(
        {name: layer for name, (_, layer, _) in found.items()},
        all(named for _, _, named in found.values()),
    )


def with_names(folder: Path, layers: Layers, into: Path) -> Path:
    """``folder``, or one in ``into`` of the same model with names: made once for these files."""
    if layers.named:
        return folder
    made = into / f"{folder.name}-named-{version_of(folder)}"
    if made.is_dir():
        return made
    tree, found = _scan(folder)
    for name, (element, _, _) in found.items():
        element.set("name", name)
    work = made.with_name(made.name + ".part")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    for path in folder.iterdir():
        if path.is_file() and path.name != MODEL_FILE:
            (work / path.name).symlink_to(path.resolve())
    tree.write(work / MODEL_FILE)
    work.rename(made)
    return made


_Found = dict[str, tuple[ElementTree.Element, Layer, bool]]


def _scan(folder: Path) -> tuple[ElementTree.ElementTree[ElementTree.Element], _Found]:
    """The file, and its multiplications by name; and whether they carry that name."""
    try:
        tree = ElementTree.parse(folder / MODEL_FILE)
    except (OSError, ElementTree.ParseError) as e:
        raise OperatorError(
            "model_unreadable",
            f"无法读取 {folder / MODEL_FILE}（{e}）。",
            f"{folder / MODEL_FILE} cannot be read ({e}).",
        ) from e
    elements = {e.get("id", ""): e for e in tree.iter("layer")}
    sources = {
        (e.get("to-layer", ""), e.get("to-port", "")): e.get("from-layer", "")
        for e in tree.iter("edge")
    }
    found: _Found = {}
    for number, element in elements.items():
        if element.get("type") != "MatMul":
            continue
        own = _OF_LAYER.search(element.get("name", "") + "/")
        name = own[1] if own else _name_of_weights(number, elements, sources)
        layer = _sizes(element)
        if name and layer:
            found[name] = (element, layer, own is not None)
    return tree, found


def _name_of_weights(
    number: str, elements: dict[str, ElementTree.Element], sources: dict[tuple[str, str], str]
) -> str:
    port = "1"
    for _ in range(_FAR):
        number, port = sources.get((number, port), ""), "0"
        element = elements.get(number)
        if element is None:
            return ""
        named = _OF_WEIGHT.match(element.get("name", ""))
        if named:
            return named[4] or f"{named[1]}.{named[2]}.{named[3]}"
    return ""


def _sizes(element: ElementTree.Element) -> Layer | None:
    """Of the second input's shape."""
    data = element.find("data")
    dims = [d.text or "" for d in element.findall("./input/port[@id='1']/dim")]
    if data is None or len(dims) != 2 or not all(d.isdecimal() for d in dims):
        return None
    first, second = map(int, dims)
    turned = data.get("transpose_b") == "true"
    return Layer(second, first) if turned else Layer(first, second)
