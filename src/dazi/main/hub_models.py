"""Models from a hub: added to the list once they are here, and removed again with their files."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass, replace
from glob import escape
from pathlib import Path

from dazi.core.errors import CallerError, NotFound
from dazi.core.language import Text
from dazi.inference.catalog import Catalog, ModelEntry
from dazi.inference.gguf import conversion_of
from dazi.inference.hub.choosing import Purpose, gib
from dazi.inference.hub.fetching import Fetched, Order, Watch, fetch_model
from dazi.inference.hub.notes import read_note, remove_files, unfinished
from dazi.inference.hub.places import Hub, hub_of
from dazi.main.settings import Settings


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line says about a model at a hub; "" is left to the settings or the hub."""

    repo: str
    name: str = ""
    files: tuple[str, ...] = ()
    hub: str = ""
    revision: str = ""
    for_server: bool = False
    base: str = ""
    alpha: float | None = None


def chosen_hub(settings: Settings, hub: str) -> Hub:
    """The hub that is named, with the token only if the settings name the same one: it belongs to
    that. Raises ``CallerError`` or ``ConfigError``."""
    files_at = tuple(settings.hub_files.replace(",", " ").split())
    usual = hub_of(settings.hub, token=settings.hub_token, files_at=files_at)
    named = hub_of(hub, files_at=files_at) if hub else usual
    return replace(named, token=usual.token) if named.base == usual.base else named


async def add_from_hub(
    settings: Settings, catalog: Catalog, wanted: Wanted, watch: Watch
) -> ModelEntry:
    """Download the model and make it known. Raises what ``fetch_model`` and the catalog do."""
    if wanted.base:
        catalog.get(wanted.base)
    purpose: Purpose = "adapter" if wanted.base else "server" if wanted.for_server else "engine"
    order = Order(wanted.repo, wanted.revision, wanted.files, purpose)
    hub = chosen_hub(settings, wanted.hub)
    fetched = await fetch_model(hub, order, catalog.models, watch=watch)
    return _make_known(catalog, wanted, fetched)


def _make_known(catalog: Catalog, wanted: Wanted, fetched: Fetched) -> ModelEntry:
    short = wanted.repo.partition("/")[2]
    if fetched.choice.form == "adapter":
        name = wanted.name or short
        return catalog.add_adapter(fetched.path, wanted.base, name=name, alpha=wanted.alpha)
    if fetched.choice.form == "safetensors":
        return catalog.add_files(fetched.path, wanted.name or short)
    name = wanted.name or (fetched.path.stem if fetched.choice.form == "gguf" else short)
    return catalog.add(fetched.path, name)


def remove_model(catalog: Catalog, name: str, *, files: bool) -> Text:
    """Forget a model, or an unfinished download by its name at the hub; with ``files`` also delete
    what was downloaded.

    Raises ``NotFound``, and ``CallerError`` for files that are not from a hub or that others need.
    """
    begun = next((u for u in unfinished(catalog.models) if u.note.repo == name), None)
    if begun is not None and all(m.name != name for m in catalog.list()):
        if not files:
            raise CallerError(
                "model_unfinished",
                f"{name} 还没下完，不在模型列表里；要删掉已下载的部分，加 --files。",
                f"{name} is an unfinished download and no model yet; add --files to delete what has "
                "come of it.",
            )
        missing = [f.path for f in begun.note.files if not (begun.folder / f.path).is_file()]
        remove_files(begun.folder, missing)
        return Text(f"已删除 {gib(begun.held)}。", f"Deleted {gib(begun.held)}.")
    entry = catalog.get(name)
    own = _own_files(catalog, entry) if files else None
    catalog.remove(name)
    if own is None:
        return Text(
            f"已移除 {name}；文件还在 {entry.adapter or entry.location}。",
            f"Removed {name}; its files stay at {entry.adapter or entry.location}.",
        )
    own.delete()
    return Text(f"已移除 {name}，并删除了它的文件。", f"Removed {name} and deleted its files.")


@dataclass(frozen=True, slots=True)
class _Own:
    """Files of one model: those that were downloaded into ``folder``, and what was made of them."""

    folder: Path
    names: tuple[str, ...]
    made: tuple[Path, ...]

    def delete(self) -> None:
        remove_files(self.folder, self.names)
        for path in self.made:
            shutil.rmtree(path, ignore_errors=True)


def _own_files(catalog: Catalog, entry: ModelEntry) -> _Own:
    place = Path(entry.adapter or entry.location)
    folder = next((p for p in (place, *place.parents) if _is_download(p, catalog.models)), None)
    if folder is None or entry.kind == "server":
        raise CallerError(
            "files_not_ours",
            f"{place} 不是从模型站下载的，不会删除；去掉 --files 只移出列表。",
            f"{place} was not downloaded from a hub and is not deleted; leave --files out to remove "
            "the model from the list alone.",
        )
    others = [m.name for m in catalog.list() if m.name != entry.name and _uses(m, place)]
    if others:
        told = ", ".join(others)
        raise CallerError(
            "files_in_use",
            f"{told} 也用这些文件；请先移除它们，或去掉 --files。",
            f"{told} needs these files too; remove it first, or leave --files out.",
        )
    noted = [f.path for f in read_note(folder).files]
    names = [n for n in noted if folder / n == place] if place.suffix == ".gguf" else noted
    return _Own(folder, tuple(names), tuple(_made_of(catalog.models, place)))


def _is_download(folder: Path, models: Path) -> bool:
    try:
        read_note(folder)
    except (OSError, ValueError):
        return False
    return models.resolve() in folder.resolve().parents


def _uses(entry: ModelEntry, place: Path) -> bool:
    return any(
        p == place or place in p.parents
        for p in map(Path, (entry.location, entry.adapter))
        if p.name
    )


def _made_of(models: Path, place: Path) -> Iterable[Path]:
    """Converted forms of a GGUF file, and folders with names for adapters."""
    if place.suffix == ".gguf" and place.is_file():
        made = conversion_of(place, models)
        yield made
        yield from models.glob(f"{escape(made.name)}-named-*")
    elif place.is_dir():
        yield from models.glob(f"{escape(place.name)}-named-*")


def unknown_place(target: str) -> NotFound:
    return NotFound(
        "model_unknown",
        f"{target} 既不是这里的文件或文件夹，也不是模型站上的名字（形如 Qwen/Qwen3-14B-GGUF）。",
        f"{target} is no file or folder here, and no name at a model hub (like "
        "Qwen/Qwen3-14B-GGUF).",
    )
