"""Each check passes on an installation in good order, and fails where what it looks at is broken."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import trustme
from sqlalchemy import delete, insert, text, update

from dazi.access import duties as duty_rules
from dazi.access.accounts import Account, Accounts, accounts
from dazi.access.cedar import CedarPolicy
from dazi.access.keys import Draft, Keys, Scope, api_keys
from dazi.access.lockout import Lockout
from dazi.access.passwords import passwords
from dazi.access.sessions import Sessions
from dazi.access.sign_in import SignIn
from dazi.access.totp import totp
from dazi.audit.anchors import checkpoints
from dazi.audit.erasure import Erasure
from dazi.audit.holds import Holds
from dazi.audit.keys import SubjectKeys
from dazi.audit.ledger import Ledger, SqlSink
from dazi.audit.private import Private
from dazi.audit.search import Query, matching
from dazi.core.company import ConnectorSpec, PolicySource
from dazi.core.errors import CallerError
from dazi.core.language import Text
from dazi.core.principal import Principal
from dazi.core.tools import Parameter, Tool
from dazi.guard.engine import Guard
from dazi.guard.rules import DEFAULTS, Exemption, Rules
from dazi.memory.threads import Kept, Message, ThreadStore
from dazi.net.rules import Rule
from dazi.ops.backup.sealed import MAGIC
from dazi.ops.compliance.checks import content, files, identity, persons
from dazi.ops.compliance.checks.registry import CHECKS, registered
from dazi.ops.compliance.results import Result, Status
from dazi.ops.compliance.subject import DAY_S, LabelledAnswer, SeenLabels, Subject
from dazi.router import schema

Patch = pytest.MonkeyPatch
Break = Callable[[Subject, Patch], Awaitable[Subject | None]]
BROKEN: list[tuple[str, str, Break]] = []


def breaks(check: str, told: str) -> Callable[[Break], Break]:
    """The check must fail then, and its failing evidence hold ``told``."""

    def add(broken: Break) -> Break:
        BROKEN.append((check, told, broken))
        return broken

    return add


async def write(s: Subject, statement: Any) -> None:
    async with s.books.database.write() as connection:
        await connection.execute(statement)


def failures(result: Result) -> str:
    return "\n".join(seen.text.en for seen in result.evidence if not seen.ok)


async def nothing(*_: Any, **__: Any) -> None:
    return None


def made_up(name: str, *parameters: Parameter, **more: Any) -> Tool:
    given: dict[str, Any] = {"roles": frozenset({"staff"}), "effect": "write"} | more
    words = Text(name, name)
    return Tool(name, words, words, parameters, connector="x", operation={}, source="t:1", **given)


def with_tool(s: Subject, tool: Tool) -> Subject:
    company = replace(s.company, tools={**s.company.tools, tool.name: tool})
    return replace(s, company=company, policy=CedarPolicy(company))


# --- identity --------------------------------------------------------------------------------------


@breaks("accounts_unique", "a name could be taken twice")
async def _(s: Subject, patch: Patch) -> None:
    create = Accounts.create

    async def lax(self: Accounts, account: Account) -> Account:
        try:
            return await create(self, account)
        except CallerError:
            return account

    patch.setattr(Accounts, "create", lax)


@breaks("password_strength", "rules too lax: 4 characters")
async def _(s: Subject, patch: Patch) -> None:
    store = s.access.stores.passwords
    store.rules = replace(store.rules, min_length=4)


@breaks("password_strength", "weak passwords were accepted")
async def _(s: Subject, patch: Patch) -> None:
    patch.setattr(identity, "check_password", lambda *_: None)


@breaks("password_strength", "(0: never)")
async def _(s: Subject, patch: Patch) -> None:
    store = s.access.stores.passwords
    store.rules = replace(store.rules, max_age_days=0)


@breaks("password_storage", "1 passwords are no strong Argon2id")
async def _(s: Subject, patch: Patch) -> None:
    row = {"tenant": "default", "user": "lin", "hash": "5f4dcc3b5aa765d61d8327deb882cf99",
           "at": s.now, "initial": False, "used_at": None, "previous": "[]"}  # fmt: skip
    await write(s, insert(passwords).values(row))


@breaks("login_failure", "rules too lax: 1000 failures")
async def _(s: Subject, patch: Patch) -> None:
    lockout = s.access.stores.lockout
    lockout.rules = replace(lockout.rules, failures=1000)


@breaks("login_failure", "was not locked")
async def _(s: Subject, patch: Patch) -> None:
    patch.setattr(Lockout, "begin", nothing)


@breaks("session_timeout", "rules too lax: 600 minutes")
async def _(s: Subject, patch: Patch) -> None:
    s.access.sessions.rules = replace(s.access.sessions.rules, idle_s=36_000)


@breaks("session_timeout", "a session did not end in time")
async def _(s: Subject, patch: Patch) -> None:
    async def find(self: Sessions, token: str) -> object:
        return token

    patch.setattr(Sessions, "find", find)


@breaks("second_factor", "administrators who have not enrolled: zhou")
async def _(s: Subject, patch: Patch) -> None:
    await write(s, delete(totp).where(totp.c.user == "zhou"))


@breaks("second_factor", "administrative roles that need no second factor: auditadmin, secadmin")
async def _(s: Subject, patch: Patch) -> None:
    rules = replace(s.access.sign_in.rules, second_factor_roles=frozenset({"sysadmin"}))
    s.access.sign_in.rules = rules


@breaks("second_factor", "an administrator got in with a password alone")
async def _(s: Subject, patch: Patch) -> None:
    async def steps(*_: Any) -> tuple[str, ...]:
        return ()

    patch.setattr(SignIn, "_steps", steps)


# --- rights ----------------------------------------------------------------------------------------


@breaks("accounts_assigned", "roles of accounts that roles.yaml lacks: lin(ghost)")
async def _(s: Subject, patch: Patch) -> None:
    await s.access.stores.accounts.set_roles("default", "lin", frozenset({"ghost"}))


@breaks("accounts_assigned", "accounts without a role: lin")
async def _(s: Subject, patch: Patch) -> None:
    await s.access.stores.accounts.set_roles("default", "lin", frozenset())


@breaks("default_accounts", "account names that are guessed first: admin")
async def _(s: Subject, patch: Patch) -> None:
    account = Account("admin", Text("", ""), frozenset({"staff"}))
    await s.access.stores.accounts.create(account)


@breaks("stale_accounts", "accounts not used for 90 days: chen")
async def _(s: Subject, patch: Patch) -> None:
    async with s.access.changes.write() as change:
        await change.connection.execute(
            update(accounts)
            .where(accounts.c.user == "chen")
            .values(created=s.now - 91 * DAY_S, version=change.version)
        )


@breaks("least_privilege", "tools open to anybody: ")
async def _(s: Subject, patch: Patch) -> Subject:
    lax = PolicySource("lax.cedar", '@id("lax")\npermit (principal, action, resource);')
    company = replace(s.company, policies=(*s.company.policies, lax))
    return replace(s, company=company, policy=CedarPolicy(company))


@breaks("decision_granularity", "open to every role: note")
async def _(s: Subject, patch: Patch) -> Subject:
    return with_tool(s, made_up("note", roles=frozenset(s.company.roles)))


@breaks("policy_authority", "files that anybody may write: roles.yaml")
async def _(s: Subject, patch: Patch) -> None:
    (s.company.folder / "roles.yaml").chmod(0o666)


@breaks("api_keys", "with administrative roles: dz_")
async def _(s: Subject, patch: Patch) -> None:
    draft = Draft("default", "wang", "k", Scope(frozenset({"sysadmin"})), 5)
    await s.access.stores.keys.create(draft, "wang")


@breaks("api_keys", "not used for 90 days: dz_")
async def _(s: Subject, patch: Patch) -> None:
    draft = Draft("default", "lin", "k", Scope(frozenset({"staff"})), 300)
    await s.access.stores.keys.create(draft, "lin")
    await write(s, update(api_keys).values(created=s.now - 100 * DAY_S))


@breaks("separation_of_duties", "sysadmin should not do: roles.change")
async def _(s: Subject, patch: Patch) -> None:
    wide = {**duty_rules.DUTIES, "sysadmin": duty_rules.DUTIES["sysadmin"] | {"roles.change"}}
    patch.setattr(duty_rules, "DUTIES", MappingProxyType(wide))


@breaks("separation_of_duties", "an audit administrator could make an account")
async def _(s: Subject, patch: Patch) -> None:
    patch.setattr("dazi.access.administration.Authority.require", nothing)


@breaks("separation_of_duties", "hold two of the roles: wang")
async def _(s: Subject, patch: Patch) -> None:
    both = '["auditadmin", "sysadmin"]'
    async with s.access.changes.write() as change:
        await change.connection.execute(
            update(accounts)
            .where(accounts.c.user == "wang")
            .values(roles=both, version=change.version)
        )


@breaks("administrators_appointed", "nobody is: auditadmin")
async def _(s: Subject, patch: Patch) -> None:
    await s.access.stores.accounts.set_disabled("default", "zhou", True)


@breaks("sensitive_confirmed", "did not wait for a person")
async def _(s: Subject, patch: Patch) -> None:
    patch.setattr("dazi.router.deciding._goes_where_no_person_said", lambda *_: False)


@breaks("sensitive_confirmed", "move money and are not marked sensitive: pay")
async def _(s: Subject, patch: Patch) -> Subject:
    amount = Parameter("amount", "number", Text("金额", "amount"), format="money")
    return with_tool(s, made_up("pay", amount))


@breaks("bound_identity", "a model can fill in who it is: mine")
async def _(s: Subject, patch: Patch) -> Subject:
    bound = next(t for t in s.company.tools.values() if t.bind)
    name = next(iter(bound.bind))
    mine = made_up("mine", Parameter(name, "string", Text("", "")), bind=bound.bind)
    return with_tool(s, mine)


# --- the ledger ------------------------------------------------------------------------------------


@breaks("audit_covers", "the ledger is in memory")
@breaks("audit_retention", "the ledger is in memory")
@breaks("audit_uninterrupted", "the ledger is in memory")
@breaks("security_events", "the ledger is in memory")
async def _(s: Subject, patch: Patch) -> Subject:
    return replace(s, books=replace(s.books, mode="memory"))


@breaks("audit_covers", "something was not put on record")
@breaks("security_events", "could not be found")
async def _(s: Subject, patch: Patch) -> None:
    patch.setattr(SignIn, "_told", nothing)


@breaks("audit_fields", "1 lack a field: records 6")
async def _(s: Subject, patch: Patch) -> None:
    await s.books.ledger.append("admin", "", "", {"act": "prune"})


@breaks("audit_fields", "1 lack a field: records 6")
async def _(s: Subject, patch: Patch) -> None:
    await s.books.ledger.append("outcome", "lin", "turn_1", {"tool": "get_order_status"})


@breaks("audit_chain", "record 3 does not verify (changed)")
async def _(s: Subject, patch: Patch) -> None:
    await write(s, text("UPDATE audit_records SET body = '{}' WHERE seq = 3"))


@breaks("audit_chain", "record 5 does not verify (cut)")
async def _(s: Subject, patch: Patch) -> None:
    await write(s, text("DELETE FROM audit_records WHERE seq = 5"))
    await write(s, text("DELETE FROM audit_checkpoints"))


@breaks("audit_chain", "only 3 of 6 noticed")
async def _(s: Subject, patch: Patch) -> None:
    patch.setattr("dazi.audit.verify.fits", lambda _: True)


@breaks("audit_checkpoints", "5 records and no checkpoint yet")
async def _(s: Subject, patch: Patch) -> None:
    await write(s, delete(checkpoints))


@breaks("audit_checkpoints", "wait for too long")
async def _(s: Subject, patch: Patch) -> Subject:
    await s.books.ledger.append("turn", "lin", "turn_2", {"said": "x"})
    return replace(s, now=s.now + 2 * DAY_S)


@breaks("audit_checkpoints", "head.json does not hold the last checkpoint")
async def _(s: Subject, patch: Patch) -> None:
    s.books.keys.head.unlink()


@breaks("audit_retention", "kept for 30 days only")
async def _(s: Subject, patch: Patch) -> Subject:
    return replace(s, books=replace(s.books, retention_days=30))


@breaks("audit_uninterrupted", "an account was made although nothing was recorded")
async def _(s: Subject, patch: Patch) -> None:
    @asynccontextmanager
    async def recorded(*_: Any, **__: Any) -> AsyncIterator[None]:
        yield

    patch.setattr("dazi.access.administration.recorded", recorded)


@breaks("audit_sealed", "1 hold personal content in plain text: records 6")
async def _(s: Subject, patch: Patch) -> None:
    plain = Ledger(SqlSink(s.books.database))
    await plain.open()
    await plain.append("turn", "lin", "turn_2", {"said": "plain"})


@breaks("audit_sealed", "cannot be opened")
async def _(s: Subject, patch: Patch) -> None:
    s.books.sealing.close()
    os.unlink(s.data / "audit" / "subjects.sqlite")
    s.books.sealing.keys._forget()


# --- the network and the disk ----------------------------------------------------------------------


@breaks("remote_transport", "0.0.0.0 is listened on without encryption")
async def _(s: Subject, patch: Patch) -> Subject:
    return replace(s, serving=replace(s.serving, host="0.0.0.0"))


@breaks("remote_transport", "cannot be used")
async def _(s: Subject, patch: Patch) -> Subject:
    (s.data / "c.pem").write_text("no certificate")
    return tls(s, s.data / "c.pem", s.data / "c.pem")


@breaks("remote_transport", "the certificate has 5 days left")
async def _(s: Subject, patch: Patch) -> Subject:
    return replace(certified(s), now=expiry(s) - 5 * DAY_S - 60)


@breaks("egress_rules", "forbidden places were reached: ")
async def _(s: Subject, patch: Patch) -> None:
    patch.setattr(Rule, "check_address", lambda *_: None)


@breaks("data_location", "outside and not encrypted: models.example.com")
async def _(s: Subject, patch: Patch) -> Subject:
    return replace(s, serving=replace(s.serving, systems=("http://models.example.com",)))


@breaks("key_files", "files with keys that others may read: access.key")
async def _(s: Subject, patch: Patch) -> None:
    (s.data / "access.key").chmod(0o644)


@breaks("data_folder", "anybody on this machine may enter the data folder (755)")
async def _(s: Subject, patch: Patch) -> None:
    s.data.chmod(0o755)


@breaks("storage_encrypted", "on no volume known to be encrypted")
async def _(s: Subject, patch: Patch) -> None:
    patch.setattr(files, "BLOCK_DEVICES", s.data)


@breaks("backups", "no backup was found")
async def _(s: Subject, patch: Patch) -> Subject:
    return replace(s, backups=(s.data / "nowhere",))


@breaks("backups", "no place is on record")
async def _(s: Subject, patch: Patch) -> Subject:
    return replace(s, backups=())


@breaks("backups", "the newest backup, night.dazi, is 9.0 days old")
async def _(s: Subject, patch: Patch) -> Subject:
    return replace(s, now=s.now + 9 * DAY_S)


@breaks("backups", "night.dazi: it is another installation's")
async def _(s: Subject, patch: Patch) -> None:
    (s.data / "audit" / "master.key").write_bytes(b"x" * 32)


@breaks("backups", "night.dazi: the backup is incomplete")
async def _(s: Subject, patch: Patch) -> None:
    (s.backups[0] / "night.dazi").write_bytes(MAGIC + b"x" * 100)


@breaks("backups", "old.sqlite: the database is damaged")
async def _(s: Subject, patch: Patch) -> None:
    (s.backups[0] / "old.sqlite").write_bytes(b"no database" * 100)


@breaks("backups", "files of keys that no erasure can reach: ")
async def _(s: Subject, patch: Patch) -> None:
    (s.backups[0] / "dazi.keys").unlink()


@breaks("clock", "earlier than times in the ledger")
async def _(s: Subject, patch: Patch) -> Subject:
    return replace(s, now=s.now - 3600)


@breaks("clock", "the clock went back: records 6")
async def _(s: Subject, patch: Patch) -> None:
    patch.setattr(time, "time", lambda: s.now - 3600)
    await s.books.ledger.append("turn", "lin", "turn_2", {"said": "x"})


# --- content and persons ---------------------------------------------------------------------------


@breaks("output_masked", "not masked in answers: bank_card, resident_id")
async def _(s: Subject, patch: Patch) -> Subject:
    return replace(s, guard=Guard(Rules({**DEFAULTS, "output": {}})))


@breaks("output_masked", "every role is an exception")
async def _(s: Subject, patch: Patch) -> Subject:
    free = Exemption("output", frozenset({"web"}), frozenset(), {"resident_id": "allow"})
    return replace(s, guard=Guard(Rules(DEFAULTS, (free,))))


@breaks("input_validated", "malformed arguments were taken: ")
async def _(s: Subject, patch: Patch) -> None:
    patch.setattr(schema, "parse_arguments", lambda tool, text: {})


@breaks("injection_signals", "2 missed")
async def _(s: Subject, patch: Patch) -> None:
    patch.setattr(content, "signals", lambda _: ())


@breaks("capacity_limits", "no bound: turn_calls")
async def _(s: Subject, patch: Patch) -> Subject:
    return replace(s, serving=replace(s.serving, bounds={"turn_calls": 0.0}))


@breaks("capacity_limits", "listening to others without any [[limits]]")
async def _(s: Subject, patch: Patch) -> Subject:
    return replace(s, serving=replace(s.serving, host="0.0.0.0"))


@breaks("erasure", "the erasure did not do what it should")
async def _(s: Subject, patch: Patch) -> None:
    patch.setattr(SubjectKeys, "destroy", lambda *_: 1)


@breaks("erasure", "people who were erased still have threads: lin")
async def _(s: Subject, patch: Patch) -> None:
    kept = [Kept(Message("user", "发货了吗"))]
    await ThreadStore(s.books.database, Private(s.books.sealing.keys)).append(
        "t", Principal("lin", frozenset()), kept
    )
    await Erasure(s.books.database, s.books.ledger, s.books.sealing).erase("lin", "x", "asked")


@breaks("access_export", "the export is not right")
async def _(s: Subject, patch: Patch) -> None:
    patch.setattr(persons, "matching", lambda d, sealing, _: matching(d, sealing, Query()))


@breaks("rectification", "a change had no effect")
async def _(s: Subject, patch: Patch) -> None:
    patch.setattr(Accounts, "edit", nothing)


@breaks("restriction", "had no effect")
async def _(s: Subject, patch: Patch) -> None:
    patch.setattr(Holds, "of_subject", nothing)


@breaks("restriction", "had no effect")
async def _(s: Subject, patch: Patch) -> None:
    patch.setattr(Accounts, "set_disabled", nothing)


@breaks("residual_cleared", "still there after deletion: key")
async def _(s: Subject, patch: Patch) -> None:
    patch.setattr(Keys, "revoke_all", nothing)


@breaks("retention_limit", "5 audit records are older than 365 days")
async def _(s: Subject, patch: Patch) -> Subject:
    await s.books.ledger.append("turn", "lin", "turn_2", {"said": "x"})
    return replace(s, now=s.now + 400 * DAY_S)


@breaks("retention_limit", "1 threads are older than 365 days")
async def _(s: Subject, patch: Patch) -> None:
    kept = [Kept(Message("user", "发货了吗"))]
    await ThreadStore(s.books.database, Private(s.books.sealing.keys)).append(
        "t", Principal("lin", frozenset()), kept
    )
    await write(s, text("UPDATE threads SET at = 1000"))


@breaks("processing_listed", "systems that are declared and no tool uses: idle")
async def _(s: Subject, patch: Patch) -> Subject:
    idle = ConnectorSpec("idle", "sql", {})
    return replace(s, company=replace(s.company, connectors={**s.company.connectors, "idle": idle}))


# --- labels ----------------------------------------------------------------------------------------


def labels(
    headers: Mapping[str, str], metadata: Mapping[str, Any], page: str
) -> Callable[[], Awaitable[SeenLabels]]:
    async def probe() -> SeenLabels:
        answer = LabelledAnswer("dazi (whole)", headers, (metadata,))
        return SeenLabels((answer,), {"zh": (page,), "en": ("AI-generated",)})

    return probe


@breaks("visible_label", "the page (zh) shows no label")
async def _(s: Subject, patch: Patch) -> Subject:
    return replace(s, labels=labels({}, {}, "你好"))


@breaks("implicit_label", "without the header: dazi (whole)")
async def _(s: Subject, patch: Patch) -> Subject:
    return replace(s, labels=labels({}, {"generated_by": "AI"}, ""))


@breaks("implicit_label", "not in the body: dazi (whole)")
async def _(s: Subject, patch: Patch) -> Subject:
    return replace(s, labels=labels({"x-content-generator": "AI"}, {}, ""))


@pytest.mark.parametrize(
    ("check", "told", "broken"), BROKEN, ids=[f"{c}-{i}" for i, (c, *_) in enumerate(BROKEN)]
)
async def test_a_check_fails_for_what_it_looks_at(
    check: str, told: str, broken: Break, subject: Subject, monkeypatch: Patch
) -> None:
    changed = await broken(subject, monkeypatch) or subject
    result = await CHECKS[check](changed)
    assert result.status is Status.FAIL
    assert told in failures(result)
    assert result.mend and all(m.zh and m.en for m in result.mend)


def test_every_check_is_broken_by_some_test() -> None:
    # This one says "not supported" instead: see below.
    assert {check for check, *_ in BROKEN} | {"producer_named"} == set(CHECKS)


async def test_metadata_of_files_is_not_supported_until_it_is_there(subject: Subject) -> None:
    without = replace(subject, labels=labels({}, {"generated_by": "AI"}, ""))
    assert (await CHECKS["producer_named"](without)).status is Status.NOT_SUPPORTED
    element = {"AIGC": {"ContentProducer": "云杉", "ProduceID": "turn_1"}}
    with_it = replace(subject, labels=labels({}, element, ""))
    assert (await CHECKS["producer_named"](with_it)).status is Status.PASS


async def test_a_place_outside_is_for_the_company_to_judge(subject: Subject) -> None:
    serving = replace(subject.serving, systems=("https://models.example.com",))
    result = await CHECKS["data_location"](replace(subject, serving=serving))
    assert result.status is Status.ORGANISATIONAL
    assert any("models.example.com" in seen.text.en for seen in result.evidence)


async def test_a_certificate_that_is_good_passes(subject: Subject) -> None:
    result = await CHECKS["remote_transport"](certified(subject))
    assert result.status is Status.PASS, failures(result)


async def test_records_of_failures_are_named(subject: Subject) -> None:
    assert (await CHECKS["login_failure"](subject)).records == (5,)
    await write(subject, text("UPDATE audit_records SET body = '{}' WHERE seq = 3"))
    assert (await CHECKS["audit_chain"](subject)).records == (3,)


def test_two_checks_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="second check clock"):
        registered((files.clock, files.clock))


def tls(s: Subject, cert: Path, key: Path) -> Subject:
    return replace(s, serving=replace(s.serving, host="0.0.0.0", tls_cert=cert, tls_key=key))


def certified(s: Subject) -> Subject:
    issued = trustme.CA().issue_cert("dazi.example")
    cert, key = s.data / "cert.pem", s.data / "key.pem"
    cert.write_bytes(b"".join(c.bytes() for c in issued.cert_chain_pems))
    key.write_bytes(issued.private_key_pem.bytes())
    return tls(s, cert, key)


def expiry(s: Subject) -> float:
    from cryptography import x509

    found = x509.load_pem_x509_certificate((s.data / "cert.pem").read_bytes())
    return found.not_valid_after_utc.timestamp()
