"""``dazi tune``: from a recipe to an adapter that is evaluated, registered, deployed and rolled back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dazi
from dazi.access.cedar import CedarPolicy
from dazi.access.users import Directory, expand
from dazi.agent.offering import Offering
from dazi.apps.contracts.statistics import wilson
from dazi.core.company import Company
from dazi.core.engine import ModelProfile
from dazi.core.errors import CallerError, NotFound
from dazi.core.language import Language
from dazi.core.principal import Principal
from dazi.inference.catalog import Catalog, ModelEntry
from dazi.inference.profiles import read_profile
from dazi.lab.evals.runner import principals
from dazi.lab.tuning.data import gain
from dazi.lab.tuning.datasets import Material, read_material
from dazi.lab.tuning.gate import Paired
from dazi.lab.tuning.preparing import RECIPE, Prepared, prepare
from dazi.lab.tuning.recipe import SOFT, Files, Recipe
from dazi.lab.tuning.registry import AdapterCard, Registry, Tuned
from dazi.lab.tuning.rendering import Renderer, Weights
from dazi.lab.tuning.running import STOPPED, Seen, Trainer, events, failed, python_of
from dazi.main.company import load_company
from dazi.main.settings import Settings
from dazi.main.tuning_gate import evaluate
from dazi.ops.datasets.folders import place, read_manifest
from dazi.ops.tuning_runs import busy, folder_of
from dazi.prompt.choose import ToolChooser


@dataclass(frozen=True, slots=True)
class Bench:
    """Where tuning happens: a company, its data folder, its models and adapters."""

    settings: Settings
    company: Company
    data: Path
    catalog: Catalog
    registry: Registry

    @classmethod
    def of(cls, settings: Settings) -> Bench:
        folder = settings.company_folder()
        data = settings.data_folder(folder)
        return cls(settings, load_company(folder), data, Catalog(data), Registry(data))


@dataclass(frozen=True, slots=True)
class Run:
    """A training's folder. ``fresh``: it was made now, and does not go on."""

    folder: Path
    version: int
    prepared: Prepared | None

    @property
    def fresh(self) -> bool:
        return self.prepared is not None


def prepared_run(
    bench: Bench, recipe: Recipe, *, anew: bool = False, file: Path | None = None
) -> Run:
    """The folder of this recipe's training: one that was stopped, or a new one. ``file``: where the recipe
    is, for whoever goes on later."""
    entry = bench.catalog.get(recipe.base)
    weights = weights_of(entry, recipe)
    wanted = recipe.data if isinstance(recipe.data, Files) else recipe.datasets
    material = read_material(bench.data, wanted, recipe.seed)
    material = replace(material, train=material.train[: recipe.samples or None])
    version = bench.registry.next_version(recipe.name)
    folder = folder_of(bench.data) / f"{recipe.name}-{version}"
    digest = recipe.digest()
    origins = [[o.name, o.version, o.sha256] for o in material.origins]
    if busy(folder):
        raise CallerError(
            "tuning_running", f"{folder} 里正在训练。", f"A training is going on in {folder}."
        )
    if not anew and (known := _goes_on(folder)) is not None:
        if (known["digest"], known["origins"]) == (digest, origins):
            return Run(folder, version, None)
        raise CallerError(
            "tuning_under_way",
            f"{folder} 里有一次没做完的训练,配方或数据不同。接着做就用原来的配方,重来加 --anew。",
            f"{folder} holds a training that is not finished, of another recipe or other data. Go on "
            "with that recipe, or begin anew with --anew.",
        )
    _cleared(folder)
    renderer = renderer_of(bench, entry, recipe, material)
    done = prepare(renderer, material.train, material.validation, folder)
    kept = {
        **recipe.plain(),
        "scale": recipe.scale,
        "weights_at": str(weights),
        "threads": bench.settings.threads,
        "digest": digest,
        "origins": origins,
        "replies": [list(r) for r in material.replies],
        "file": str(file.resolve()) if file is not None else "",
    }
    text = json.dumps(kept, ensure_ascii=False, indent=1)
    part = folder / f"{RECIPE}.part"
    part.write_text(text + "\n", encoding="utf-8")
    part.replace(folder / RECIPE)  # whoever looks meanwhile finds the whole of it
    return Run(folder, version, done)


def renderer_of(bench: Bench, entry: ModelEntry, recipe: Recipe, material: Material) -> Renderer:
    """For the model as it will be: with the sentences that the dataset teaches."""
    profile = profile_of(entry, material)
    policy = CedarPolicy(bench.company)
    chooser = ToolChooser(bench.company.tools.values())
    offering = Offering(bench.company, profile, chooser, policy)
    decision, value = recipe.weigh
    return Renderer(
        bench.company, profile, offering, person_of(bench), material.tools, Weights(decision, value)
    )


def profile_of(entry: ModelEntry, material: Material) -> ModelProfile:
    profile = read_profile(Path(entry.location))
    if not profile.replies:
        return profile
    return replace(profile, replies=tuple(dict.fromkeys((*profile.replies, *material.replies))))


def person_of(bench: Bench) -> Callable[[str], Principal]:
    """Somebody of a role; without one, somebody who has them all."""
    named = principals(bench.company, Directory(bench.company, bench.settings.host))
    everybody = Principal("tuning", expand(tuple(bench.company.roles), bench.company.roles))
    return lambda role: named(role) if role else everybody


def weights_of(entry: ModelEntry, recipe: Recipe) -> Path:
    """The folder with what a trainer reads. Raises ``CallerError`` where there is none."""
    folder = recipe.weights or Path(entry.location)
    if entry.kind == "server" and recipe.weights is None:
        folder = Path()
    wanted = ("config.json", "tokenizer.json")
    whole = folder.is_dir() and all((folder / name).is_file() for name in wanted)
    if not whole or not any(folder.glob("*.safetensors")):
        raise CallerError(
            "no_weights",
            f"{entry.name} 没有可训练的权重(config.json、tokenizer.json、safetensors)。"
            "用配方里的 weights 写明同一个模型的那个目录;dazi model add 所有者/名字 --for server 会下载它。",
            f"{entry.name} has no weights to train on (config.json, tokenizer.json, safetensors). Name "
            "the folder of the same model with weights: in the recipe; dazi model add OWNER/NAME --for "
            "server downloads it.",
        )
    return folder


def train(bench: Bench, recipe: Recipe, run: Run, seen: Seen) -> Tuned | None:
    """Train to the end and put the adapter on the shelf; ``None`` when it was stopped."""
    trainer = Trainer(python_of(bench.settings.tune_python))
    versions = trainer.check()
    status = trainer.train(run.folder, recipe, seen)
    if status == STOPPED:
        return None
    if status or not (run.folder / "adapter").is_dir():
        raise failed(run.folder)
    tuned = bench.registry.add(run.folder / "adapter", _card(bench, recipe, run, versions))
    if recipe.method not in SOFT:
        bench.catalog.add_adapter(tuned.folder, recipe.base, name=tuned.card.title)
    return tuned


def _card(bench: Bench, recipe: Recipe, run: Run, versions: dict[str, str]) -> AdapterCard:
    kept = json.loads((run.folder / RECIPE).read_text(encoding="utf-8"))
    told = events(run.folder)
    last = next((e for e in reversed(told) if e["event"] == "done"), {})
    begun = next((e for e in reversed(told) if e["event"] == "begun"), {})
    entry = bench.catalog.get(recipe.base)
    return AdapterCard(
        name=recipe.name,
        version=run.version,
        base=recipe.base,
        base_version=read_profile(Path(entry.location)).version,
        method=recipe.method,
        made=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        dazi=dazi.__version__,
        datasets=tuple({"name": n, "version": v, "sha256": s} for n, v, s in kept["origins"]),
        recipe=_without_places(recipe),
        loss=last.get("best"),
        trained={
            "steps": last.get("step"),
            "seconds": last.get("seconds"),
            "samples": begun.get("samples"),
            "learnt": begun.get("learnt"),
            "versions": versions,
        },
        replies=tuple(kept["replies"]),
    )


def _without_places(recipe: Recipe) -> dict[str, Any]:
    """Files by their names: where they lie on this machine is nobody's concern."""

    def short(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: short(v) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [short(v) for v in value]
        return value.name if isinstance(value, Path) else value

    found: dict[str, Any] = short(recipe.model_dump())
    return found


async def gated(bench: Bench, recipe: Recipe, tuned: Tuned, language: Language) -> Tuned:
    """Evaluate what the recipe names, and keep what it says with the adapter and, where it was trained
    on one dataset, with that: how much its samples bring."""
    before = bench.catalog.get(recipe.base)
    after = bench.catalog.get(tuned.card.title)
    verdict = await evaluate(bench.settings, before, after, recipe.gate, language)
    for point in gain_points(bench.data, tuned.card, verdict.better):
        gain.add(bench.data, tuned.card.datasets[0]["name"], point)
    latest = next((r.runs[1] for r in (*verdict.better, *verdict.same)), None)
    return bench.registry.evaluated(tuned, latest, verdict.plain())


def gain_points(data: Path, card: AdapterCard, rows: Sequence[Paired]) -> Iterator[gain.Point]:
    """What evaluations of an adapter say about the dataset that it alone was trained on."""
    if len(card.datasets) != 1:
        return
    origin = card.datasets[0]
    folder = place(data, origin["name"], origin["version"])
    whole = read_manifest(folder).splits.get("train", 0)
    used = min(card.recipe.get("samples") or whole, whole)
    for row in rows:
        low, high = wilson(round(row.after * row.n), row.n)
        yield gain.Point(origin["version"], used, row.name, row.after, low, high, row.runs[1])


def deploy(bench: Bench, wanted: str, *, anyway: bool = False) -> Tuned:
    """Use an adapter from now on. Raises ``CallerError`` for one that failed its evaluation, was trained on
    withdrawn data or cannot be served here, unless ``anyway``."""
    tuned = bench.registry.get(wanted)
    card = tuned.card
    if card.method in SOFT:
        raise CallerError(
            "adapter_soft",
            f"{card.title} 是 {card.method},内置引擎只能加 LoRA;用 transformers 加 PEFT 起服务。",
            f"{card.title} is {card.method}, and the built-in engine takes LoRA only; serve it with "
            "transformers and PEFT.",
        )
    if card.passed is False and not anyway:
        why = "; ".join(card.gate.get("why", ()))
        raise CallerError(
            "adapter_failed",
            f"{card.title} 没有通过评测({why})。确实要用,加 --anyway。",
            f"{card.title} did not pass its evaluation ({why}). To use it all the same, add --anyway.",
        )
    if card.erased and not anyway:
        named = ", ".join(e.title for e in card.erased)
        raise CallerError(
            "adapter_erased",
            f"{card.title} 是用后来撤回的数据训练的({named})。请用新数据重训;确实要用,加 --anyway。",
            f"{card.title} was trained on data that has been withdrawn ({named}). Train it again on new "
            "data; to use it all the same, add --anyway.",
        )
    active = bench.catalog.active()
    _known(bench, tuned)
    history = bench.registry.deployed()
    bench.catalog.use(card.title)
    if active is not None and active.name != card.title:
        bench.registry.note([*history, active.name])
    return tuned


def rollback(bench: Bench) -> str:
    """What was in use before the last deployment is in use again: its name."""
    history = bench.registry.deployed()
    if not history:
        raise CallerError(
            "nothing_deployed", "没有可以退回的部署。", "There is no deployment to take back."
        )
    name = history[-1]
    if "@" in name:
        _known(bench, bench.registry.get(name))
    bench.catalog.use(name)
    bench.registry.note(history[:-1])
    return name


def _known(bench: Bench, tuned: Tuned) -> None:
    """In the list of models, even where somebody took it out of there."""
    try:
        bench.catalog.get(tuned.card.title)
    except NotFound:
        bench.catalog.add_adapter(tuned.folder, tuned.card.base, name=tuned.card.title)


def _goes_on(folder: Path) -> dict[str, Any] | None:
    path = folder / RECIPE
    if not path.is_file():
        return None
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _cleared(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
