"""The recipe of a dataset: one YAML file that names the sources and what is wanted of them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dazi.core.errors import ConfigError
from dazi.core.language import Language
from dazi.ops.datasets.folders import checked_name, digest
from dazi.router.yaml_source import YamlSource

PERSONAL_KINDS = ("threads", "tickets", "tool_log")
KINDS = (*PERSONAL_KINDS, "documents", "file")
_KNOWN_ZH = {
    "extra_forbidden": "不认识这个键,检查拼写",
    "missing": "缺少这一项",
    "literal_error": "取值不在允许的范围内",
    "union_tag_invalid": "kind 只能是 threads、tickets、tool_log、documents、file",
    "union_tag_not_found": "要写 kind",
}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Consent(_Strict):
    """``basis``: on what the use rests, for the card. Who has agreed stands in the file ``agreed``,
    a user a line; with ``everybody`` all have. Those in the file ``refused`` have not."""

    basis: str = Field(min_length=2)
    agreed: str = ""
    everybody: bool = False
    refused: str = ""


class _Source(_Strict):
    licence: str = "internal"
    consent: Consent | None = None


class ThreadsSource(_Source):
    """Conversations. ``days``: not older than so many; ``rated``: only those that helped."""

    kind: Literal["threads"]
    days: int = Field(0, ge=0)
    rated: Literal["any", "not_down", "up"] = "not_down"


class TicketsSource(_Source):
    """Tickets of the service desk that are resolved: what was asked and answered (``answers``), and
    which category it was (``categories``)."""

    kind: Literal["tickets"]
    days: int = Field(0, ge=0)
    least_stars: int = Field(0, ge=0, le=5)
    answers: bool = True
    categories: bool = False


class ToolLogSource(_Source):
    """Calls that succeeded, by the audit ledger."""

    kind: Literal["tool_log"]
    days: int = Field(0, ge=0)


class DocumentsSource(_Source):
    """A folder of documents. ``readers``: of those that do not say it themselves."""

    kind: Literal["documents"]
    folder: str
    readers: list[str] = ["all"]


class Fields(_Strict):
    """What the columns or keys of a file are called."""

    text: str = "text"
    question: str = "question"
    answer: str = "answer"
    label: str = "label"
    messages: str = "messages"
    conversation: str = "conversation"
    user: str = "user"
    at: str = "at"
    language: str = "language"


class FileSource(_Source):
    """Files by a path or a pattern: JSON Lines, CSV with a head, or text in paragraphs. ``passages``:
    the texts are material for questions, as documents are."""

    kind: Literal["file"]
    path: str
    format: Literal["", "jsonl", "csv", "txt"] = ""
    fields: Fields = Fields()
    passages: bool = False


AnySource = Annotated[
    ThreadsSource | TicketsSource | ToolLogSource | DocumentsSource | FileSource,
    Field(discriminator="kind"),
]


class Clean(_Strict):
    """``least``, ``most``: characters. ``alike``: from this Jaccard similarity on two samples are
    near-duplicates; 0 looks for none. ``words``: files of words that refuse a sample, beside the
    company's lists. ``severities``: of the company's words, which refuse one. ``injection``: from this
    score on what speaks to a model refuses a sample; 0 looks for none."""

    least: int = Field(4, ge=1)
    most: int = Field(20_000, ge=1)
    alike: float = Field(0.6, ge=0, le=1)
    quality: bool = True
    words: list[str] = []
    severities: list[Literal["high", "medium", "low"]] = ["high", "medium"]
    injection: float = Field(0.5, ge=0, le=1)


class Knowledge(_Strict):
    """``pairs``: questions are made from passages; ``per_passage`` at most. ``model``: of the pool, that
    writes more of them. ``texts``: the passages themselves stay, as samples of kind text."""

    pairs: bool = True
    per_passage: int = Field(3, ge=1, le=20)
    model: str = ""
    texts: bool = False
    check_calls: bool = True


class Compliance(_Strict):
    """``licences``: those that may be used; any where none is listed. ``personal``: what is done with
    personal data. ``audience``: labels of whoever will use the model; a document that one of them may
    not read is not used."""

    licences: list[str] = []
    personal: Literal["replace", "refuse"] = "replace"
    audience: list[str] = ["all"]


class Splits(_Strict):
    validation: float = Field(0.05, ge=0, le=0.5)
    test: float = Field(0.05, ge=0, le=0.5)


class Recipe(_Strict):
    """``evaluation``: files of cases that must not be trained on, by paths or patterns; from
    ``overlap`` of a case on, a sample that holds it is refused."""

    name: str
    about: str | dict[Literal["zh", "en"], str] = ""
    languages: list[Language] = ["zh", "en"]
    sources: list[AnySource] = Field(min_length=1)
    clean: Clean = Clean()
    knowledge: Knowledge = Knowledge()
    compliance: Compliance = Compliance()
    splits: Splits = Splits()
    evaluation: list[str] = []
    overlap: float = Field(0.5, gt=0, le=1)
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Placed:
    """A recipe and where it stands: paths in it are relative to ``folder``."""

    recipe: Recipe
    path: Path

    @property
    def folder(self) -> Path:
        return self.path.parent

    @property
    def key(self) -> str:
        """Changes with what it says, and with the files that it names: somebody may have been added to
        those who refused."""
        recipe = self.recipe
        told = [recipe.model_dump_json()]
        for pattern in (*recipe.evaluation, *recipe.clean.words, *_files(recipe.sources)):
            told += (f"{pattern} {path} {digest(path)}" for path in self.files(pattern))
        return hashlib.sha256("\n".join(told).encode()).hexdigest()

    def files(self, pattern: str) -> list[Path]:
        """Those that a path or a pattern names, by name. Raises ``ConfigError`` where there is none."""
        given = Path(pattern)
        if given.is_absolute():
            found = sorted(Path(given.anchor).glob(str(given.relative_to(given.anchor))))
        else:
            found = sorted(self.folder.glob(pattern))
        found = [p for p in found if p.is_file()]
        if not found:
            raise ConfigError(self.path, None, f"没有文件 {pattern}", f"no file {pattern}")
        return found


def read_recipe(path: Path) -> Placed:
    """Raises ``ConfigError`` with file, line and mend, and ``CallerError`` for a bad name."""
    source = YamlSource(path)
    if not isinstance(source.data, dict):
        raise ConfigError(path, 1, "配方应是键和值", "a recipe is keys and values")
    try:
        recipe = Recipe.model_validate(source.data)
    except ValidationError as e:
        raise _wrong(source, e) from None
    checked_name(recipe.name)
    placed = Placed(recipe, path)
    for number, one in enumerate(recipe.sources):
        _check(source, number, one)
    for pattern in (*recipe.evaluation, *recipe.clean.words, *_files(recipe.sources)):
        placed.files(pattern)
    if recipe.splits.validation + recipe.splits.test >= 1:
        raise ConfigError(
            path,
            source.line(["splits"]),
            "validation 和 test 加起来要小于 1",
            "validation and test must come to less than 1",
        )
    return placed


def _files(sources: Sequence[AnySource]) -> list[str]:
    out = [s.path for s in sources if isinstance(s, FileSource)]
    for s in sources:
        if s.consent is not None:
            out += [f for f in (s.consent.agreed, s.consent.refused) if f]
    return out


def _check(source: YamlSource, number: int, one: AnySource) -> None:
    path: list[str | int] = ["sources", number]
    if one.kind in PERSONAL_KINDS and one.consent is None:
        raise ConfigError(
            source.path,
            source.line(path),
            f"{one.kind} 是人说的话,要写 consent:依据,以及谁同意了",
            f"{one.kind} are people's words: say consent, with its basis and who has agreed",
        )
    c = one.consent
    if c is not None and bool(c.agreed) == c.everybody:
        raise ConfigError(
            source.path,
            source.line([*path, "consent"]),
            "consent 写 agreed(名单文件)或 everybody: true,只写一个",
            "consent has agreed (a file of users) or everybody: true, one of them",
        )


def _wrong(source: YamlSource, e: ValidationError) -> ConfigError:
    first = e.errors()[0]
    path: list[str | int] = [p for p in first["loc"] if isinstance(p, str | int)]
    if len(path) > 2 and path[0] == "sources" and path[2] in KINDS:
        del path[2]  # the tag of the union is no key
    where = ".".join(map(str, path))
    zh = _KNOWN_ZH.get(first["type"], "值不对")
    return ConfigError(
        source.path, source.line(path), f"{where}:{zh}({first['msg']})", f"{where}: {first['msg']}"
    )
