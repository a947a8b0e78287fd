"""``general``: general knowledge and arithmetic, in the files' published formats, from whatever of them
the user has: GSM8K (``gsm8k/test.jsonl``), MMLU (``mmlu/test/*_test.csv``), C-Eval
(``ceval/val/*_val.csv``), CMMLU (``cmmlu/test/*.csv``).

The model is asked alone: no company, no tools. Questions are asked without examples before them and the
answer is read from what it says, so figures compare models here and are not those of published tables.
"""

from __future__ import annotations

import csv
import json
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dazi.core.engine import Done, GenerateRequest, ReasoningDelta, Sampling, TextDelta, Usage
from dazi.core.errors import CallerError, DaziError
from dazi.core.language import Language, Text
from dazi.core.messages import Message
from dazi.lab.evals.suite import Bench, Item, Loaded, Outcome, Source, data_of

LETTERS = "ABCD"
NUMBER_TOKENS, LETTER_TOKENS, THINKING_TOKENS = 400, 32, 4_096
SOLVE = Text(
    "{q}\n\n请逐步计算,最后一行写“答案:”和一个数。",
    "{q}\n\nWork it out step by step. End with a line “Answer:” and one number.",
)
CHOOSE = Text(
    "{q}\n{options}\n\n只回答正确选项的字母。",
    "{q}\n{options}\n\nAnswer with the letter of the right option only.",
)
_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")
_MARKED = re.compile(r"(?:answer|答案|####)\D{0,12}?(-?\d[\d,]*(?:\.\d+)?)", re.IGNORECASE)
_LETTER_SAID = re.compile(r"(?:[Aa]nswer|ANSWER|答案|选)[^A-Da-d]{0,8}([A-D])(?![A-Za-z])")
_LETTER = re.compile(r"(?<![A-Za-z])([A-D])(?![A-Za-z])")


@dataclass(frozen=True, slots=True)
class Question:
    """``kind``: is a number or a letter the answer?"""

    text: str
    answer: str
    kind: str
    language: Language


class General:
    name = "general"
    about = Text(
        "通用能力:GSM8K、MMLU、C-Eval、CMMLU,有哪些数据就评哪些",
        "general ability: GSM8K, MMLU, C-Eval, CMMLU, whichever data there is",
    )
    shared = True

    def load(self, source: Source) -> Loaded:
        if source.given is None or not source.given.is_dir():
            source.public("gsm8k")  # says what is missing
        root = source.given or Path()
        items: list[Item] = []
        parts: list[Path] = []
        names: list[str] = []
        for name, reader in READERS.items():
            folder = root if root.name == name else root / name
            found = reader(folder) if folder.is_dir() else ([], [])
            if found[0]:
                names.append(name)
                parts += found[1]
                items += found[0]
        if not items:
            known = ", ".join(READERS)
            raise CallerError(
                "no_data",
                f"{root} 里没有 {known} 中的任何一种",
                f"there is none of {known} in {root}",
            )
        return Loaded(tuple(items), data_of("+".join(names), parts))

    async def ask(self, item: Item, bench: Bench) -> Outcome:
        question: Question = item.asked
        tokens = NUMBER_TOKENS if question.kind == "number" else LETTER_TOKENS
        request = GenerateRequest(
            (Message("user", question.text),),
            sampling=Sampling(THINKING_TOKENS if bench.thinking else tokens),
            thinking=bench.thinking,
        )
        said, thought, error, usage = "", "", "", Usage()
        began = time.perf_counter()
        try:
            async for event in bench.engine.generate(request):
                if isinstance(event, TextDelta):
                    said += event.text
                elif isinstance(event, ReasoningDelta):
                    thought += event.text
                elif isinstance(event, Done):
                    usage = event.usage
        except DaziError as e:  # no answer is a wrong one: accuracy is of all that were asked
            said, error = "", e.message("en")
        ms = (time.perf_counter() - began) * 1000
        got = number_of(said) if question.kind == "number" else letter_of(said)
        right = _same(got, question.answer)
        trace = {"said": question.text, "reply": said, "read": got, "expected": question.answer}
        if thought:
            trace["thought"] = thought
        why = () if right else (error or f"{got or '-'} ≠ {question.answer}",)
        return Outcome(
            {"accuracy": float(right), "answered": float(bool(got))},
            right,
            why,
            usage,
            ms,
            error,
            trace,
        )


def number_of(reply: str) -> str:
    """The number after the last “Answer:”, else the last one that is said."""
    marked = _MARKED.findall(reply)
    found = marked or _NUMBER.findall(reply)
    return found[-1].replace(",", "") if found else ""


def letter_of(reply: str) -> str:
    said = _LETTER_SAID.findall(reply)
    if said:
        return str(said[-1])
    found = _LETTER.search(reply)
    return found[1] if found else ""


def _same(got: str, answer: str) -> bool:
    try:
        return float(got) == float(answer)
    except ValueError:
        return got == answer


def read_gsm8k(folder: Path) -> tuple[list[Item], list[Path]]:
    path = folder / "test.jsonl"
    if not path.is_file():
        return [], []
    items = []
    for number, line in enumerate(path.read_text("utf-8").strip().split("\n")):
        data = _json(line, path, number)
        answer = data["answer"].rpartition("####")[2].strip().replace(",", "")
        asked = Question(SOLVE.en.format(q=data["question"]), answer, "number", "en")
        items.append(Item(f"gsm8k:{number}", "gsm8k", "en", asked))
    return items, [path]


def _json(line: str, path: Path, number: int) -> dict[str, str]:
    try:
        data: dict[str, str] = json.loads(line)
    except ValueError as e:
        where = f"{path}:{number + 1}"
        raise CallerError("general", f"{where}:{e}", f"{where}: {e}") from None
    return data


def read_mmlu(folder: Path) -> tuple[list[Item], list[Path]]:
    """Rows without a heading: question, four options, letter (Hendrycks et al. 2021)."""
    paths = sorted(folder.glob("test/*_test.csv"))
    rows = [(p, n, row) for p in paths for n, row in enumerate(_rows(p))]
    items = [
        _chosen("mmlu", p.stem.removesuffix("_test"), n, row[0], row[1:5], row[5], "en")
        for p, n, row in rows
        if len(row) >= 6
    ]
    return items, paths


def read_ceval(folder: Path) -> tuple[list[Item], list[Path]]:
    """A heading, then id, question, four options, letter (Huang et al. 2023). The test files have no
    answers; these are the validation files."""
    paths = sorted(folder.glob("val/*_val.csv"))
    rows = [(p, n, row) for p in paths for n, row in enumerate(_named_rows(p))]
    items = [
        _chosen(
            "ceval",
            p.stem.removesuffix("_val"),
            n,
            row["question"],
            [row[x] for x in LETTERS],
            row["answer"],
            "zh",
        )
        for p, n, row in rows
        if row.get("answer")
    ]
    return items, paths


def read_cmmlu(folder: Path) -> tuple[list[Item], list[Path]]:
    """A heading, then number, Question, four options, Answer (Li et al. 2023)."""
    paths = sorted(folder.glob("test/*.csv"))
    rows = [(p, n, row) for p in paths for n, row in enumerate(_named_rows(p))]
    items = [
        _chosen("cmmlu", p.stem, n, row["Question"], [row[x] for x in LETTERS], row["Answer"], "zh")
        for p, n, row in rows
        if row.get("Answer")
    ]
    return items, paths


READERS = {
    "gsm8k": read_gsm8k,
    "mmlu": read_mmlu,
    "ceval": read_ceval,
    "cmmlu": read_cmmlu,
}


def _chosen(
    name: str,
    subject: str,
    number: int,
    question: str,
    options: Sequence[str],
    answer: str,
    language: Language,
) -> Item:
    listed = "\n".join(f"{x}. {o}" for x, o in zip(LETTERS, options, strict=True))
    text = CHOOSE(language).format(q=question, options=listed)
    asked = Question(text, answer.strip().upper(), "letter", language)
    return Item(f"{name}:{subject}:{number}", name, language, asked)


def _rows(path: Path) -> Iterator[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from csv.reader(file)


def _named_rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file)
