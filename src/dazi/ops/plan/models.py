"""The shapes of the Qwen3 family, as their cards and the technical report (arXiv:2505.09388) give them."""

from __future__ import annotations

from dataclasses import dataclass

from dazi.core.errors import CallerError

VOCABULARY = 151_936
"""Rows of the embedding, of which 151,669 are tokens."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A decoder. ``ffn``: of each expert, where there are ``experts``; ``active`` of them see a token.
    ``tied``: the embedding is the output layer too. ``context``: tokens without YaRN."""

    name: str
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    ffn: int
    tied: bool = False
    experts: int = 1
    active: int = 1
    head_dim: int = 128
    vocabulary: int = VOCABULARY
    context: int = 32_768

    @property
    def embeddings(self) -> int:
        """Parameters of the embedding and the output layer, which stay in 16 bits when the rest is quantised."""
        return self.vocabulary * self.hidden * (1 if self.tied else 2)

    def _layer(self, experts: int) -> int:
        attention = self.hidden * self.head_dim * (2 * self.heads + 2 * self.kv_heads)
        router = self.hidden * self.experts if self.experts > 1 else 0
        return attention + router + experts * 3 * self.hidden * self.ffn

    @property
    def linear(self) -> int:
        """Parameters of all layers."""
        return self.layers * self._layer(self.experts)

    @property
    def parameters(self) -> int:
        return self.linear + self.embeddings

    @property
    def active_linear(self) -> int:
        """Of the layers those that one token is multiplied with."""
        return self.layers * self._layer(self.active)

    @property
    def kv_values(self) -> int:
        """Numbers that the cache keeps for a token."""
        return 2 * self.layers * self.kv_heads * self.head_dim


SHAPES = {
    s.name: s
    for s in (
        Shape("Qwen/Qwen3-0.6B", 28, 1024, 16, 8, 3072, tied=True),
        Shape("Qwen/Qwen3-1.7B", 28, 2048, 16, 8, 6144, tied=True),
        Shape("Qwen/Qwen3-4B", 36, 2560, 32, 8, 9728, tied=True),
        Shape("Qwen/Qwen3-8B", 36, 4096, 32, 8, 12_288),
        Shape("Qwen/Qwen3-14B", 40, 5120, 40, 8, 17_408),
        Shape("Qwen/Qwen3-32B", 64, 5120, 64, 8, 25_600),
        Shape("Qwen/Qwen3-30B-A3B", 48, 2048, 32, 4, 768, experts=128, active=8),
        Shape("Qwen/Qwen3-235B-A22B", 94, 4096, 64, 4, 1536, experts=128, active=8),
    )
}


def shape_of(name: str) -> Shape:
    """By its id on the hub, with or without ``Qwen/`` and the ending of a quantised copy. Raises ``CallerError``
    with the names that are known."""
    plain = name.strip().removeprefix("Qwen/").lower()
    for ending in ("-fp8", "-awq", "-gptq-int4", "-gguf", "-instruct", "-base"):
        plain = plain.removesuffix(ending)
    for known, shape in SHAPES.items():
        if known.removeprefix("Qwen/").lower() == plain:
            return shape
    names = ", ".join(SHAPES)
    raise CallerError(
        "unknown_model",
        f"不认识模型 {name};认识的有 {names}",
        f"{name} is not known; known are {names}",
    )
