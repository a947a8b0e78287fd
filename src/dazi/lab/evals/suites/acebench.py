"""``acebench``: ACEBench's normal and special categories."""

from __future__ import annotations

from pathlib import Path

from dazi.core.errors import CallerError
from dazi.core.language import Text
from dazi.lab.evals.adapters import read_acebench
from dazi.lab.evals.runner import run_case
from dazi.lab.evals.suite import Bench, Item, Loaded, Outcome, Source, data_of
from dazi.lab.evals.suites.calls import outcome_of

NOT_GRADED = Text(
    "不评 agent_*:官方要模拟系统和扮演用户的模型。special 只看有没有调用,不评回答怎么说。",
    "Not graded: agent_* (they need simulated systems and a model that plays the user). Of special categories "
    "only whether nothing was called counts, not what the reply says about it.",
)


class AceBench:
    """The parameters' values are compared as texts without case, space and punctuation, as elsewhere
    here."""

    name = "acebench"
    about = Text(
        "ACEBench:normal 12 类、special 3 类,中英文",
        "ACEBench: 12 normal and 3 special categories, in Chinese and English",
    )
    shared = True

    def load(self, source: Source) -> Loaded:
        folder = source.public(self.name)
        paths = sorted(
            p
            for pattern in ("data_*.json", "data_*/data_*.json")
            for p in folder.glob(pattern)
            if "agent" not in p.stem
        )
        if not paths:
            raise CallerError(
                "no_data", f"{folder} 里没有 data_*.json", f"there is no data_*.json in {folder}"
            )
        items, notes = [], [NOT_GRADED]
        for path in paths:
            read = read_acebench(path)
            language = "zh" if path.parent.name.endswith("zh") else "en"
            notes += [Text(p.message("zh"), p.message("en")) for p in read.problems if p.skipped]
            group = path.stem.removeprefix("data_")
            # Ids are the same in both languages.
            items += [Item(f"{language}:{c.id}", group, language, c) for c in read.cases]
        return Loaded(tuple(items), data_of("ACEBench", _parts(paths), "MIT"), tuple(notes))

    async def ask(self, item: Item, bench: Bench) -> Outcome:
        return outcome_of(await run_case(await bench.still(), item.asked), frozenset())


def _parts(paths: list[Path]) -> list[Path]:
    beside = [p.parent / "possible_answer" / p.name for p in paths]
    return [*paths, *(p for p in beside if p.is_file())]
