"""``bfcl``: the Berkeley Function Calling Leaderboard v4, single decisions, graded by its rules."""

from __future__ import annotations

from dazi.core.errors import CallerError
from dazi.core.language import Text
from dazi.core.messages import Message
from dazi.lab.evals.bfcl.grader import grade
from dazi.lab.evals.bfcl.reading import Line, files, read
from dazi.lab.evals.cases import Case, CaseTurn, Earlier
from dazi.lab.evals.runner import run_case
from dazi.lab.evals.suite import Bench, Item, Loaded, Outcome, Source, data_of
from dazi.lab.evals.suites.turned import error_of, ms_of, turn_of, usage_of

NOT_GRADED = Text(
    "multi_turn_* 由 bfcl-turns 评;不评 memory、web_search、format_sensitivity。数字用来比较这里的模型,"
    "不是排行榜的成绩。",
    "multi_turn_* are graded by bfcl-turns; memory, web_search, format_sensitivity are not. Figures compare "
    "models here; they are not the leaderboard's.",
)


class Bfcl:
    """Each case offers its own functions; what is called is never run. Java and JavaScript arguments are
    asked for as texts, as the data's authors do."""

    name = "bfcl"
    about = Text(
        "BFCL v4:单轮的 13 类,按官方规则判",
        "BFCL v4: 13 categories of single decisions, graded by its published rules",
    )
    shared = True

    def load(self, source: Source) -> Loaded:
        folder = source.public(self.name)
        found = files(folder)
        if not found:
            raise CallerError(
                "no_data",
                f"{folder} 里没有 BFCL_v4_*.json",
                f"there is no BFCL_v4_*.json in {folder}",
            )
        items = [
            Item(line.id, category, "en", line)
            for category, path in found.items()
            for line in read(category, path)
        ]
        answers = [folder / "possible_answer" / p.name for p in found.values()]
        parts = [*found.values(), *(p for p in answers if p.is_file())]
        # An answer has the name of its questions' file: the digest tells the two by their order.
        data = data_of("BFCL v4", parts, "Apache-2.0")
        return Loaded(tuple(items), data, (NOT_GRADED,))

    async def ask(self, item: Item, bench: Bench) -> Outcome:
        line: Line = item.asked
        result = await run_case(await bench.still(), _case(line))
        (seen,) = result.turns
        made = [c for c in seen.calls if c.round == 1]
        output = [{c.name: dict(c.arguments)} for c in made]
        wrong = grade(line.category, line.functions, line.answers, output)
        names = [next(iter(a)) for a in line.answers]
        scores: dict[str, float | None] = {
            "ast": float(not wrong and not seen.error),
            "name_accuracy": (
                float(sorted(names) == sorted(c.name for c in made)) if names else None
            ),
            "schema_valid": sum(c.valid for c in made) / len(made) if made else None,
        }
        error = error_of(result.turns)
        return Outcome(
            scores,
            not wrong and not error,
            tuple(w for w in (wrong, error) if w),
            usage_of(result.turns),
            ms_of(result.turns),
            error,
            {**turn_of(line.said, seen), "accepted": list(line.answers)},
        )


def _case(line: Line) -> Case:
    return Case(
        line.id,
        "",
        None,
        (CaseTurn(line.said, ((),)),),
        history=tuple(
            Earlier(Message("assistant" if role == "assistant" else "user", text))
            for role, text in line.before
        ),
        instructions=line.system,
        tools=line.tools,
    )
