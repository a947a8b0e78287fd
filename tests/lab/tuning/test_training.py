"""The trainer itself, on the bundled model: `make test-tune`, with an environment that has the extra."""

from __future__ import annotations

import json
import math
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from dazi.core.engine import GenerateRequest, Sampling
from dazi.core.errors import OperatorError
from dazi.core.messages import Message
from dazi.inference.adapters import adapter_file
from dazi.inference.catalog import BUNDLED, open_engine
from dazi.inference.embedded import EmbeddedEngine, EmbeddedOptions
from dazi.inference.steploop import Job
from dazi.lab.tuning.recipe import read_recipe
from dazi.lab.tuning.running import PACKAGE, STOPPED, Trainer, events, losses, stop
from dazi.lab.tuning.trainer.encoding import Encoded, Row
from dazi.lab.tuning.trainer.labels import likeliest
from dazi.lab.tuning.trainer.packing import steps
from dazi.main.settings import Settings, demo_folder
from dazi.main.tuning import Bench, deploy, prepared_run, rollback, train

PYTHON = os.environ.get("DAZI_TUNE_PYTHON", "")
needs_torch = pytest.mark.skipif(
    not PYTHON, reason="DAZI_TUNE_PYTHON names no environment with the tune extra: make test-tune"
)
ANSWERS = ("搭子会记下来。", "搭子明白了。")
"""Of its own accord the bundled model says neither."""


def bench_of(folder: Path, **recipe: object) -> tuple[Bench, Path]:
    """Requests that are all answered alike: what anything can learn in a few steps."""
    rng = random.Random(1)
    rows = []
    for i in range(24):
        said = f"请记住 {rng.choice('甲乙丙丁')}{i} 号柜子"
        answer = {"role": "assistant", "content": ANSWERS[0]}
        rows.append({"id": f"{i}", "messages": [{"role": "user", "content": said}, answer]})
    text = "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows)
    (folder / "train.jsonl").write_text(text)
    (folder / "replies.json").write_text(json.dumps([["", "", ANSWERS[0]]]))
    whole = {
        "name": "notes",
        "data": {"train": ["train.jsonl"], "replies": "replies.json"},
        "epochs": 6,
        "batch": 8,
        "rate": 0.005,
        "validations": 2,
        **recipe,
    }
    path = folder / "recipe.yaml"
    path.write_text(json.dumps(whole))
    settings = Settings(company=demo_folder(), data=folder / "data", tune_python=PYTHON)
    return Bench.of(settings), path


def test_steps_hold_every_sample_once_an_epoch_and_are_the_same_again() -> None:
    rng = random.Random(0)
    samples = [
        Encoded(str(i), (1, 2, rng.choice((3, 4, 5))), Row([i] * rng.randrange(2, 9), [1.0] * 2))
        for i in range(50)
    ]
    made = steps(samples, 16, 2.0, seed=5)
    for part in (made[: len(made) // 2], made[len(made) // 2 :]):
        firsts = [row.ids[-1] for step in part for pack in step for row in pack.rows]
        assert sorted(firsts) == list(range(50))
    assert made == steps(samples, 16, 2.0, seed=5) != steps(samples, 16, 2.0, seed=6)
    assert len(steps(samples, 16, 0.5, seed=5)) <= len(made) / 3
    alone = steps(samples, 16, 1.0, seed=5, share=False)
    assert all(not pack.prefix for step in alone for pack in step)
    assert sum(p.tokens for s in made for p in s) < 2 * sum(p.tokens for s in alone for p in s)


def test_without_the_extra_it_says_what_to_install() -> None:
    if subprocess.run([sys.executable, "-c", "import torch"], capture_output=True).returncode == 0:
        pytest.skip("this environment has torch")
    with pytest.raises(OperatorError) as refused:
        Trainer(sys.executable).check()
    assert "torch" in refused.value.message("en") and "DAZI_TUNE_PYTHON" in refused.value.message(
        "zh"
    )


@needs_torch
async def test_an_adapter_is_trained_registered_changes_the_engine_and_is_rolled_back(
    tmp_path: Path,
) -> None:
    bench, path = bench_of(tmp_path)
    recipe = read_recipe(path)
    seen: list[str] = []
    tuned = train(bench, recipe, prepared_run(bench, recipe), lambda e: seen.append(e["event"]))
    assert tuned is not None and tuned.card.title == "notes@1"
    assert {"begun", "step", "validation", "done"} <= set(seen)
    curve = losses(events(bench.data / "tuning" / "notes-1"))
    assert curve[max(curve)] < 0.3 * curve[1]
    told = json.loads((tuned.folder / "adapter.json").read_text())
    assert told["replies"] == [["", "", ANSWERS[0]]] and told["loss"] < 1
    assert str(tmp_path) not in (tuned.folder / "adapter_config.json").read_text()

    question = "请记住 戊77 号柜子"
    before, plain = await _answer(bench, "dazi-mini", question)
    after, profile = await _answer(bench, "notes@1", question)
    assert after == ANSWERS[0] != before
    assert profile.name == "dazi-mini+notes@1"
    assert set(profile.replies) - set(plain.replies) == {("", "", ANSWERS[0])}

    deploy(bench, "notes")
    assert (active := bench.catalog.active()) and active.name == "notes@1"
    assert rollback(bench) == "dazi-mini"
    assert (active := bench.catalog.active()) and active.name == "dazi-mini"


async def _answer(bench: Bench, model: str, question: str):  # type: ignore[no-untyped-def]
    from dazi.prompt.system import system_text

    engine = open_engine(bench.catalog.get(model), embedded=EmbeddedOptions(cache_gb=1))
    try:
        system = system_text(
            "zh", bench.company.name, Settings().today or _today(), frozenset(), concise=True
        )
        request = GenerateRequest(
            (Message("system", system), Message("user", question)), sampling=Sampling(max_tokens=24)
        )
        texts = [e.text async for e in engine.generate(request) if hasattr(e, "text")]
        return "".join(texts), engine.profile
    finally:
        await engine.close()


def _today():  # type: ignore[no-untyped-def]
    from datetime import date

    return date(2025, 4, 3)


@needs_torch
def test_a_killed_run_goes_on_with_the_same_losses(tmp_path: Path) -> None:
    """Stopped after a few steps by a signal, then once more: the curve is that of a run at one go."""
    curves = []
    for name, stops in (("whole", 0), ("stopped", 1)):
        folder = tmp_path / name
        folder.mkdir()
        bench, path = bench_of(folder, epochs=8)
        recipe = read_recipe(path)
        run = prepared_run(bench, recipe)
        trainer = Trainer(PYTHON)
        for _ in range(stops):

            def seen(event, run=run):  # type: ignore[no-untyped-def]
                if event["event"] == "validation":
                    stop(run.folder)

            assert trainer.train(run.folder, recipe, seen) == STOPPED
            assert not prepared_run(bench, recipe).fresh
        assert trainer.train(run.folder, recipe, lambda _: None) == 0
        curves.append(losses(events(run.folder)))
    whole, again = curves
    assert whole.keys() == again.keys() and len(whole) > 10
    assert max(abs(whole[i] - again[i]) for i in whole) < 1e-4


@needs_torch
async def test_torch_and_the_engine_agree_on_the_adapted_model(tmp_path: Path) -> None:
    """Probabilities of the first token of an answer: float32 here, int8 weights and bfloat16 there at the most."""
    bench, path = bench_of(tmp_path)
    recipe = read_recipe(path)
    tuned = train(bench, recipe, prepared_run(bench, recipe), lambda _: None)
    assert tuned is not None
    run = bench.data / "tuning" / "notes-1"
    lines = [json.loads(x) for x in (run / "train.jsonl").read_text().splitlines()[:4]]
    prompts = [x["prefix"] + "".join(t for t, w in x["segments"] if not w) for x in lines]
    asked = tmp_path / "prompts.json"
    asked.write_text(json.dumps(prompts))
    script = (
        "import json, sys, torch\n"
        "from pathlib import Path\n"
        "from dazi.lab.tuning.trainer.models import load_adapter, load_base\n"
        "from dazi.lab.tuning.trainer.encoding import Encoder\n"
        "base, adapter, asked = map(Path, sys.argv[1:])\n"
        "model = load_base(base, {'where': 'cpu', 'method': 'lora'})\n"
        "model = load_adapter(model, adapter).eval()\n"
        "e = Encoder(base)\n"
        "for p in json.loads(asked.read_text()):\n"
        "    logits = model(input_ids=torch.tensor([e.ids(p)])).logits[0, -1].detach()\n"
        "    best = int(logits.argmax())\n"
        "    print(json.dumps([best, float(logits.softmax(-1)[best])]))\n"
    )
    theirs = _by_torch(script, BUNDLED, tuned.folder, asked)
    ours = await _first_tokens(tuned.folder, prompts, tmp_path)
    for (token, p), (same, log) in zip(theirs, ours, strict=True):
        assert token == same and abs(p - log) < 0.02


def _by_torch(script: str, *paths: Path) -> list[tuple[int, float]]:
    command = [PYTHON, "-c", script, *map(str, paths)]
    env = {**os.environ, "PYTHONPATH": str(PACKAGE)}
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


async def _first_tokens(adapter: Path, prompts: list[str], into: Path) -> list[tuple[int, float]]:
    """The likeliest first token of each prompt and its probability, from the engine."""
    engine = EmbeddedEngine(
        BUNDLED, EmbeddedOptions(cache_gb=1, cache_dir=into, adapter=adapter_file(adapter))
    )
    out = []
    try:
        for prompt in prompts:
            config = engine._config(Sampling(max_tokens=1), 1)
            config.logprobs = 1
            job = Job(engine._input(engine.vocabulary.encode(prompt)), config)
            engine._steps.add(job)
            step = await job.next()
            out.append((step.ids[0], math.exp(step.logs[0])))
    finally:
        engine.shut()
    return out


@pytest.mark.parametrize(
    ("scores", "said"),
    [((-1.0, -2.0), "诈骗"), ((-2.0, -1.0), "正常"), ((-1.0, -1.0), "正常"), ((math.nan,) * 2, "")],
)
def test_only_what_is_likelier_is_right(scores: tuple[float, float], said: str) -> None:
    assert likeliest(dict(zip(("诈骗", "正常"), scores, strict=True)), "诈骗") == said
