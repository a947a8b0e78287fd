"""The models that an installation knows, and which of them it uses."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import msgspec

from dazi.core.engine import Engine, ModelProfile
from dazi.core.errors import CallerError, ConfigError, NotFound
from dazi.inference.adapters import adapter_file, check_fit, read_adapter
from dazi.inference.embedded import EmbeddedEngine, EmbeddedOptions
from dazi.inference.gguf import conversion_of
from dazi.inference.layers import read_layers
from dazi.inference.profiles import read_profile
from dazi.inference.remote import WAIT_S, RemoteEngine, RemoteOptions, base_url
from dazi.inference.weights.manifest import is_sealed, read_manifest

FILE = "models.json"
BUNDLED = Path(__file__).resolve().parent.parent / "models" / "mini"


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One known model. ``location`` is a folder, a GGUF file or a URL; of the kind ``files`` are
    weights that lie here for a server to open.

    ``model`` and ``context_tokens`` are for servers: the model's name there ("" for the first one)
    and its context. ``adapter``: the LoRA adapter that makes this model of the one at ``location``,
    and its ``alpha`` where that is not told beside it. No secret is kept here.
    """

    name: str
    kind: Literal["local", "server", "files"]
    location: str
    model: str = ""
    context_tokens: int = 32_768
    adapter: str = ""
    alpha: float | None = None


@dataclass(frozen=True, slots=True)
class _Stored:
    active: str = ""
    models: tuple[ModelEntry, ...] = ()


class Catalog:
    """A small JSON file in ``directory``; the bundled model is always known."""

    def __init__(self, directory: Path, bundled: Path = BUNDLED) -> None:
        self._file = directory / FILE
        self._bundled = bundled
        self.models = directory / "models"
        """Where downloads and converted files lie."""

    def list(self) -> tuple[ModelEntry, ...]:
        return (*self.built_in(), *self._read().models)

    def active(self) -> ModelEntry | None:
        """The model in use: the chosen one, else the bundled one, else none."""
        stored = self._read()
        known = self.list()
        chosen = next((m for m in known if m.name == stored.active), None)
        return chosen or next((m for m in known if m.kind != "files"), None)

    def add(self, path: Path, name: str = "") -> ModelEntry:
        """Make a model folder or a GGUF file known. Raises ``CallerError`` if it is neither."""
        path = path.expanduser().resolve()
        sealed = read_manifest(path) if is_sealed(path) else None
        if sealed is not None and sealed.kind == "files":
            return self.add_files(path, name or sealed.name)
        if (sealed is not None and sealed.kind == "adapter") or (
            adapter_file(path).suffix == ".safetensors" and adapter_file(path).is_file()
        ):
            raise CallerError(
                "adapter_needs_base",
                f"{path} 像是 LoRA 适配器：用 --base 写明加在哪个模型上。",
                f"{path} looks like a LoRA adapter: name the model that it is added to with --base.",
            )
        if sealed is not None:
            return self._put(ModelEntry(name or sealed.name, "local", str(path)))
        if not (path / "openvino_model.xml").is_file() and not (
            path.suffix == ".gguf" and path.is_file()
        ):
            raise CallerError(
                "not_a_model",
                f"{path} 既不是 OpenVINO 模型文件夹（含 openvino_model.xml），也不是 GGUF 文件。",
                f"{path} is neither an OpenVINO model folder (with openvino_model.xml) nor a GGUF "
                "file.",
            )
        found = path.stem if path.is_file() else read_profile(path).name
        return self._put(ModelEntry(name or found, "local", str(path)))

    def add_server(
        self, url: str, model: str = "", *, name: str = "", context_tokens: int = 32_768
    ) -> ModelEntry:
        """Make a model server known. Raises ``OperatorError`` when ``url`` is no HTTP URL."""
        location = base_url(url)
        entry = ModelEntry(name or model or location, "server", location, model, context_tokens)
        return self._put(entry)

    def add_adapter(
        self, path: Path, base: str, *, name: str = "", alpha: float | None = None
    ) -> ModelEntry:
        """Make a LoRA adapter, a file or its folder, known as a model of its own. It is checked
        against ``base`` at once, or on first use, where that is a GGUF file that was never opened, or one
        of the two is encrypted.

        Raises ``NotFound`` for an unknown base and ``CallerError`` for what does not fit.
        """
        under = self.get(base)
        if under.kind != "local" or under.adapter:
            raise CallerError(
                "adapter_base",
                f"{base} 不能加适配器：要一个在本进程内运行、本身没有适配器的模型。"
                "服务上的适配器用它的名字选：dazi model use 网址 --model 适配器名。",
                f"{base} takes no adapter: it has to be a model that runs in this process and has "
                "none yet. One at a server is chosen by its name: dazi model use URL --model NAME.",
            )
        path = path.expanduser().resolve()
        if is_sealed(path):  # what fits is seen once there is a key, on first use
            made = ModelEntry(read_manifest(path).name, "local", under.location, adapter=str(path))
        else:
            adapter = read_adapter(adapter_file(path), alpha)
            folder = Path(under.location)
            if folder.suffix == ".gguf":
                folder = conversion_of(folder, self.models)
            if folder.is_dir() and not is_sealed(folder):
                check_fit(adapter, read_layers(folder), base)
            made = ModelEntry(adapter.name, "local", under.location, adapter=str(adapter.path))
        return self._put(replace(made, name=name or made.name, alpha=alpha))

    def add_files(self, path: Path, name: str) -> ModelEntry:
        """Make weights known that only a server opens."""
        return self._put(ModelEntry(name, "files", str(path)))

    def use(self, name: str, model: str = "") -> ModelEntry:
        """Choose a known model by name, or a server by URL. Raises ``NotFound``."""
        is_url = name.startswith(("http://", "https://"))
        entry = self.add_server(name, model) if is_url else self.get(name)
        if entry.kind == "files":
            raise for_a_server(entry)
        self._write(replace(self._read(), active=entry.name))
        return entry

    def get(self, name: str) -> ModelEntry:
        entry = next((m for m in self.list() if m.name == name), None)
        if entry is None:
            known = "、".join(m.name for m in self.list()) or "-"
            raise NotFound(
                "model_unknown",
                f"没有名为 {name} 的模型。已知：{known}。",
                f"There is no model called {name}. Known: {known}.",
            )
        return entry

    def remove(self, name: str) -> ModelEntry:
        """Forget a model; its files stay. Raises ``NotFound``, and ``CallerError`` for the bundled
        one."""
        entry = self.get(name)
        if entry in self.built_in():
            raise CallerError(
                "model_bundled",
                f"{name} 是内置模型，不能移除。",
                f"{name} is the bundled model and stays.",
            )
        stored = self._read()
        kept = tuple(m for m in stored.models if m.name != name)
        active = "" if stored.active == name else stored.active
        self._write(_Stored(active, kept))
        return entry

    def built_in(self) -> tuple[ModelEntry, ...]:
        """The bundled model, where it is there."""
        if not (self._bundled / "openvino_model.xml").is_file():
            return ()
        return (ModelEntry(read_profile(self._bundled).name, "local", str(self._bundled)),)

    def _put(self, entry: ModelEntry) -> ModelEntry:
        if any(entry.name == m.name and entry != m for m in self.built_in()):
            raise CallerError(
                "model_name_taken",
                f"名字 {entry.name} 属于内置模型；请另取一个名字。",
                f"The name {entry.name} belongs to the bundled model; give another one.",
            )
        stored = self._read()
        others = tuple(m for m in stored.models if m.name != entry.name)
        self._write(replace(stored, models=(*others, entry)))
        return entry

    def _read(self) -> _Stored:
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=_Stored)
        except FileNotFoundError:
            return _Stored()
        except msgspec.MsgspecError as e:
            raise ConfigError(
                self._file,
                None,
                f"不是有效的模型列表（{e}）；请改正，或删除后重新添加模型。",
                f"not a valid list of models ({e}); mend it, or delete it and add the models again",
            ) from e

    def _write(self, stored: _Stored) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._file.with_suffix(".tmp")
        fresh.write_bytes(msgspec.json.format(msgspec.json.encode(stored), indent=2) + b"\n")
        os.replace(fresh, self._file)


def embedded_options(entry: ModelEntry, given: EmbeddedOptions | None) -> EmbeddedOptions:
    """``given``, with the entry's adapter if it has one."""
    options = given or EmbeddedOptions()
    if not entry.adapter:
        return options
    return replace(options, adapter=Path(entry.adapter), adapter_alpha=entry.alpha)


def for_a_server(entry: ModelEntry) -> CallerError:
    serve = f"vllm serve {entry.location}"
    if is_sealed(Path(entry.location)):
        place = f"/dev/shm/{entry.name}"
        serve = f"dazi model decrypt {entry.name} --to {place} && vllm serve {place}"
    return CallerError(
        "model_for_server",
        f"{entry.name} 的权重要由服务打开：在装了 vLLM 的机器上 {serve}，再 dazi model use 它的网址。",
        f"The weights of {entry.name} are for a server: run {serve} where vLLM is installed, then "
        "dazi model use its URL.",
    )


def open_engine(
    entry: ModelEntry,
    *,
    embedded: EmbeddedOptions | None = None,
    api_key: str = "",
    wait_s: float = WAIT_S,
    profile: ModelProfile | None = None,
) -> Engine:
    """The engine of ``entry``. A local model is loaded now; ``wait_s``: how long a server may be
    silent. Raises ``OperatorError``."""
    if entry.kind == "local":
        return EmbeddedEngine(Path(entry.location), embedded_options(entry, embedded))
    if entry.kind == "files":
        raise for_a_server(entry)
    options = RemoteOptions(
        entry.location,
        entry.model,
        api_key=api_key,
        context_tokens=entry.context_tokens,
        idle_timeout_s=wait_s,
    )
    return RemoteEngine(options, profile)
