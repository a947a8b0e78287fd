"""Outputs of models that were never asked: the right one of a line of BFCL, and what is wrong with it in one
way or another. The same seed makes the same outputs of the same data.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dazi.lab.evals.bfcl.grader import OMITTED, program_of
from dazi.lab.evals.bfcl.reading import Line

Call = dict[str, dict[str, Any]]
Output = list[Call]


@dataclass(frozen=True, slots=True)
class Made:
    """``kind``: what was done to the right output."""

    line: Line
    kind: str
    output: Output


def outputs(line: Line, seed: int) -> Iterator[Made]:
    """Every kind that can be done to this line."""
    right = [_first(a) for a in line.answers]
    for kind, change in CHANGES.items():
        dice = random.Random(f"{seed} {line.id} {kind}")
        made = change(copy.deepcopy(right), line, dice)
        if made is not None:
            yield Made(line, kind, _written(made, line))


# --- the right output ------------------------------------------------------------------------------


def _first(answer: Mapping[str, Any], at: int = 0) -> Call:
    """The values that stand ``at`` a place in what is accepted (the last ones with -1)."""
    ((name, arguments),) = answer.items()
    return {name: {k: v for k, o in arguments.items() if (v := _one(o, at)) is not OMITTED}}


def _one(options: Any, at: int = 0) -> Any:
    if not isinstance(options, list):
        return options
    given = [o for o in options if o != OMITTED]
    return _inside(given[at], at) if given else OMITTED


def _inside(value: Any, at: int) -> Any:
    """Members of objects are lists of what is accepted, in lists of objects too."""
    if isinstance(value, dict):
        return {k: v for k, o in value.items() if (v := _one(o, at)) is not OMITTED}
    if isinstance(value, list) and any(isinstance(v, dict) for v in value):
        return [_inside(v, at) for v in value]
    return value


# --- what is done to it ----------------------------------------------------------------------------

Change = Callable[[Output, Line, random.Random], Output | None]
CHANGES: dict[str, Change] = {}


def change(function: Change) -> Change:
    CHANGES[function.__name__] = function
    return function


def _spot(
    made: Output, dice: random.Random, fits: Callable[[Any], bool]
) -> tuple[dict[str, Any], str] | None:
    """The arguments and the name of one whose value fits."""
    spots = [(a, k) for call in made for a in call.values() for k, v in a.items() if fits(v)]
    return dice.choice(spots) if spots else None


def _valued(
    made: Output, dice: random.Random, fits: Callable[[Any], bool], new: Callable[[Any], Any]
) -> Output | None:
    """One value that fits replaced."""
    spot = _spot(made, dice, fits)
    if spot is None:
        return None
    arguments, name = spot
    arguments[name] = new(arguments[name])
    return made


def _is(*kinds: type) -> Callable[[Any], bool]:
    return lambda v: type(v) in kinds


def _text(v: Any) -> bool:
    return isinstance(v, str) and len(v) > 2


def _texts(v: Any) -> bool:
    return isinstance(v, list) and any(_text(x) for x in v)


@change
def right(made: Output, line: Line, dice: random.Random) -> Output | None:
    return made


@change
def other_values(made: Output, line: Line, dice: random.Random) -> Output | None:
    return [_first(a, -1) for a in line.answers]


@change
def optional_left_out(made: Output, line: Line, dice: random.Random) -> Output | None:
    for call, answer in zip(made, line.answers, strict=True):
        ((name, accepted),) = answer.items()
        for argument, values in accepted.items():
            if OMITTED in values:
                call[name].pop(argument, None)
    return made


@change
def one_optional_left_out(made: Output, line: Line, dice: random.Random) -> Output | None:
    spots = [
        (call[name], k)
        for call, answer in zip(made, line.answers, strict=True)
        for name, accepted in answer.items()
        for k, values in accepted.items()
        if OMITTED in values and k in call[name]
    ]
    if not spots:
        return None
    arguments, name = dice.choice(spots)
    del arguments[name]
    return made


@change
def argument_left_out(made: Output, line: Line, dice: random.Random) -> Output | None:
    spot = _spot(made, dice, lambda v: True)
    if spot is None:
        return None
    del spot[0][spot[1]]
    return made


@change
def unknown_argument(made: Output, line: Line, dice: random.Random) -> Output | None:
    next(iter(made[0].values()))["verbosity"] = "high"
    return made


@change
def declared_argument_that_no_answer_has(
    made: Output, line: Line, dice: random.Random
) -> Output | None:
    for call, answer in zip(made, line.answers, strict=True):
        ((name, accepted),) = answer.items()
        function = next(f for f in line.functions if f["name"] == name)
        unlisted = function["parameters"]["properties"].keys() - accepted.keys()
        if unlisted:
            call[name][min(unlisted)] = "x"
            return made
    return None


@change
def wrong_name(made: Output, line: Line, dice: random.Random) -> Output | None:
    ((name, arguments),) = made[-1].items()
    made[-1] = {f"{name}_v2": arguments}
    return made


@change
def another_function(made: Output, line: Line, dice: random.Random) -> Output | None:
    ((name, arguments),) = made[0].items()
    others = [f["name"] for f in line.functions if f["name"] != name]
    if not others:
        return None
    made[0] = {dice.choice(others): arguments}
    return made


@change
def name_in_capitals(made: Output, line: Line, dice: random.Random) -> Output | None:
    ((name, arguments),) = made[0].items()
    made[0] = {name.upper(): arguments}
    return made if name.upper() != name else None


@change
def no_call(made: Output, line: Line, dice: random.Random) -> Output | None:
    return []


@change
def called_twice(made: Output, line: Line, dice: random.Random) -> Output | None:
    return [*made, copy.deepcopy(made[0])]


@change
def one_call_left_out(made: Output, line: Line, dice: random.Random) -> Output | None:
    return made[:-1] if len(made) > 1 else None


@change
def calls_reversed(made: Output, line: Line, dice: random.Random) -> Output | None:
    return made[::-1] if len(made) > 1 else None


@change
def calls_shuffled(made: Output, line: Line, dice: random.Random) -> Output | None:
    dice.shuffle(made)
    return made if len(made) > 2 else None


@change
def one_call_instead_of_another(made: Output, line: Line, dice: random.Random) -> Output | None:
    return [*made[:-1], copy.deepcopy(made[0])] if len(made) > 1 else None


@change
def another_text(made: Output, line: Line, dice: random.Random) -> Output | None:
    return _valued(made, dice, _text, lambda v: f"{v} or so")


@change
def text_in_capitals(made: Output, line: Line, dice: random.Random) -> Output | None:
    return _valued(made, dice, _text, str.upper)


@change
def text_with_spaces(made: Output, line: Line, dice: random.Random) -> Output | None:
    return _valued(made, dice, _text, lambda v: f" {v[0]} {v[1:]}  ")


@change
def text_with_punctuation(made: Output, line: Line, dice: random.Random) -> Output | None:
    mark = dice.choice(",./-_*^")
    return _valued(made, dice, _text, lambda v: f"{v[:2]}{mark}{v[2:]}{mark}")


@change
def text_with_other_punctuation(made: Output, line: Line, dice: random.Random) -> Output | None:
    mark = dice.choice("!?;:()")
    return _valued(made, dice, _text, lambda v: f"{v}{mark}")


@change
def quotes_changed(made: Output, line: Line, dice: random.Random) -> Output | None:
    return _valued(
        made, dice, lambda v: isinstance(v, str) and "'" in v, lambda v: v.replace("'", '"')
    )


@change
def quoted(made: Output, line: Line, dice: random.Random) -> Output | None:
    return _valued(made, dice, _text, lambda v: f'"{v}"')


@change
def text_with_line_break(made: Output, line: Line, dice: random.Random) -> Output | None:
    return _valued(made, dice, _text, lambda v: f"{v}\n")


@change
def another_number(made: Output, line: Line, dice: random.Random) -> Output | None:
    return _valued(made, dice, _is(int, float), lambda v: v + 1)


@change
def number_as_text(made: Output, line: Line, dice: random.Random) -> Output | None:
    return _valued(made, dice, _is(int, float), str)


@change
def text_as_number(made: Output, line: Line, dice: random.Random) -> Output | None:
    return _valued(made, dice, _text, lambda v: 7)


@change
def whole_number_as_decimal(made: Output, line: Line, dice: random.Random) -> Output | None:
    return _valued(made, dice, _is(int), float)


@change
def decimal_as_whole_number(made: Output, line: Line, dice: random.Random) -> Output | None:
    return _valued(made, dice, lambda v: type(v) is float and v == int(v), int)


@change
def other_truth(made: Output, line: Line, dice: random.Random) -> Output | None:
    return _valued(made, dice, _is(bool), lambda v: not v)


@change
def truth_as_number(made: Output, line: Line, dice: random.Random) -> Output | None:
    return _valued(made, dice, _is(bool), int)


@change
def truth_as_text(made: Output, line: Line, dice: random.Random) -> Output | None:
    return _valued(made, dice, _is(bool), lambda v: str(v).lower())


@change
def number_as_truth(made: Output, line: Line, dice: random.Random) -> Output | None:
    return _valued(made, dice, lambda v: type(v) is int and v in (0, 1), bool)


@change
def nothing_given(made: Output, line: Line, dice: random.Random) -> Output | None:
    return _valued(made, dice, lambda v: True, lambda v: None)


@change
def empty_text(made: Output, line: Line, dice: random.Random) -> Output | None:
    return _valued(made, dice, _text, lambda v: "")


@change
def list_reversed(made: Output, line: Line, dice: random.Random) -> Output | None:
    return _valued(made, dice, lambda v: isinstance(v, list) and v != v[::-1], lambda v: v[::-1])


@change
def list_shorter(made: Output, line: Line, dice: random.Random) -> Output | None:
    return _valued(made, dice, lambda v: isinstance(v, list) and len(v) > 1, lambda v: v[:-1])


@change
def list_longer(made: Output, line: Line, dice: random.Random) -> Output | None:
    return _valued(made, dice, lambda v: isinstance(v, list) and bool(v), lambda v: [*v, v[0]])


@change
def list_emptied(made: Output, line: Line, dice: random.Random) -> Output | None:
    return _valued(made, dice, lambda v: isinstance(v, list) and bool(v), lambda v: [])


@change
def list_as_text(made: Output, line: Line, dice: random.Random) -> Output | None:
    return _valued(made, dice, lambda v: isinstance(v, list), str)


@change
def one_in_place_of_list(made: Output, line: Line, dice: random.Random) -> Output | None:
    return _valued(made, dice, lambda v: isinstance(v, list) and bool(v), lambda v: v[0])


@change
def texts_of_list_in_capitals(made: Output, line: Line, dice: random.Random) -> Output | None:
    return _valued(
        made,
        dice,
        _texts,
        lambda v: [f"{x.upper()} -" if isinstance(x, str) else x for x in v],
    )


@change
def text_of_list_changed(made: Output, line: Line, dice: random.Random) -> Output | None:
    return _valued(made, dice, _texts, lambda v: [f"{x}x" if isinstance(x, str) else x for x in v])


@change
def numbers_of_list_as_texts(made: Output, line: Line, dice: random.Random) -> Output | None:
    return _valued(
        made,
        dice,
        lambda v: isinstance(v, list) and any(type(x) in (int, float) for x in v),
        lambda v: [str(x) for x in v],
    )


@change
def numbers_of_list_as_decimals(made: Output, line: Line, dice: random.Random) -> Output | None:
    return _valued(
        made,
        dice,
        lambda v: isinstance(v, list) and any(type(x) is int for x in v),
        lambda v: [float(x) if type(x) is int else x for x in v],
    )


def _object(v: Any) -> bool:
    return isinstance(v, dict) and bool(v)


@change
def member_left_out(made: Output, line: Line, dice: random.Random) -> Output | None:
    return _valued(made, dice, _object, lambda v: dict(list(v.items())[:-1]))


@change
def member_too_many(made: Output, line: Line, dice: random.Random) -> Output | None:
    return _valued(made, dice, _object, lambda v: v | {"extra": 1})


@change
def member_changed(made: Output, line: Line, dice: random.Random) -> Output | None:
    return _valued(made, dice, _object, lambda v: dict.fromkeys(v, "something else"))


@change
def members_in_capitals(made: Output, line: Line, dice: random.Random) -> Output | None:
    return _valued(
        made,
        dice,
        lambda v: isinstance(v, dict) and any(_text(x) for x in v.values()),
        lambda v: {k: f"{x.upper()}," if isinstance(x, str) else x for k, x in v.items()},
    )


@change
def members_reordered(made: Output, line: Line, dice: random.Random) -> Output | None:
    return _valued(
        made,
        dice,
        lambda v: isinstance(v, dict) and len(v) > 1,
        lambda v: dict(reversed(list(v.items()))),
    )


@change
def object_as_text(made: Output, line: Line, dice: random.Random) -> Output | None:
    return _valued(made, dice, _object, str)


@change
def objects_of_list_reordered(made: Output, line: Line, dice: random.Random) -> Output | None:
    return _valued(
        made,
        dice,
        lambda v: isinstance(v, list) and len(v) > 1 and isinstance(v[0], dict),
        lambda v: v[::-1],
    )


# --- Java and JavaScript ---------------------------------------------------------------------------


def _written(made: Output, line: Line) -> Output:
    """Values of those languages as the texts that a model would write; a value whose type was changed on
    purpose is left, so that what is no text at all is among them."""
    program = program_of(line.category)
    if program == "python":
        return made
    out: Output = []
    for call in made:
        ((name, arguments),) = call.items()
        function = next((f for f in line.functions if f["name"] == name), line.functions[0])
        declared = function["parameters"]["properties"]
        out.append(
            {
                name: {
                    k: _literal(v, str(declared.get(k, {}).get("type", "any")), program)
                    for k, v in arguments.items()
                }
            }
        )
    return out


def _literal(value: Any, kind: str, program: str) -> Any:
    if isinstance(value, str) or value is None:
        return value
    return _java(value, kind) if program == "java" else _script(value, kind)


def _java(value: Any, kind: str) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        listed = ", ".join(_java_item(v) for v in value)
        if kind == "ArrayList":
            return f"new ArrayList<>(Arrays.asList({listed}))"
        return f"new Object[]{{{listed}}}"
    if isinstance(value, dict):
        puts = " ".join(f'put("{k}", {_java_item(v)});' for k, v in value.items())
        return f"new HashMap<String, Object>() {{{{ {puts} }}}}"
    return f"{value}{ {'long': 'L', 'float': 'f'}.get(kind, '') }"


def _java_item(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else _java(value, "any")


def _script(value: Any, kind: str) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(_script_item(v) for v in value)}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{k}": {_script_item(v)}' for k, v in value.items()) + "}"
    return f"{value}{'n' if kind == 'Bigint' else ''}"


def _script_item(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else _script(value, "any")


def sampled(lines: Sequence[Line], most: int, seed: int) -> list[Line]:
    """At most ``most`` of them, those first whose answers hold lists, objects and numbers: plain texts are
    what there is most of."""
    chosen = list(lines)
    random.Random(f"{seed} {len(lines)}").shuffle(chosen)
    chosen.sort(key=lambda x: -_richness(x))
    half = chosen[: most // 2]
    rest = [x for x in chosen if x not in half]
    random.Random(f"{seed} rest").shuffle(rest)
    return half + rest[: most - len(half)]


def _richness(line: Line) -> int:
    kinds = {
        type(_one(values)).__name__
        for answer in line.answers
        for arguments in answer.values()
        for values in arguments.values()
    }
    return len(kinds)
