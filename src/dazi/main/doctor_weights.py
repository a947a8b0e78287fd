"""``dazi doctor`` on weights at rest: which are encrypted, is the key reachable, is there memory for them?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dazi.core.errors import DaziError
from dazi.core.language import Text
from dazi.inference.catalog import BUNDLED, Catalog
from dazi.inference.pool.config import BUNDLED as BUNDLED_NAME
from dazi.inference.weights.keys import WrappingKey
from dazi.inference.weights.manifest import is_sealed
from dazi.inference.weights.memory import SETTING, memory_backed, place_of
from dazi.main.doctor_finding import Finding
from dazi.main.engines import choose_model
from dazi.main.pool import pool_file, read_models
from dazi.main.settings import Settings
from dazi.main.weights import key_source, sealed_state


def weight_findings(settings: Settings, data: Path) -> list[Finding]:
    """Of every model whose files lie here and that settings name. The key is asked for once."""
    try:
        here = list(dict.fromkeys(_here(settings, data)))
    except DaziError:
        return []  # told where the model is loaded
    sealed = [(name, path) for name, path in here if is_sealed(path)]
    plain = [name for name, path in here if not is_sealed(path) and path != BUNDLED]
    findings = []
    if plain:
        told = "、".join(plain), ", ".join(plain)
        zh, en = f"模型 {told[0]}:权重没有加密", f"model {told[1]}: its weights are not encrypted"
        findings.append(Finding(True, Text(zh, en)))
    if not sealed:
        return findings
    key: WrappingKey | DaziError
    try:
        key = key_source(settings).read()
    except DaziError as e:
        key = e
    for name, path in sealed:
        state = sealed_state(path, key)
        ok, text = (False, state.text) if isinstance(state, DaziError) else (True, state)
        findings.append(Finding(ok, Text(f"模型 {name}:{text.zh}", f"model {name}: {text.en}")))
    return [*findings, _place(settings)]


def _here(settings: Settings, data: Path) -> Iterator[tuple[str, Path]]:
    """Names and places. Raises ``DaziError``."""
    if (file := pool_file(settings)) is not None:
        for name, spec in read_models(file).backends.items():
            if spec.embedded and spec.embedded != BUNDLED_NAME:
                yield name, file.parent / spec.embedded
            if spec.adapter:
                yield name, file.parent / spec.adapter
    else:
        entry = choose_model(settings, Catalog(data))
        if entry.kind == "local":
            yield entry.name, Path(entry.location)
        if entry.adapter:
            yield entry.name, Path(entry.adapter)
    for url, model in (
        (settings.embedding_url, settings.embedding_model),
        (settings.rerank_url, settings.rerank_model),
    ):
        if model and not url:
            yield Path(model).name, Path(model)


def _place(settings: Settings) -> Finding:
    try:
        place = place_of(settings.weights_folder)
    except DaziError as e:
        return Finding(False, e.text)
    if memory_backed(place):
        return Finding(
            True, Text(f"解密到内存 {place}", f"weights are decrypted into memory, at {place}")
        )
    return Finding(
        True,
        Text(
            f"{SETTING} 指定的 {place} 不在内存里:载入时明文会落盘",
            f"{place}, which {SETTING} names, is not in memory: while loading, the plain text is on a disk",
        ),
    )
