"""A review as a job: what it is put with, what comes of it, who may, and that nothing is done twice."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import typst
from docx import Document

from dazi.apps.contracts.fields import NAMES
from dazi.apps.contracts.job import NAME, Files, Hooks, review_kind
from dazi.apps.contracts.making import COMMENTED, HIGHLIGHTED, KEPT, PAGE, SUMMARY, Terms
from dazi.apps.contracts.outputs.told import as_told
from dazi.apps.contracts.review import review
from dazi.apps.contracts.reviewed import Origin, digest_of, reviewed
from dazi.apps.contracts.rules import load_policy
from dazi.apps.contracts.service import Conditions, ContractService, Rights
from dazi.apps.contracts.templates import template_kind
from dazi.apps.contracts.verdicts import Said, VerdictStore
from dazi.audit.keys import SubjectKeys
from dazi.audit.private import Private
from dazi.core.errors import AccessError, CallerError, NotFound
from dazi.core.principal import Principal
from dazi.main.database import declare_tables
from dazi.store.database import Database
from dazi.store.jobs.records import JobStore
from dazi.store.jobs.schedules import ScheduleStore
from dazi.store.jobs.service import JobService
from dazi.store.jobs.work import Workers
from tests.apps.contracts.texts import SERVICE, changed, contract

LI, WANG = (Principal(user, frozenset({"staff"})) for user in ("li", "wang"))
BOSS = Principal("boss", frozenset({"admin", "staff"}))
CUSTOMER = Principal("c", frozenset({"customer"}))
FAULTY = changed(SERVICE, "发票后30日内", "发票后90日内")


def word(text: str) -> bytes:
    document, out = Document(), io.BytesIO()
    for part in text.strip().split("\n\n"):
        if part.startswith("#"):
            document.add_heading(part.lstrip("# "), 1)
        else:
            document.add_paragraph(part)
    document.save(out)
    return out.getvalue()


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[ContractService]:
    declare_tables()
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'd.sqlite'}")
    await database.create()
    private = Private(SubjectKeys(tmp_path / "keys"))
    store, verdicts = JobStore(database, private), VerdictStore(database, private)
    (tmp_path / "范本.md").write_text(SERVICE, "utf-8")
    conditions = Conditions(
        Terms(load_policy(), ("云杉商贸",), frozenset({"wording"})),
        Rights(frozenset({"staff"}), frozenset({"admin"})),
        {"服务": tmp_path / "范本.md"},
    )
    rights = conditions.rights.check
    kinds = {
        k.name: k
        for k in (
            review_kind(conditions.terms, Hooks(rights, verdicts.shown)),
            template_kind(rights),
        )
    }
    users = {p.user: p for p in (LI, WANG, BOSS)}
    workers = Workers(store, kinds, lambda job: users[job.user])
    jobs = JobService(store, ScheduleStore(database, private), kinds, workers)
    yield ContractService(jobs, verdicts, conditions, 1_000_000)
    await database.close()


async def drain(service: ContractService) -> int:
    assert service.jobs.workers is not None
    return await service.jobs.workers.drain()


async def test_a_review_from_its_files_to_its_statistics(service: ContractService) -> None:
    files = Files("合同.docx", word(FAULTY))
    job = await service.begin(LI, files, "zh", "服务")
    assert (await service.open(LI, job.id)).done is None
    with pytest.raises(CallerError, match="not done"):
        await service.judge(LI, job.id, Said("x", "accept"))
    assert await drain(service) == 1
    opened = await service.open(LI, job.id)
    done = opened.done
    assert opened.job.state == "done" and done is not None
    assert done.name == "合同.docx" and done.template == "范本.md" and done.compared
    assert {r.rule for r in done.remarks} == {"changed_terms", "payment-term-long"}  # one is muted
    assert opened.job.result["medium"] == 2 and opened.job.result["fields"]["payment_days"] == 90
    made = {f.name for f in opened.job.files}
    assert made == {"original.docx", "template.md", KEPT, SUMMARY, PAGE, COMMENTED}
    _, data = await service.jobs.store.file(job.id, COMMENTED, LI)
    assert len(list(Document(io.BytesIO(data)).comments)) == 2

    same = await service.begin(LI, files, "zh", "服务")  # nothing is reviewed twice
    assert same.id == job.id and await drain(service) == 0
    other = await service.begin(LI, Files("合同.docx", word(SERVICE)), "zh", "服务")
    assert other.id != job.id
    in_english = await service.begin(LI, files, "en", "服务")
    assert in_english.id != job.id
    assert (await service.begin(WANG, files, "zh", "服务")).id != job.id

    item = next(r.id for r in done.remarks if r.rule == "payment-term-long")
    await service.judge(LI, job.id, Said(item, "reject", "这家例外"))
    assert (await service.open(LI, job.id)).verdicts[item].said.note == "这家例外"
    for by in (WANG, BOSS):
        with pytest.raises(NotFound):
            await service.judge(by, job.id, Said(item, "accept"))
    with pytest.raises(AccessError):
        await service.statistics(LI)
    (rule,) = [q for q in await service.statistics(BOSS) if q.rule == "payment-term-long"]
    assert (rule.shown, rule.accepted, rule.rejected) == (1, 0, 1)
    await service.withdraw(LI, job.id, item)
    assert (await service.open(LI, job.id)).verdicts == {}


async def test_an_own_template_and_a_pdf(service: ContractService) -> None:
    template = await service.add_template(LI, "我的范本.md", SERVICE.encode(), "zh")
    with pytest.raises(NotFound):  # another's is none
        await service.begin(WANG, Files("a.md", FAULTY.encode()), "zh", template.id)
    source = "\n\n".join(p.lstrip("# ") for p in FAULTY.strip().split("\n\n"))
    source = f'#set text(font: "Noto Sans CJK SC")\n{source}'
    fonts = [str(Path(__import__("manimgx_fonts_cjk").__file__).parent)]
    pdf = typst.compile(source.encode(), font_paths=fonts, ignore_system_fonts=True)
    job = await service.begin(LI, Files("合同.pdf", pdf), "en", template.id)
    assert await drain(service) == 2
    assert [j.title for j in await service.own_templates(LI)] == ["我的范本.md"]
    opened = await service.open(LI, job.id)
    assert opened.done is not None, opened.job.error
    assert opened.done.pages == 1 and opened.done.compared
    assert "payment-term-long" in {r.rule for r in opened.done.remarks}
    _, data = await service.jobs.store.file(job.id, HIGHLIGHTED, LI)
    assert data.count(b"/Highlight") >= 1 and data != pdf


async def test_who_may_not_and_what_cannot_be(service: ContractService) -> None:
    with pytest.raises(AccessError):
        await service.begin(CUSTOMER, Files("a.md", b"x"), "zh")
    with pytest.raises(AccessError):  # by the way of all jobs neither
        await service.jobs.begin(CUSTOMER, NAME, {"name": "a.md"})
    for name in ("a.exe", "a", "a.doc"):
        with pytest.raises(CallerError, match="must be a PDF"):
            await service.begin(LI, Files(name, b"x"), "zh")
    with pytest.raises(NotFound):
        await service.begin(LI, Files("a.md", b"x"), "zh", "nonesuch")
    with pytest.raises(CallerError, match="wrong arguments"):
        await service.jobs.begin(LI, NAME, {"name": 3})
    job = await service.begin(LI, Files("../../坏的.docx", b"no word file"), "zh")
    assert await drain(service) == 1
    opened = await service.open(LI, job.id)
    assert opened.job.state == "failed" and opened.job.error is not None
    assert "坏的.docx" in opened.job.error.text.zh


def test_what_programs_are_told() -> None:
    found = review(contract(FAULTY), contract(SERVICE))
    done = reviewed(found, load_policy(), Origin("a.md", digest_of(b"a")))
    told = json.loads(json.dumps(as_told(done, "en")))
    assert told["kind"] == "service" and told["language"] == "zh" and told["pages"] is None
    assert set(told["fields"]) == set(NAMES) and told["fields"]["payment_days"] == 90
    assert told["evidence"]["payment_days"]["quote"] == found.fields["payment_days"].quote
    assert len(told["findings"]) == len(found.findings)
    for made, finding in zip(told["findings"], found.findings, strict=True):
        assert made["id"] and made["by"] == "code" and made["page"] is None
        assert (made["rule"], made["kind"], made["quote"], made["message"]) == (
            finding.rule, finding.kind, finding.quote, finding.message.en,
        )  # fmt: skip


def test_keys_tell_everything_apart_that_matters() -> None:
    terms = Terms(load_policy(), ("云杉商贸",))
    files = Files("a.md", b"a", "t.md", b"t")
    keys = [
        files.key(terms, ""),
        files.key(terms, "rules: []"),
        replace(files, data=b"b").key(terms, ""),
        replace(files, template_data=b"u").key(terms, ""),
        replace(files, data=b"at", template_data=b"").key(terms, ""),
        files.key(replace(terms, language="en"), ""),
        files.key(replace(terms, muted=frozenset({"x"})), ""),
        files.key(replace(terms, ours=()), ""),
        files.key(replace(terms, model="m"), ""),
    ]
    assert len(set(keys)) == len(keys)
    assert replace(files, name="b.md").key(terms, "") == keys[0]  # what it is called does not
