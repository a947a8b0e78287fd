"""The models that settings name."""

from __future__ import annotations

from pathlib import Path

from dazi.core.engine import Embedder, Engine, Reranker
from dazi.core.errors import CallerError, ConfigError, NotFound
from dazi.inference.batching import BatchingEmbedder, BatchRules
from dazi.inference.catalog import Catalog, ModelEntry, open_engine
from dazi.inference.embedded import EmbeddedOptions
from dazi.inference.embedding import EmbeddingOptions, RemoteEmbedder
from dazi.inference.embedding_local import LocalEmbedder, LocalEmbedding
from dazi.inference.reranking import RemoteReranker, RerankOptions
from dazi.inference.reranking_local import LocalReranker
from dazi.main.pool import load_pool, pool_file
from dazi.main.settings import Settings
from dazi.main.weights import vault_of


def load_engine(settings: Settings, data: Path, *, precision: str = "") -> Engine:
    """The model or the pool of servers that settings, ``models.yaml`` or ``dazi model use`` name.
    ``precision``: in what an embedded model computes. Raises ``OperatorError``, and ``CallerError`` for a
    precision of a model that others serve."""
    vault = vault_of(settings)
    vault.tidy()
    if (path := pool_file(settings)) is not None:
        if precision:
            raise _not_embedded()
        return load_pool(settings, data, path)
    entry = choose_model(settings, Catalog(data))
    if precision and entry.kind != "local":
        raise _not_embedded()
    options = EmbeddedOptions(
        cache_gb=settings.cache_gb,
        num_threads=settings.threads,
        cache_dir=data / "models",
        vault=vault,
        precision=precision,
    )
    return open_engine(
        entry, embedded=options, api_key=settings.api_key, wait_s=settings.model_wait_seconds
    )


def _not_embedded() -> CallerError:
    return CallerError(
        "precision",
        "只有内嵌的模型能指定精度",
        "only an embedded model can be told its precision",
    )


def make_embedder(settings: Settings) -> Embedder | None:
    """A model's folder, or a server's model; ``None`` where neither is set.

    Raises ``ConfigError`` for a URL without a model, and ``OperatorError`` for what is no URL or
    no model.
    """
    if not settings.embedding_url:
        if not settings.embedding_model:
            return None
        options = LocalEmbedding(settings.threads, settings.embedding_question)
        with vault_of(settings).laid_open(Path(settings.embedding_model)) as model:
            local = LocalEmbedder(model.path, options)
        return BatchingEmbedder(local, batch_rules(settings, at_once=1))
    if not settings.embedding_model:
        raise ConfigError(
            "DAZI_EMBEDDING_MODEL",
            None,
            "设置了 DAZI_EMBEDDING_URL,还要写明模型名",
            "DAZI_EMBEDDING_URL is set; name the model as well",
        )
    remote = RemoteEmbedder(
        EmbeddingOptions(
            settings.embedding_url,
            settings.embedding_model,
            settings.embedding_key,
            question=settings.embedding_question,
        )
    )
    return BatchingEmbedder(remote, batch_rules(settings, at_once=4))


def batch_rules(settings: Settings, *, at_once: int) -> BatchRules:
    return BatchRules(settings.batch_texts, settings.batch_wait_ms / 1000, at_once)


def make_reranker(settings: Settings) -> Reranker | None:
    """A model's folder, or a server's model; ``None`` where neither is set. Raises
    ``OperatorError`` for what is no URL or no model."""
    if settings.rerank_url:
        return RemoteReranker(
            RerankOptions(settings.rerank_url, settings.rerank_model, settings.rerank_key)
        )
    if settings.rerank_model:
        with vault_of(settings).laid_open(Path(settings.rerank_model)) as model:
            return LocalReranker(model.path, settings.threads)
    return None


def choose_model(settings: Settings, catalog: Catalog) -> ModelEntry:
    if settings.model:
        if settings.model.startswith(("http://", "https://")):
            return ModelEntry(settings.model, "server", settings.model)
        path = Path(settings.model)
        if path.exists():
            return ModelEntry(path.stem, "local", str(path))
        try:
            return catalog.get(settings.model)
        except NotFound:
            known = ", ".join(m.name for m in catalog.list()) or "-"
            raise CallerError(
                "unknown_model",
                f"没有模型 {settings.model};可用:{known}。用 dazi model add 添加",
                f"no model {settings.model}; there are: {known}. Add one with dazi model add",
            ) from None
    entry = catalog.active()
    if entry is None:
        raise ConfigError(
            "models",
            None,
            "没有可用的模型。用 dazi model add 添加一个,或重新安装以恢复内置模型",
            "there is no model. Add one with dazi model add, or reinstall to get the bundled one",
        )
    return entry
