"""A contract's review as a job: it outlives a crash, and the same contract is not reviewed twice.

The job holds the contract, and the template where there is one, as files it was put with. They are read in
the worker that reads all foreign files, compared in a process for calculations, and what comes of it is kept
as files of the job.
"""

from __future__ import annotations

import tempfile
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from dazi.apps.contracts.clauses import Contract
from dazi.apps.contracts.making import (
    HIGHLIGHTED,
    TYPES,
    Given,
    Terms,
    judged,
    key_of,
    suffix_of,
    written,
)
from dazi.apps.contracts.outputs.highlights import with_highlights
from dazi.apps.contracts.review import read_file
from dazi.apps.contracts.reviewed import Origin, Reviewed, digest_of
from dazi.apps.contracts.rules import load_policy
from dazi.core.errors import CallerError
from dazi.core.language import Language, Text
from dazi.core.principal import Principal
from dazi.store.jobs.model import NewFile
from dazi.store.jobs.work import Kind, Run

NAME = "contract_review"
TITLE = Text("合同审查", "Contract review")
ORIGINAL, TEMPLATE = "original", "template"
"""Files that a job is put with, with the endings of their own names."""
ENDINGS = (".pdf", ".docx", ".md", ".markdown", ".html", ".htm", ".txt")
SECONDS = 900.0
_TEMPLATES = 8
"""Templates that stay read in this process: a batch has the same for all."""
READING = Text("正在读文件", "reading the files")
COMPARING = Text("正在核对条款", "checking the clauses")
ASKING = Text("模型正在看", "a model is looking at it")
WRITING = Text("正在写结果", "writing what was found")


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a job is to review. ``policy``: the text of a policy file, empty for the company's own."""

    name: str
    template: str = ""
    policy: str = ""
    language: Language = "zh"
    ocr: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What lists show of a review; the whole is in its files."""

    name: str
    digest: str
    kind: str
    title: str
    pages: int
    fields: dict[str, Any]
    high: int
    medium: int
    low: int


@dataclass(frozen=True, slots=True)
class Hooks:
    """What is wired to it: ``rights`` raises ``AccessError`` for who may not; ``shown`` is told of each
    review that is done; ``views`` adds a model's."""

    rights: Callable[[Principal], None] | None = None
    shown: Callable[[Principal, Reviewed], Awaitable[None]] | None = None
    views: Callable[[Reviewed, Language], Awaitable[Reviewed]] | None = None


@dataclass(frozen=True, slots=True)
class Files:
    """The contract and the template as they were given, by name."""

    name: str
    data: bytes
    template: str = ""
    template_data: bytes = b""

    def put(self) -> list[NewFile]:
        """As the job has them. Raises ``CallerError`` for a format that is not read."""
        out = [_new(ORIGINAL, self.name, self.data)]
        if self.template:
            out.append(_new(TEMPLATE, self.template, self.template_data))
        return out

    def key(self, terms: Terms, policy: str) -> str:
        return key_of(self.data, self.template_data, terms, policy)


def _new(as_name: str, name: str, data: bytes) -> NewFile:
    ending = suffix_of(name)
    if ending not in ENDINGS:
        raise CallerError(
            "contract_format",
            f"{name[:80]}:合同要是 PDF、Word(.docx)、Markdown、网页或文字文件",
            f"{name[:80]}: a contract must be a PDF, Word (.docx), Markdown, HTML or text file",
        )
    return NewFile(as_name + ending, TYPES.get(ending, "application/octet-stream"), data)


def review_kind(terms: Terms, hooks: Hooks = Hooks()) -> Kind:
    """``terms``: the company's."""
    templates: OrderedDict[str, Contract] = OrderedDict()

    async def check(principal: Principal, arguments: Any) -> Any:
        if hooks.rights is not None:
            hooks.rights(principal)
        try:
            order = msgspec.convert(arguments, Order)
        except msgspec.ValidationError as e:
            raise CallerError("argument", f"参数不对:{e}", f"wrong arguments: {e}") from None
        if order.policy:
            _rules(order.policy)
        return msgspec.to_builtins(order)

    async def work(run: Run) -> Outcome:
        return await run.step("review", lambda: _reviewed(run), Outcome)

    async def _reviewed(run: Run) -> Outcome:
        order = msgspec.convert(run.arguments, Order)
        run.report(READING, 0.05)
        ending = suffix_of(order.name)
        data = await run.file(ORIGINAL + ending)
        with tempfile.TemporaryDirectory(prefix="dazi-") as folder:
            path = Path(folder) / _named(order.name)
            path.write_bytes(data)
            contract = await read_file(path, ocr=order.ocr)
            template = await _template(run, order, Path(folder)) if order.template else None
            run.report(COMPARING, 0.3)
            mine = replace(terms, language=order.language)
            if order.policy:
                mine = replace(mine, rules=_rules(order.policy), own_policy=True)
            origin = Origin(order.name, digest_of(data), order.template)
            done = await run.compute(judged, Given(contract, template, origin, mine))
            if hooks.views is not None:
                run.report(ASKING, 0.5)
                done = await hooks.views(done, order.language)
            run.report(WRITING, 0.8)
            word = data if ending == ".docx" else None
            files = await run.compute(written, done, order.language, word)
            if ending == ".pdf":
                files[HIGHLIGHTED] = await with_highlights(path, done, order.language)
        for name, content in files.items():
            await run.put_file(name, TYPES[suffix_of(name)], content)
        if hooks.shown is not None:
            await hooks.shown(run.principal, done)
        return outcome(done)

    async def _template(run: Run, order: Order, folder: Path) -> Contract:
        ending = suffix_of(order.template)
        data = await run.file(TEMPLATE + ending)
        digest = digest_of(data) + ending
        if digest not in templates:
            path = folder / f"t-{_named(order.template)}"
            path.write_bytes(data)
            templates[digest] = await read_file(path)
            if len(templates) > _TEMPLATES:
                templates.popitem(last=False)
        return templates[digest]

    return Kind(NAME, TITLE, check, work, seconds=SECONDS)


def _named(name: str) -> str:
    """For a file of ours: errors speak of it."""
    path = Path(name)
    return f"{path.stem[-60:].lstrip('.') or 'contract'}{path.suffix.lower()}"


def _rules(policy: str) -> Any:
    """Raises ``ConfigError``."""
    with tempfile.TemporaryDirectory(prefix="dazi-") as folder:
        path = Path(folder) / "policy.yaml"
        path.write_text(policy, "utf-8")
        return load_policy(path)


def outcome(done: Reviewed) -> Outcome:
    said: Mapping[str, Any] = {f.name: f.value for f in done.fields}
    return Outcome(
        done.name,
        done.digest,
        done.kind,
        done.title,
        done.pages,
        dict(said),
        done.counted("high"),
        done.counted("medium"),
        done.counted("low"),
    )
