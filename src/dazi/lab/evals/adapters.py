"""Public function-calling data as cases: BFCL v4 and ACEBench, single decisions only.

Each case brings its own functions and the company's are not offered. The grading is ours, after
the rules that the data's authors describe: text without regard to case and punctuation, lists in
their order, one of several values where several are listed. Figures are for comparing models here;
they are not those of the official leaderboards.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dazi.core.engine import OfferedTool
from dazi.core.errors import CallerError
from dazi.core.language import Text
from dazi.core.messages import Message
from dazi.lab.evals.cases import Case, CaseTurn, Earlier, ExpectedCall
from dazi.lab.evals.reading import CaseFile, Problem, read_cases

_TYPES = {
    "dict": "object",
    "float": "number",
    "tuple": "array",
    "list": "array",
    "any": None,
}
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]")
_SPEAKER = re.compile(r"^\s*(user|system)\s*:", re.MULTILINE)
_BFCL = re.compile(r"(live_)?(simple(_python)?|multiple|parallel(_multiple)?|irrelevance)$")
_ACEBENCH = re.compile(r"(normal_.+|special_(incomplete|error_param|irrelevant))$")
_SILENT = ("irrelevance", "special_")
"""Kinds in which no call is right."""

Line = Mapping[str, Any]
Answer = list[list[ExpectedCall]]


def read_bfcl(path: Path) -> CaseFile:
    """``BFCL_v4_*.json``, with its answers in ``possible_answer/`` beside it. Java and JavaScript,
    relevance and multi-turn files are not supported.

    Raises ``CallerError`` for those and for files that are not there.
    """

    def case(line: Line, answers: Mapping[str, Any], where: str) -> Case:
        names = _names(line["function"])
        *before, last = line["question"][0]
        return Case(
            line["id"],
            "",
            None,
            (
                _turn(
                    last["content"], [[_bfcl_call(c, names) for c in answers.get(line["id"], [])]]
                ),
            ),
            history=tuple(
                Earlier(Message(m["role"], m["content"])) for m in before if m["role"] != "system"
            ),
            instructions="\n\n".join(m["content"] for m in before if m["role"] == "system"),
            tools=_tools(line["function"]),
            source=where,
        )

    return _read(path, _BFCL, path.stem.removeprefix("BFCL_v4_"), case)


def read_acebench(path: Path) -> CaseFile:
    """``data_normal_*.json`` and ``data_special_*.json``, with ``possible_answer/`` beside it.

    In the special files nothing may be called: something is missing, wrong, or impossible. What
    the reply says about it is not judged. Raises ``CallerError`` as ``read_bfcl`` does.
    """

    def case(line: Line, answers: Mapping[str, Any], where: str) -> Case:
        names = _names(line["function"])
        *before, last = _spoken(line["question"])
        known = [line.get("time", ""), line.get("profile", "")]
        truth = answers.get(line["id"], {})
        accepted = [
            [_ace_call(name, arguments, names) for name, arguments in option.items()]
            for option in (truth if isinstance(truth, list) else [truth])
        ]
        return Case(
            line["id"],
            "",
            None,
            (_turn(last.content, accepted),),
            history=tuple(Earlier(m) for m in before),
            instructions="\n\n".join(k for k in known if k),
            tools=_tools(line["function"]),
            source=where,
        )

    return _read(path, _ACEBENCH, path.stem.removeprefix("data_"), case)


FORMATS: Mapping[str, Callable[[Path], CaseFile]] = {
    "dazi": read_cases,
    "bfcl": read_bfcl,
    "acebench": read_acebench,
}


def _read(
    path: Path,
    supported: re.Pattern[str],
    kind: str,
    case: Callable[[Line, Mapping[str, Any], str], Case],
) -> CaseFile:
    if not supported.match(kind):
        raise CallerError(
            "no_cases",
            f"不支持 {path.name} 这类数据",
            f"files of the kind of {path.name} are not supported",
        )
    silent = any(mark in kind for mark in _SILENT)
    beside = path.parent / "possible_answer" / path.name
    answers = {} if silent else {a["id"]: a["ground_truth"] for _, a in _lines(beside)}
    cases: list[Case] = []
    problems: list[Problem] = []
    for number, line in _lines(path):
        where = f"{path}:{number}"
        try:
            if not silent and line["id"] not in answers:
                raise KeyError(f"possible_answer of {line['id']}")
            cases.append(case(line, answers, where))
        except (KeyError, TypeError, ValueError, AttributeError) as e:
            text = Text(f"不合格式:{e!r}", f"not of this format: {e!r}")
            problems.append(Problem(where, text, True))
    return CaseFile(tuple(cases), tuple(problems))


def _lines(path: Path) -> Iterator[tuple[int, Any]]:
    try:
        for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
            if line.strip():
                yield number, json.loads(line)
    except (OSError, ValueError) as e:
        raise CallerError("no_cases", f"读不了 {path}:{e}", f"cannot read {path}: {e}") from None


def _turn(said: str, accepted: Answer) -> CaseTurn:
    return CaseTurn(said, tuple(tuple(calls) for calls in accepted) or ((),))


def _spoken(question: str) -> list[Message]:
    """ACEBench writes a conversation as one text; its ``system`` is the assistant."""
    parts = _SPEAKER.split(question)
    said = zip(parts[1::2], parts[2::2], strict=True)
    return [Message("user" if who == "user" else "assistant", text.strip()) for who, text in said]


def _names(functions: Sequence[Line]) -> set[str]:
    return {_name(f["name"]) for f in functions}


def _name(name: str) -> str:
    """Servers take no dots in a function's name."""
    return _NOT_IN_NAMES.sub("_", name)[:64]


def _tools(functions: Sequence[Line]) -> tuple[OfferedTool, ...]:
    return tuple(
        OfferedTool(
            _name(f["name"]),
            f.get("description", ""),
            _schema(f.get("parameters") or f.get("arguments") or {"type": "object"}),
        )
        for f in functions
    )


def _schema(schema: Any) -> Any:
    """JSON Schema with its standard names of types."""
    if isinstance(schema, list):
        return [_schema(s) for s in schema]
    if not isinstance(schema, Mapping):
        return schema
    out = {k: _schema(v) for k, v in schema.items()}
    kind = out.get("type")
    if isinstance(kind, str) and kind in _TYPES:
        standard = _TYPES[kind]
        out |= {"type": standard} if standard else {}
        if standard is None:
            del out["type"]
    return out


def _bfcl_call(call: Line, names: set[str]) -> ExpectedCall:
    ((name, arguments),) = call.items()
    return ExpectedCall(_known(_name(name), names), {k: _one_of(v) for k, v in arguments.items()})


def _ace_call(name: str, arguments: Line, names: set[str]) -> ExpectedCall:
    return ExpectedCall(_known(_name(name), names), {k: _same(v) for k, v in arguments.items()})


def _known(name: str, names: set[str]) -> str:
    """ACEBench numbers repeated calls: ``check_1``, ``check_2``."""
    bare = re.sub(r"_\d+$", "", name)
    found = name if name in names else bare
    if found not in names:
        raise KeyError(f"function {name}")
    return found


def _one_of(values: Any) -> Any:
    """BFCL lists the values that are right; an empty text among them: it may be left out."""
    if not isinstance(values, list):
        return _same(values, _one_of)
    options = {"any_of": [_same(v, _one_of) for v in values if v not in ("", None)]}
    return {"opt": options} if "" in values or None in values else options


def _same(value: Any, inside: Callable[[Any], Any] | None = None) -> Any:
    """``inside`` converts the values of an object; as they are without one."""
    if isinstance(value, str):
        return {"like": value}
    if isinstance(value, list):
        return {"in_order": [_same(v, inside) for v in value]}
    if isinstance(value, Mapping):
        return {k: (inside or _same)(v) for k, v in value.items()}
    return value
