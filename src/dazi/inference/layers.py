"""The layers of an OpenVINO model by the names that they had in training.

An adapter finds its layers by name. Models that were exported from PyTorch carry the names
(``__module.model.layers.0.self_attn.q_proj/aten::linear/MatMul``); those that were made of a GGUF
file do not, and openvino-genai 2026.4 then leaves an adapter out with no more than a line on the
terminal. There the places where a block adds up are named (``model.layers.self_attn.add0.layer0``),
and what multiplies before them is known by how it is connected. For these models a folder is made
that differs in the names only.
"""

from __future__ import annotations

import re
import shutil
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from dazi.core.errors import OperatorError
from dazi.inference.profiles import version_of

MODEL_FILE = "openvino_model.xml"
_OF_LAYER = re.compile(r"(?:^|\.)((?:model\.layers\.\d+\.[\w.]+)|lm_head)/")
_SUM = re.compile(r"model\.layers\.self_attn\.(add0|add1|mlp\.mul)\.layer(\d+)")


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
    graph = _Graph(tree)
    found: _Found = {}
    for number, layer in graph.weighed.items():
        element = graph.elements[number]
        own = _OF_LAYER.search(element.get("name", "") + "/")
        if own:
            found[own[1]] = (element, layer, True)
    if not found:
        for name, number in graph.connected():
            found[name] = (graph.elements[number], graph.weighed[number], False)
    return tree, found


class _Graph:
    """``elements`` by number; ``weighed``: multiplications by weights, of a shape that is known."""

    def __init__(self, tree: ElementTree.ElementTree[ElementTree.Element]) -> None:
        self.elements = {e.get("id", ""): e for e in tree.iter("layer")}
        self._sources: dict[str, dict[int, str]] = defaultdict(dict)
        for edge in tree.iter("edge"):
            port = int(edge.get("to-port", "0"))
            self._sources[edge.get("to-layer", "")][port] = edge.get("from-layer", "")
        self.weighed = {
            number: layer
            for number, element in self.elements.items()
            if element.get("type") == "MatMul" and (layer := _sizes(element)) is not None
        }

    def connected(self) -> Iterator[tuple[str, str]]:
        """Names and numbers of the multiplications in each block."""
        for number, element in self.elements.items():
            place = _SUM.fullmatch(element.get("name", ""))
            if not place:
                continue
            block = f"model.layers.{place[2]}"
            if place[1] == "add1":
                yield from self._only(f"{block}.mlp.down_proj", number, 1)
            elif place[1] == "mlp.mul":
                yield from self._only(f"{block}.mlp.gate_proj", number, 0)
                yield from self._only(f"{block}.mlp.up_proj", number, 1)
            else:
                yield from self._attention(block, number)

    def _attention(self, block: str, number: str) -> Iterator[tuple[str, str]]:
        for name, joined in self._only(f"{block}.self_attn.o_proj", number, 1):
            yield name, joined
            attention = self._before(joined, 0, "ScaledDotProductAttention")
            if len(attention) == 1:
                for port, half in enumerate("qkv"):
                    yield from self._only(f"{block}.self_attn.{half}_proj", attention[0], port)

    def _only(self, name: str, number: str, port: int) -> Iterator[tuple[str, str]]:
        """The multiplication that this input comes from, if it is one."""
        found = self._before(number, port, "MatMul")
        if len(found) == 1:
            yield name, found[0]

    def _before(self, number: str, port: int, kind: str) -> list[str]:
        """The nearest of a kind on every way back. No way leads through weights."""
        waiting, seen, found = [self._sources[number].get(port, "")], set(), []
        while waiting:
            here = waiting.pop()
            if not here or here in seen:
                continue
            seen.add(here)
            if self.elements[here].get("type") == kind and (
                kind != "MatMul" or here in self.weighed
            ):
                found.append(here)
            elif here not in self.weighed:
                waiting += self._sources[here].values()
        return found


def _sizes(element: ElementTree.Element) -> Layer | None:
    """Of the second input's shape."""
    data = element.find("data")
    dims = [d.text or "" for d in element.findall("./input/port[@id='1']/dim")]
    if data is None or len(dims) != 2 or not all(d.isdecimal() for d in dims):
        return None
    first, second = map(int, dims)
    turned = data.get("transpose_b") == "true"
    return Layer(second, first) if turned else Layer(first, second)
