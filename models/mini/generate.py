"""Endless training conversations for the bundled model.

Hand-written phrasings (``phrasings/``) are multiplied by openers, closers, slots from large random
pools, shuffled and varying tool lists, and results that pass through the product's own code.

    python models/mini/generate.py --show 5       # print a few
    python models/mini/generate.py --check        # name phrasings that cannot be used, and why
    python models/mini/generate.py --export 500 --seed 77   # samples in the format of `dazi tune`
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).resolve().parents[2] / "src")]

from dialogues import followup, missing_request  # noqa: E402
from kinds import CHARTED, FOR_OTHERS, KINDS, UNFIT  # noqa: E402
from material import LANGUAGES, Material, Scope  # noqa: E402
from phrasing import BadPhrasing  # noqa: E402
from transcript import Segment, Transcript  # noqa: E402

from dazi.core.language import Language  # noqa: E402
from dazi.inference import template as t  # noqa: E402

__all__ = ["BOILERPLATE", "LANGUAGES", "UNFIT", "Maker", "conversations", "families"]

BOILERPLATE: list[str] = list(t.BOILERPLATE)
OTHERS_SHARE = 0.1
"""Share of families about other companies' tools."""


class Maker(Material):
    """Makes conversations from one stream of randomness."""

    def __init__(self, seed: int, worker: int = 0) -> None:
        super().__init__(seed, worker)
        self.problems: Counter[str] = Counter()
        self.kind = ""
        """Of the last conversation."""
        self.roles = frozenset().union(*(t.roles for t in self.tools.values()))

    def language(self) -> Language:
        return "zh" if self.rng.random() < 0.48 else "en"

    def document(self) -> list[Segment]:
        """A whole conversation, about the tools of the family if one is being made."""
        while True:
            if self.scope and set(self.names) <= set(self.others):
                kind = self.rng.choice(FOR_OTHERS)
            else:
                weights = [weight for _, weight in KINDS.values()]
                kind = self.rng.choices(list(KINDS), weights)[0]
            language = self.scope.language if self.scope else self.language()
            # With a given tool list most phrasings of a rare kind do not fit: try for a while, or
            # those kinds would hardly occur.
            for _ in range(40 if self.scope else 4):
                try:
                    made = KINDS[kind][0](self, language)
                    self.kind = kind
                    return made
                except BadPhrasing as e:
                    self.problems[str(e)] += 1

    def family(self, branches: int) -> tuple[str, list[list[Segment]]]:
        """One system turn with its tools, and several independent conversations that follow it.

        A trainer that lets every branch see only the system turn and itself reads the tools once
        instead of once a conversation, which saves more than half of all tokens.
        """
        language = self.language()
        self.scope = None
        tools = self._tools(language)
        start = Transcript(self, language, tools)
        prefix = start.segments[0][0].removesuffix("\n")
        self.scope = Scope(tuple(tools), language, start.names, start.parameters)
        try:
            return prefix, [_branch(self.document()) for _ in range(branches)]
        finally:
            self.scope = None

    def _tools(self, language: Language) -> list[Any]:
        """A family's tools: what the product would choose, a random handful, or another company's."""
        roll = self.rng.random()
        if self.others and roll < OTHERS_SHARE:
            return self.offered([self.rng.choice(sorted(self.others))])
        if roll < 0.22:  # a chart is asked for only where it is offered
            return self.offered(["generate_comparison_chart", self.rng.choice(CHARTED)])
        if roll < 0.4:  # what is offered with a message that no tool is for
            names = self.rng.choice(self.near(language)[1])
            return [self.tools[n] for n in names]
        name = self.pick([n for n in self.tools if n != "generate_comparison_chart"])
        if roll < 0.8:
            try:
                return self.chosen(name, language)
            except BadPhrasing as e:
                self.problems[str(e)] += 1
        return self.offered([name])


def _branch(segments: list[Segment]) -> list[Segment]:
    """A conversation without its system turn, beginning with the line break after that."""
    rest = [("\n", 0.0), *segments[1:]]
    return rest[:-1] if rest[-1][0] == "\n" else rest


def families(
    seed: int, worker: int = 0, branches: int = 6
) -> Iterator[tuple[str, list[list[Segment]]]]:
    """An endless stream of shared system turns with the conversations that follow each."""
    maker = Maker(seed, worker)
    while True:
        yield maker.family(branches)


def conversations(seed: int, worker: int = 0) -> Iterator[str]:
    """An endless stream of whole conversations, each with a system turn of its own."""
    for prefix, (branch,) in families(seed, worker, branches=1):
        yield prefix + "".join(text for text, _ in branch)


def samples(seed: int, worker: int = 0, branches: int = 12) -> Iterator[dict[str, Any]]:
    """An endless stream of conversations about the demo company's tools as samples of a dataset for
    tuning (`docs/en/tuning.md`); as many as ``branches`` follow each other with one list of tools."""
    maker = Maker(seed, worker)
    for number in itertools.count():
        language = maker.language()
        maker.scope = None
        tools = maker._tools(language)
        start = Transcript(maker, language, tools)
        renamed = any(name != alias for name, alias in start.names.items())
        if renamed or start.parameters or not set(start.names) <= set(maker.tools):
            continue
        maker.scope = Scope(tuple(tools), language, start.names, start.parameters)
        for branch in range(branches):
            maker.document()
            yield _sample(maker, f"mini-{seed}-{number}-{branch}")


def _sample(maker: Maker, name: str) -> dict[str, Any]:
    """The conversation that was just made."""
    script = maker.script
    assert script is not None
    called = [c["name"] for m in script.messages for c in m.get("tool_calls", ())]
    may = [r for r in sorted(maker.roles) if all(r in maker.tools[n].roles for n in called)]
    return {
        "id": name,
        "conversation": name,
        "kind": "call" if called else "chat",
        "language": script.language,
        "messages": script.messages,
        "tools": [x.name for x in script.tools],
        "role": maker.rng.choice(may) if may else "",
        "today": script.today.isoformat(),
        "source": {
            "kind": "phrasings",
            "ref": maker.kind,
            "licence": "Apache-2.0",
            "consent": "own",
        },
    }


TRIES = 6
"""Fillings of each line that a check looks at: values are random, and some do not fit every line."""


def unusable(maker: Maker) -> Iterator[str]:
    """Goes over every written line and says what is wrong with those that cannot be used, once a try."""
    for language in LANGUAGES:
        files = maker.files[language]
        work: list[tuple[Callable[..., Any], Any, list[str]]] = [
            *((_request, name, lines) for name, lines in files["requests"].items()),
            *((_missing, name, lines) for name, lines in files["missing"].items()),
            (lambda maker, _, language, line: maker.two(language, line), None, files["two_calls"]),
            (
                lambda maker, _, language, line: followup(maker, language, line),
                None,
                files["followups"],
            ),
        ]
        for make, name, lines in work:
            for line in lines * TRIES:
                try:
                    make(maker, name, language, line)
                except BadPhrasing as e:
                    yield str(e)


def _request(maker: Maker, name: str, language: Language, line: str) -> None:
    maker.request(name, language, line)


def _missing(maker: Maker, name: str, language: Language, line: str) -> None:
    missing_request(maker, language, (name, line))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--show", type=int, default=0, metavar="N", help="print N conversations")
    parser.add_argument("--export", type=int, default=0, metavar="N", help="N samples for tuning")
    parser.add_argument("--check", action="store_true", help="list phrasings that cannot be used")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for text in itertools.islice(conversations(options.seed), options.show):
        print(text, end="\n---\n")
    for sample in itertools.islice(samples(options.seed), options.export):
        print(json.dumps(sample, ensure_ascii=False))
    if options.check:
        problems = Counter(unusable(Maker(options.seed)))
        for problem, count in problems.most_common():
            print(count, problem)
        print(f"{len(problems)} kinds of problems")


if __name__ == "__main__":
    main()
