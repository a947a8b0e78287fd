"""Every route of the document, asked by everybody, about everything: who may not sees nothing.

What each may is written down here a second time, in other words than the product's, and a route
that is not written down fails. Both tenants have a person of the same name.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path as Folder
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from dazi.access.accounts import Account
from dazi.access.keys import Draft, Scope
from dazi.access.role_requests import RoleChange
from dazi.apps.contracts.making import KEPT
from dazi.apps.contracts.reviewed import Reviewed, as_plain
from dazi.apps.contracts.verdicts import Said
from dazi.apps.desk.service import NewTicket
from dazi.core.language import Text
from dazi.core.messages import Message
from dazi.core.principal import Principal
from dazi.main.contracts import open_contracts
from dazi.memory.threads import Kept
from dazi.ops.experiments.plan import Arm, Plan, Step
from dazi.ops.feedback.model import Given
from dazi.ops.gaps.noticing import Seen
from dazi.ops.prompts.model import Content
from dazi.router.approval import Asked
from dazi.store.jobs.model import NewFile, NewJob
from tests.gateway.conftest import Answered, Site

Path = tuple[str, str]
HERE, THERE = "default", "other"
MUTABLE = (
    "accounts", "api_keys", "sessions", "role_requests", "tickets", "threads", "thread_messages",
    "thread_digests", "memory_facts", "jobs", "job_files", "job_schedules",
    "contract_verdicts", "contract_shown", "prompt_versions", "prompt_activations", "experiments",
    "experiment_events", "experiment_subjects",
    "alert_acks", "alert_silences",
    "intents", "second_factors", "recovery_codes", "passwords", "knowledge_sources",
    "knowledge_documents", "risk_queue", "risk_decisions", "site_visitors",
    "desk_tickets", "desk_events",
    "feedback", "gap_questions", "closed_gaps",
    "channel_messages", "channel_bindings", "channel_codes", "channel_threads",
)  # fmt: skip


@pytest.fixture(scope="module")
def seeded(assessed: Folder) -> Folder:
    """Every route answers, those about risk too."""
    return assessed


@dataclass(frozen=True)
class Who:
    """``roles``: of the three administrators; ``good``: a key or a finished sign-in; ``person``:
    the latter."""

    name: str
    token: str | None
    tenant: str = HERE
    user: str = ""
    roles: frozenset[str] = frozenset()
    good: bool = True
    person: bool = True

    def has(self, *roles: str) -> bool:
        return self.person and self.good and not self.roles.isdisjoint(roles)


@dataclass
class World:
    """``owners``: by each canary, the names of those who may read it. ``objects``: candidates for
    each parameter of a path; ``home``: tenant and owner of an object."""

    site: Site
    people: list[Who] = field(default_factory=list)
    owners: dict[str, set[str]] = field(default_factory=dict)
    objects: dict[str, list[str]] = field(default_factory=dict)
    home: dict[str, set[tuple[str, str]]] = field(default_factory=dict)

    def add(self, kind: str, id: str, tenant: str, user: str) -> None:
        if id not in self.objects.setdefault(kind, []):
            self.objects[kind].append(id)
        self.home.setdefault(id, set()).add((tenant, user))

    def owned(self, id: str, who: Who) -> bool:
        return (who.tenant, who.user) in self.home.get(id, ())

    def near(self, id: str, who: Who) -> bool:
        return any(tenant == who.tenant for tenant, _ in self.home.get(id, ()))


async def world(site: Site) -> World:
    w = World(site)
    runtime, stores = site.runtime, site.runtime.access.stores

    async def account(user: str, tenant: str, *roles: str) -> None:
        canary = f"canary-account-{tenant}-{user}"
        await stores.accounts.create(
            Account(user, Text(user, user), frozenset(roles), canary, tenant=tenant)
        )
        w.add("user", user, tenant, user)
        readers = {f"{tenant}/{user}", f"{tenant}/sys", f"{tenant}/sec"}
        w.owners[canary] = readers | ({f"{tenant}/li-key"} if user == "li" else set())

    for tenant in (HERE, THERE):
        for user, role in (("sys", "sysadmin"), ("sec", "secadmin"), ("aud", "auditadmin"),
                           ("li", "employee"), ("wang", "employee")):  # fmt: skip
            await account(user, tenant, role)
            begun = await stores.sessions.begin((tenant, user), "api", "127.0.0.1")
            roles = frozenset({role})
            w.people.append(Who(f"{tenant}/{user}", begun.token, tenant, user, roles))
            w.add("session", begun.session.id, tenant, user)
        by = runtime.access.people.principal("li", "web", tenant)
        name = f"canary-key-{tenant}"
        made = await runtime.access.keys.create(
            by, Draft(tenant, "li", name, Scope(frozenset({"employee"})), 1.0)
        )
        w.add("key", made.key.id, tenant, "li")
        w.owners[name] = {f"{tenant}/li", f"{tenant}/sec"}
        w.people.append(Who(f"{tenant}/li-key", made.text, tenant, "li", person=False))
        request = await stores.requests.ask(
            RoleChange(tenant, "wang", frozenset({"finance"}), give=True), "sys"
        )
        w.add("request", request.id, tenant, "sys")
        thread, title = f"thread-{tenant}", f"canary-thread-{tenant}"
        await runtime.service.threads.append(thread, by, [Kept(Message("user", title))])
        w.add("thread", thread, tenant, "li")
        w.owners[title] = {f"{tenant}/li", f"{tenant}/li-key"}
        fact = f"canary-fact-{tenant}"
        kept = await runtime.service.remembering.facts.keep(by, fact)
        w.add("fact", kept.id, tenant, "li")
        w.owners[fact] = {f"{tenant}/li", f"{tenant}/li-key"}
        await jobs(w, by)
        title = f"canary-desk-{tenant}"
        filed = await runtime.desk.service.open(by, NewTicket(title, thread=thread), 1e9)
        w.add("number", filed.card.id, tenant, "li")
        w.owners[title] = {f"{tenant}/li", f"{tenant}/li-key"}
        reason = f"canary-ticket-{tenant}"
        ticket = await runtime.service.tickets.issue(
            Asked("li", tenant, "web", thread, "turn", "call", "request_refund",
                  {"order_id": "ORD12345", "reason": reason}, {}, "p")
        )  # fmt: skip
        w.add("ticket", ticket.id, tenant, "li")
        w.owners[reason] = {f"{tenant}/li", f"{tenant}/li-key"}
        await documents(w, tenant)
        await learned(w, by)
    await account("only-there", THERE, "employee")
    await trials(w)
    w.people += [
        Who("nobody", None, good=False),
        Who("wrong", "dz_aaaaaaaaaaaa_wrong", good=False),
        Who("customer", "dazi-demo-customer", HERE, "customer", person=False),
        Who("admin", "dazi-demo-admin", HERE, "admin", person=False),
        Who("risk", "dazi-demo-risk", HERE, "risk", person=False),
    ]
    partial = await stores.sessions.begin((HERE, "sys"), "api", "127.0.0.1", ("second_factor",))
    w.people.append(Who("partial", partial.token, HERE, "sys", good=False))
    ended = await stores.sessions.begin((HERE, "sys"), "api", "127.0.0.1")
    await stores.sessions.end_token(ended.token)
    w.people.append(Who("ended", ended.token, HERE, "sys", good=False))
    w.objects["transaction"] = ["TX204913", "TX000000"]
    w.objects["site"] = ["shop", "none"]
    w.objects["alert"] = w.objects["route"] = w.objects["silence"] = ["none"]
    w.objects["paper"] = ["thresholds", "none"]
    w.objects["channel"], w.objects["part"] = ["wecom"], ["events"]
    w.objects["report"] = ["monthly-sales", "no-such-report"]
    w.objects["model"] = ["dazi", site.engine.profile.name, "none"]
    for kind in (
        "user", "session", "key", "request", "ticket", "thread", "fact", "source", "document",
        "job", "schedule", "batch", "name", "item", "turn", "entry", "gap",
    ):  # fmt: skip
        w.objects[kind].append("aaaaaaaaaaaa")
    return w


async def trials(w: World) -> None:
    """A prompt version and an experiment of the installation, which is HERE's."""
    found = w.site.runtime.experiments
    assert found is not None
    by = w.site.runtime.access.people.principal("sys", "web", HERE)
    note = "canary-prompt-note"
    made = await found.service.prompts.add(by, Content(zh="今天是{today}。"), note)
    arms = (Arm("now", 0), Arm("new", made.number))
    why = "canary-experiment-why"
    await found.service.create(by, Plan("canary-trial", arms, (Step(0, {"new": 0.5}),), why=why))
    w.objects["prompt"] = ["0", str(made.number), "99999", "none"]
    w.objects["experiment"] = ["canary-trial", "none"]
    readers = {f"{HERE}/sys", f"{HERE}/boss", "admin"}
    w.owners |= {note: readers, why: readers}


async def learned(w: World, by: Principal) -> None:
    """A turn, what its person said of it, and a question that no document answers."""
    found, tenant = w.site.runtime.learning, by.tenant
    assert found is not None
    said, turn = f"canary-said-{tenant}", f"turn_{tenant}"
    start = {"said": said, "thread": f"thread-{tenant}", "roles": ["employee"]}
    await w.site.runtime.ledger.append("turn", by.user, turn, start)
    await w.site.runtime.ledger.append("answer", by.user, turn, {"answer": "好。"})
    entry = await found.feedback.give(by, turn, Given("up", consent=True))
    asked = f"canary-gap-{tenant}"
    await found.gaps.note(by, Seen("not_found", "th", turn, asked, "en"))
    (gap,) = await found.gaps.store.questions(tenant, 0.0, 9)
    w.add("turn", turn, tenant, "li")
    w.add("entry", entry.id, tenant, "li")
    w.add("gap", gap.id, tenant, "li")
    reviewers = {f"{tenant}/sys", f"{tenant}/boss"} | ({"admin"} if tenant == HERE else set())
    w.owners |= {said: reviewers, asked: reviewers}


async def jobs(w: World, by: Principal) -> None:
    """A job that is done, with a file, and a schedule."""
    runtime, tenant = w.site.runtime, by.tenant
    assert runtime.jobs is not None
    canary, file = (
        f"canary-job-{tenant}",
        NewFile("made.txt", "text/plain", f"canary-file-{tenant}".encode()),
    )
    new = NewJob("export", canary, {}, batch=f"batch-{tenant}")
    made = await runtime.jobs.store.put(by, new, [file])
    await runtime.jobs.store.cancel(made.id, by)
    rule = await runtime.jobs.schedules.put(
        by, "export", f"canary-schedule-{tenant}", {}, "0 8 * * 1"
    )
    w.add("job", made.id, tenant, "li")
    w.add("schedule", rule.id, tenant, "li")
    w.add("batch", f"batch-{tenant}", tenant, "li")
    w.add("name", "made.txt", tenant, "li")
    await review(w, by, file)
    for name in (canary, f"canary-file-{tenant}", f"canary-schedule-{tenant}"):
        w.owners[name] = {f"{tenant}/li", f"{tenant}/li-key"}


async def review(w: World, by: Principal, file: NewFile) -> None:
    """A contract's review that is done, and a verdict on it."""
    jobs, tenant = w.site.runtime.jobs, by.tenant
    assert jobs is not None
    canary = f"canary-review-{tenant}"
    done = Reviewed(
        f"{canary}.md", hashlib.sha256(canary.encode()).hexdigest(), "other", canary, "en", 0, (), (), (),
        (), (),
    )  # fmt: skip
    kept = NewFile(KEPT, "application/json", msgspec.json.encode(as_plain(done)))
    made = await jobs.store.put(by, NewJob("contract_review", canary, {}), [file, kept])
    claim = await jobs.store.claim({"contract_review": 1}, 30.0)
    assert claim is not None and claim.job.id == made.id
    await jobs.store.finish(claim, {})
    verdicts = open_contracts(w.site.runtime)
    assert verdicts is not None
    note = f"canary-note-{tenant}"
    await verdicts.judge(by, made.id, Said("field:seat", "reject", note))
    w.add("job", made.id, tenant, "li")
    w.add("review", made.id, tenant, "li")
    w.add("item", "field:seat", tenant, "li")
    for name in (canary, note):
        w.owners[name] = {f"{tenant}/li", f"{tenant}/li-key"}


READERS = {
    "all": {"sys", "sec", "aud", "li", "wang", "li-key", "boss"},
    "role:employee": {"li", "wang", "li-key", "boss"},
    "user:li": {"li", "li-key"},
    "user:nobody": set[str](),
}
"""Labels of documents, and of the people of a tenant who may read one that has it."""


async def documents(w: World, tenant: str) -> None:
    """One for each kind of reader, a source, and the manager of the tenant's documents."""
    runtime, stores = w.site.runtime, w.site.runtime.access.stores
    assert runtime.documents is not None
    library = runtime.documents.library
    boss = Account("boss", Text("boss", "boss"), frozenset({"admin"}), tenant=tenant)
    await stores.accounts.create(boss)
    begun = await stores.sessions.begin((tenant, "boss"), "api", "127.0.0.1")
    w.people.append(Who(f"{tenant}/boss", begun.token, tenant, "boss", frozenset({"admin"})))
    by = runtime.access.people.principal("boss", "web", tenant)
    here = {"customer", "admin", "risk"} if tenant == HERE else set()
    for label, names in READERS.items():
        canary = f"canarydoc{tenant}{label.replace(':', '')}"
        text = f"# {canary}\n\nThe word of the day is {canary}, says the handbook of bananas.\n"
        made = await library.add_upload(
            f"{canary}.md", text.encode(), principal=by, readers=frozenset({label})
        )
        demo = (
            here if label == "all" else here - {"customer"} if label == "role:employee" else set()
        )
        w.add("document", made.id, tenant, label)
        w.owners[canary] = {f"{tenant}/{n}" for n in names} | demo
    source = await library.add_source(
        "url", f"http://127.0.0.1:1/canary-source-{tenant}", tenant=tenant
    )
    w.add("source", source.id, tenant, "boss")
    w.owners[f"canary-source-{tenant}"] = {f"{tenant}/boss"} | (here - {"customer", "risk"})
    await library.index_now(tenant=tenant)


Verdict = Callable[[World, Who, Mapping[str, str]], bool]


def anybody(w: World, who: Who, at: Mapping[str, str]) -> bool:
    return who.good


def person(w: World, who: Who, at: Mapping[str, str]) -> bool:
    return who.good and who.person


def duty(*roles: str) -> Verdict:
    def verdict(w: World, who: Who, at: Mapping[str, str]) -> bool:
        return who.has(*roles) and ("user" not in at or w.near(at["user"], who))

    return verdict


def own_or(*roles: str) -> Verdict:
    def verdict(w: World, who: Who, at: Mapping[str, str]) -> bool:
        mine = who.good and who.person and at["user"] == who.user
        return mine or duty(*roles)(w, who, at)

    return verdict


def reads(w: World, who: Who, at: Mapping[str, str]) -> bool:
    """Of a document that ``who`` may read."""
    (label,) = {label for _, label in w.home.get(at["document"], ())} or {""}
    canary = {c for c in w.owners if c.startswith("canarydoc") and who.name in w.owners[c]}
    return (
        who.good
        and any(c.endswith(f"{who.tenant}{label.replace(':', '')}") for c in canary)
        and (w.near(at["document"], who))
    )


def manager(w: World, who: Who, at: Mapping[str, str]) -> bool:
    near = all(w.near(at[kind], who) for kind in ("document", "source") if kind in at)
    return who.good and who.user in ("boss", "admin") and near


def nobody(w: World, who: Who, at: Mapping[str, str]) -> bool:
    """None of these people has the role."""
    return False


def owner(w: World, who: Who, at: Mapping[str, str]) -> bool:
    return who.good and w.owned(at["thread"], who)


def reviewer(w: World, who: Who, at: Mapping[str, str]) -> bool:
    return who.user == "risk" and at.get("transaction") != "TX000000"


def modeller(w: World, who: Who, at: Mapping[str, str]) -> bool:
    return who.good and who.user in ("risk", "admin", "boss") and at.get("paper") != "none"


def owner_of(kind: str) -> Verdict:
    return lambda w, who, at: who.good and w.owned(at[kind], who)


def runs_it(w: World, who: Who, at: Mapping[str, str]) -> bool:
    return who.good and (who.user in ("boss", "admin") or who.has("sysadmin"))


def reviews(kind: str) -> Verdict:
    return lambda w, who, at: runs_it(w, who, at) and w.near(at[kind], who)


def sees_trials(w: World, who: Who, at: Mapping[str, str]) -> bool:
    there = at.get("prompt") not in ("99999", "none") and at.get("experiment") != "none"
    return who.tenant == HERE and runs_it(w, who, at) and there


def changes_trials(w: World, who: Who, at: Mapping[str, str]) -> bool:
    return who.tenant == HERE and who.has("sysadmin")


def filer(w: World, who: Who, at: Mapping[str, str]) -> bool:
    return who.good and w.owned(at["number"], who)


def contract_reviewer(w: World, who: Who, at: Mapping[str, str]) -> bool:
    return who.good and who.user in ("li", "wang", "boss", "admin", "risk")


def reviewed(w: World, who: Who, at: Mapping[str, str]) -> bool:
    return owner_of("job")(w, who, at) and at["job"] in w.objects["review"]


ALLOWED: Mapping[Path, Verdict] = {
    ("GET", "/widget.js"): lambda w, who, at: True,
    ("POST", "/v1/widget/{site}/begin"): nobody,
    ("GET", "/v1/widget/{site}/conversation"): nobody,
    ("DELETE", "/v1/widget/{site}/conversation"): nobody,
    ("POST", "/v1/widget/{site}/messages"): nobody,
    ("GET", "/v1/widget/{site}/events"): nobody,
    ("POST", "/v1/widget/{site}/stop"): nobody,
    ("POST", "/v1/widget/{site}/decision"): nobody,
    ("POST", "/v1/widget/{site}/hand-over"): nobody,
    ("POST", "/v1/widget/{site}/rating"): nobody,
    ("POST", "/v1/widget/{site}/feedback"): nobody,
    ("POST", "/v1/dazi/turns/{turn}/feedback"): owner_of("turn"),
    ("GET", "/v1/dazi/feedback"): runs_it,
    ("GET", "/v1/dazi/feedback/{entry}"): reviews("entry"),
    ("POST", "/v1/dazi/feedback/{entry}"): reviews("entry"),
    ("GET", "/v1/dazi/knowledge/gaps"): runs_it,
    ("POST", "/v1/dazi/knowledge/gaps/{gap}"): reviews("gap"),
    ("DELETE", "/v1/dazi/knowledge/gaps/{gap}/closing"): reviews("gap"),
    ("GET", "/v1/dazi/pool"): runs_it,
    ("GET", "/v1/dazi/prompts"): sees_trials,
    ("POST", "/v1/dazi/prompts"): changes_trials,
    ("GET", "/v1/dazi/prompts/{prompt}"): sees_trials,
    ("GET", "/v1/dazi/prompts/{prompt}/differences"): sees_trials,
    ("GET", "/v1/dazi/prompts/{prompt}/preview"): sees_trials,
    ("POST", "/v1/dazi/prompts/{prompt}/activate"): changes_trials,
    ("GET", "/v1/dazi/experiments"): sees_trials,
    ("POST", "/v1/dazi/experiments"): changes_trials,
    ("GET", "/v1/dazi/experiments/{experiment}"): sees_trials,
    ("POST", "/v1/dazi/experiments/{experiment}"): changes_trials,
    ("POST", "/v1/dazi/experiments/{experiment}/events"): nobody,
    ("GET", "/v1/dazi/alerts"): runs_it,
    ("GET", "/v1/dazi/alerts/rules"): runs_it,
    ("GET", "/v1/dazi/alerts/past"): runs_it,
    ("POST", "/v1/dazi/alerts/silences"): runs_it,
    ("DELETE", "/v1/dazi/alerts/silences/{silence}"): runs_it,
    ("POST", "/v1/dazi/alerts/routes/{route}/test"): runs_it,
    ("POST", "/v1/dazi/alerts/{alert}/acknowledgement"): runs_it,
    ("GET", "/v1/dazi/risk/queue"): reviewer,
    ("GET", "/v1/dazi/risk/transactions/{transaction}"): reviewer,
    ("POST", "/v1/dazi/risk/transactions/{transaction}/decision"): reviewer,
    ("GET", "/v1/dazi/risk/model"): modeller,
    ("GET", "/v1/dazi/risk/reports/{paper}"): modeller,
    ("GET", "/v1/dazi/knowledge/documents"): anybody,
    ("GET", "/v1/dazi/knowledge/documents/{document}"): reads,
    ("POST", "/v1/dazi/knowledge/search"): anybody,
    ("GET", "/v1/dazi/knowledge/sources"): manager,
    ("POST", "/v1/dazi/knowledge/sources"): manager,
    ("DELETE", "/v1/dazi/knowledge/sources/{source}"): manager,
    ("POST", "/v1/dazi/knowledge/documents"): manager,
    ("PUT", "/v1/dazi/knowledge/documents/{document}/readers"): manager,
    ("DELETE", "/v1/dazi/knowledge/documents/{document}"): manager,
    ("POST", "/v1/dazi/knowledge/documents/{document}/reindex"): manager,
    ("GET", "/v1/dazi/tickets"): anybody,
    ("POST", "/v1/dazi/tickets"): anybody,
    ("GET", "/v1/dazi/tickets/{number}"): filer,
    ("POST", "/v1/dazi/tickets/{number}"): filer,
    ("GET", "/v1/dazi/tickets/{number}/suggestion"): nobody,
    ("GET", "/v1/dazi/desk/statistics"): nobody,
    ("POST", "/v1/dazi/desk/intent"): anybody,
    # No channels are configured here: vendors find nothing. tests/gateway/channels has some.
    ("GET", "/v1/dazi/channels"): anybody,
    ("POST", "/v1/dazi/channels/codes"): nobody,
    ("DELETE", "/v1/dazi/channels/{channel}/binding"): nobody,
    ("GET", "/v1/dazi/channels/{channel}/callback"): nobody,
    ("POST", "/v1/dazi/channels/{channel}/callback"): nobody,
    ("POST", "/v1/dazi/channels/{channel}/callback/{part}"): nobody,
    ("GET", "/v1/dazi/reports"): anybody,
    ("POST", "/v1/dazi/reports/{report}"): nobody,
    ("POST", "/v1/chat/completions"): anybody,
    ("POST", "/v1/embeddings"): anybody,
    ("GET", "/v1/models"): anybody,
    ("GET", "/v1/models/{model}"): lambda w, who, at: (
        who.good and (at["model"] == "dazi" or (who.user in ("admin", "boss") and at["model"] != "none"))
    ),
    ("GET", "/v1/dazi/me"): anybody,
    ("GET", "/v1/dazi/threads"): anybody,
    ("POST", "/v1/dazi/threads/search"): anybody,
    ("GET", "/v1/dazi/me/export"): anybody,
    ("GET", "/v1/dazi/threads/{thread}"): owner,
    ("PATCH", "/v1/dazi/threads/{thread}"): owner,
    ("DELETE", "/v1/dazi/threads/{thread}"): owner,
    ("GET", "/v1/dazi/threads/{thread}/export"): owner,
    ("GET", "/v1/dazi/memory/facts"): anybody,
    ("POST", "/v1/dazi/memory/facts"): anybody,
    ("PATCH", "/v1/dazi/memory/facts/{fact}"): lambda w, who, at: (
        who.good and w.owned(at["fact"], who)
    ),
    ("DELETE", "/v1/dazi/memory/facts/{fact}"): lambda w, who, at: (
        who.good and w.owned(at["fact"], who)
    ),
    ("GET", "/v1/dazi/jobs"): anybody,
    ("POST", "/v1/dazi/jobs"): anybody,
    ("GET", "/v1/dazi/jobs/{job}"): owner_of("job"),
    ("POST", "/v1/dazi/jobs/{job}/cancel"): owner_of("job"),
    ("POST", "/v1/dazi/jobs/{job}/retry"): owner_of("job"),
    ("DELETE", "/v1/dazi/jobs/{job}"): owner_of("job"),
    ("GET", "/v1/dazi/jobs/{job}/files/{name}"): lambda w, who, at: (
        owner_of("job")(w, who, at) and at["name"] == "made.txt"
    ),
    ("GET", "/v1/dazi/batches/{batch}"): owner_of("batch"),
    ("GET", "/v1/dazi/job-kinds"): anybody,
    ("GET", "/v1/dazi/schedules"): anybody,
    ("POST", "/v1/dazi/schedules"): anybody,
    ("PATCH", "/v1/dazi/schedules/{schedule}"): owner_of("schedule"),
    ("DELETE", "/v1/dazi/schedules/{schedule}"): owner_of("schedule"),
    ("GET", "/v1/dazi/contracts"): anybody,
    ("POST", "/v1/dazi/contracts"): contract_reviewer,
    ("GET", "/v1/dazi/contracts/{job}"): reviewed,
    ("PUT", "/v1/dazi/contracts/{job}/verdicts/{item}"): reviewed,
    ("DELETE", "/v1/dazi/contracts/{job}/verdicts/{item}"): reviewed,
    ("GET", "/v1/dazi/contract-templates"): anybody,
    ("POST", "/v1/dazi/contract-templates"): contract_reviewer,
    ("GET", "/v1/dazi/contract-statistics"): lambda w, who, at: (
        who.good and who.user in ("boss", "admin")
    ),
    ("GET", "/v1/dazi/confirmations"): anybody,
    ("GET", "/v1/dazi/approvals"): anybody,
    ("POST", "/v1/dazi/confirmations/{ticket}"): lambda w, who, at: (
        who.good and w.owned(at["ticket"], who)
    ),
    ("GET", "/healthz"): lambda w, who, at: True,
    ("GET", "/metrics"): lambda w, who, at: True,
    ("GET", "/scaling"): lambda w, who, at: True,  # from this machine, where no token is set
    ("GET", "/readyz"): lambda w, who, at: True,
    ("POST", "/v1/dazi/sign-in"): lambda w, who, at: True,
    ("POST", "/v1/dazi/sign-in/code"): lambda w, who, at: person(w, who, at) or who.name == "partial",
    ("POST", "/v1/dazi/sign-in/enrolment"): person,
    ("POST", "/v1/dazi/sign-in/password"): person,
    ("POST", "/v1/dazi/sign-out"): lambda w, who, at: person(w, who, at) or who.name == "partial",
    ("GET", "/v1/dazi/users"): duty("sysadmin", "secadmin"),
    ("POST", "/v1/dazi/users"): duty("sysadmin"),
    ("GET", "/v1/dazi/users/{user}"): duty("sysadmin", "secadmin"),
    ("PATCH", "/v1/dazi/users/{user}"): duty("sysadmin"),
    ("DELETE", "/v1/dazi/users/{user}"): lambda w, who, at: (
        duty("sysadmin")(w, who, at) and at["user"] != who.user
    ),
    ("POST", "/v1/dazi/users/{user}/password"): duty("sysadmin"),
    ("GET", "/v1/dazi/users/{user}/lock"): duty("sysadmin", "secadmin"),
    ("DELETE", "/v1/dazi/users/{user}/lock"): lambda w, who, at: (
        duty("sysadmin", "secadmin")(w, who, at) and at["user"] != who.user
    ),
    ("DELETE", "/v1/dazi/users/{user}/second-factor"): lambda w, who, at: (
        duty("secadmin")(w, who, at) and at["user"] != who.user
    ),
    ("GET", "/v1/dazi/users/{user}/sessions"): own_or("sysadmin", "secadmin"),
    ("DELETE", "/v1/dazi/users/{user}/sessions"): own_or("sysadmin", "secadmin"),
    ("DELETE", "/v1/dazi/users/{user}/sessions/{session}"): lambda w, who, at: (
        own_or("sysadmin", "secadmin")(w, who, at)
        and (who.tenant, at["user"]) in w.home.get(at["session"], ())
    ),
    ("GET", "/v1/dazi/users/{user}/keys"): own_or("secadmin"),
    ("POST", "/v1/dazi/users/{user}/roles"): lambda w, who, at: (
        duty("sysadmin", "secadmin")(w, who, at)
        and not (who.has("secadmin") and at["user"] == who.user)
    ),
    ("GET", "/v1/dazi/role-requests"): duty("sysadmin", "secadmin"),
    ("POST", "/v1/dazi/role-requests/{request}"): lambda w, who, at: (
        who.has("secadmin") and w.near(at["request"], who)
    ),
    ("GET", "/v1/dazi/keys"): person,
    ("POST", "/v1/dazi/keys"): person,
    ("DELETE", "/v1/dazi/keys/{key}"): lambda w, who, at: (
        who.good and who.person
        and (w.owned(at["key"], who) or (who.has("secadmin") and w.near(at["key"], who)))
    ),
}  # fmt: skip

BODIES: Mapping[Path, Any] = {
    ("POST", "/v1/widget/{site}/begin"): {},
    ("POST", "/v1/widget/{site}/messages"): {"text": "你好"},
    ("POST", "/v1/widget/{site}/decision"): {"ticket": "aaaaaaaaaaaa", "approve": True},
    ("POST", "/v1/widget/{site}/hand-over"): {"text": "made"},
    ("POST", "/v1/widget/{site}/rating"): {"stars": 5},
    ("POST", "/v1/widget/{site}/feedback"): {"turn": "turn_default", "thumb": "down"},
    ("POST", "/v1/dazi/turns/{turn}/feedback"): {"thumb": "down"},
    ("POST", "/v1/dazi/feedback/{entry}"): {"act": "private"},
    ("POST", "/v1/dazi/knowledge/gaps/{gap}"): {"document": "none"},
    ("POST", "/v1/dazi/alerts/silences"): {"rule": ".*", "seconds": 60, "why": "made"},
    ("POST", "/v1/dazi/risk/transactions/{transaction}/decision"): {"outcome": "fraud"},
    ("POST", "/v1/dazi/prompts"): {"zh": "今天是{today}。made"},
    ("POST", "/v1/dazi/experiments"): {
        "name": "made", "arms": [{"name": "a", "prompt": 0}, {"name": "b"}],
        "ramp": [{"hours": 0, "shares": {"b": 0.1}}],
    },
    ("POST", "/v1/dazi/experiments/{experiment}"): {"act": "start"},
    ("POST", "/v1/dazi/experiments/{experiment}/events"): {"event": "rating", "value": 5},
    ("POST", "/v1/dazi/channels/{channel}/callback"): {"made": True},
    ("POST", "/v1/dazi/channels/{channel}/callback/{part}"): {"made": True},
    ("POST", "/v1/dazi/tickets"): {"title": "made"},
    ("POST", "/v1/dazi/tickets/{number}"): {"act": "hand_over", "text": "made"},
    ("POST", "/v1/dazi/desk/intent"): {"text": "退款"},
    ("POST", "/v1/dazi/knowledge/search"): {"query": "handbook of bananas"},
    ("POST", "/v1/dazi/knowledge/sources"): {"url": "http://127.0.0.1:1/made"},
    ("POST", "/v1/dazi/knowledge/documents"): {"made": True},
    ("PUT", "/v1/dazi/knowledge/documents/{document}/readers"): {"readers": ["all"]},
    ("POST", "/v1/dazi/reports/{report}"): {"parameters": {"month": "2025-03"}},
    ("POST", "/v1/chat/completions"): {
        "model": "dazi", "messages": [{"role": "user", "content": "你好"}],
    },
    ("POST", "/v1/embeddings"): {"model": "m", "input": "你好"},
    ("POST", "/v1/dazi/memory/facts"): {"text": "made"},
    ("PATCH", "/v1/dazi/memory/facts/{fact}"): {"text": "changed"},
    ("POST", "/v1/dazi/threads/search"): {"query": "canary-thread"},
    ("POST", "/v1/dazi/jobs"): {"kind": "export"},
    ("POST", "/v1/dazi/schedules"): {"kind": "export", "cron": "0 8 * * 1"},
    ("PATCH", "/v1/dazi/schedules/{schedule}"): {"enabled": False},
    ("POST", "/v1/dazi/contracts"): {},
    ("POST", "/v1/dazi/contract-templates"): {},
    ("PUT", "/v1/dazi/contracts/{job}/verdicts/{item}"): {"verdict": "accept"},
    ("PATCH", "/v1/dazi/threads/{thread}"): {"title": "changed", "archived": True},
    ("POST", "/v1/dazi/confirmations/{ticket}"): {"approve": True},
    ("POST", "/v1/dazi/sign-in"): {"user": "li", "password": "guess"},
    ("POST", "/v1/dazi/sign-in/code"): {"code": "000000"},
    ("POST", "/v1/dazi/sign-in/password"): {"password": "Kx7-mauerwerk-2", "old": "guess"},
    ("POST", "/v1/dazi/users"): {"user": "made", "name": "made", "roles": ["finance"]},
    ("PATCH", "/v1/dazi/users/{user}"): {"department": "elsewhere", "disabled": True},
    ("POST", "/v1/dazi/users/{user}/roles"): {"roles": ["finance"], "give": True},
    ("POST", "/v1/dazi/role-requests/{request}"): {"confirm": True},
    ("POST", "/v1/dazi/keys"): {"name": "made", "roles": ["admin"]},
}  # fmt: skip


async def ask(w: World, who: Who, method: str, url: str, **more: Any) -> Answered:
    headers = {"Authorization": f"Bearer {who.token}"} if who.token else {}
    return await w.site.request(
        method, url, None, headers=headers | more.pop("headers", {}), **more
    )


def filled(w: World, path: str) -> Iterator[dict[str, str]]:
    names = re.findall(r"{(\w+)}", path)
    for values in itertools.product(*(w.objects[n] for n in names)):
        yield dict(zip(names, values, strict=True))


async def state(site: Site) -> str:
    """Of all that a caller could change, less when a session was seen last."""
    digest = hashlib.sha256()
    async with site.runtime.database.read() as connection:
        for table in MUTABLE:
            rows = (await connection.execute(text(f"SELECT * FROM {table}"))).mappings().all()
            kept = [{k: v for k, v in r.items() if k not in ("seen", "last_used")} for r in rows]
            digest.update(repr(sorted(map(repr, kept))).encode())
    return digest.hexdigest()


def leaks(w: World, who: Who, answered: Answered) -> list[str]:
    said = answered.body.decode("utf-8", "replace")
    return [c for c, readers in w.owners.items() if c in said and who.name not in readers]


async def cells(
    w: World, allowed: Mapping[Path, Verdict], under: str = ""
) -> tuple[Counter[str], list[str]]:
    """Ask everything ``under`` an address; what was counted, and what went wrong."""
    document = (await w.site.request("GET", "/openapi.json")).json
    counted: Counter[str] = Counter()
    wrong: list[str] = []
    paths = {p: m for p, m in document["paths"].items() if p.startswith(under)}
    for path, methods in paths.items():
        for method in methods:
            route = (method.upper(), path)
            if route not in allowed:
                wrong.append(f"{route} is not written down")
                continue
            if "requestBody" in methods[method] and route not in BODIES:
                wrong.append(f"{route} has no body here")
                continue
            before = await state(w.site)
            for who in w.people:
                for at in filled(w, path):
                    may = allowed[route](w, who, at)
                    if may and route[0] != "GET":
                        counted["may, and is not tried"] += 1
                        continue
                    url = path.format(**at)
                    answered = await ask(w, who, route[0], url, json=BODIES.get(route))
                    counted["may" if may else "may not"] += 1
                    cell = f"{who.name} {route[0]} {url}: {answered.status}"
                    wrong += [f"{cell} tells {c}" for c in leaks(w, who, answered)]
                    if may and answered.status not in (200, 503):
                        wrong.append(f"{cell}, and it may")
                    harmless = answered.status == 200 and answered.body == b'{"ended":0}'
                    if not may and answered.status not in (401, 403, 404) and not harmless:
                        wrong.append(f"{cell}, and it may not")
            if await state(w.site) != before:
                wrong.append(f"{route} changed something for who may not")
    return counted, wrong


async def test_nobody_gets_what_is_not_theirs(site: Site) -> None:
    counted, wrong = await cells(await world(site), ALLOWED)
    print(dict(counted))
    assert wrong == []
    assert counted["may not"] > 800 and counted["may"] > 100


async def test_a_search_of_threads_finds_ones_own(site: Site) -> None:
    w = await world(site)
    for who in w.people:
        answered = await ask(
            w, who, "POST", "/v1/dazi/threads/search", json={"query": "canary-thread"}
        )
        assert not leaks(w, who, answered), who.name
        own = who.good and f"canary-thread-{who.tenant}".encode() in answered.body
        assert own == (who.good and who.user == "li"), who.name


async def test_a_search_finds_what_the_searcher_may_read(site: Site) -> None:
    """Everybody asks with the word that stands in all of the documents: those of theirs come, all of
    them, and no others. So does the list that managers may have."""
    w = await world(site)
    searched = 0
    for who in w.people:
        if not who.good:
            continue
        body = {"query": "handbook of bananas", "limit": 30}
        answered = await ask(w, who, "POST", "/v1/dazi/knowledge/search", json=body)
        assert answered.status == 200
        said = answered.body.decode()
        found = {c for c in w.owners if c.startswith("canarydoc") and c in said}
        theirs = {c for c in w.owners if c.startswith("canarydoc") and who.name in w.owners[c]}
        assert found == theirs, who.name
        searched += 1
        every = await ask(w, who, "GET", "/v1/dazi/knowledge/documents?all=true")
        assert every.status == (200 if manager(w, who, {}) else 403), who.name
        foreign = THERE if who.tenant == HERE else HERE
        assert f"canarydoc{foreign}" not in every.body.decode()
    assert searched > 10


async def test_a_foreign_id_looks_like_none(site: Site) -> None:
    """Also nested: the status and the body of what is another's are those of what is not there."""
    w = await world(site)
    sys = next(p for p in w.people if p.name == f"{HERE}/sys")
    li = next(p for p in w.people if p.name == f"{HERE}/li")
    boss = next(p for p in w.people if p.name == f"{HERE}/boss")
    for who, method, path, kind in (
        (sys, "GET", "/v1/dazi/users/{}", "user"),
        (sys, "DELETE", "/v1/dazi/users/{}", "user"),
        (sys, "GET", "/v1/dazi/users/{}/lock", "user"),
        (sys, "DELETE", "/v1/dazi/users/{}/lock", "user"),
        (sys, "GET", "/v1/dazi/users/{}/sessions", "user"),
        (li, "DELETE", "/v1/dazi/keys/{}", "key"),
        (li, "POST", "/v1/dazi/confirmations/{}", "ticket"),
        (li, "GET", "/v1/dazi/tickets/{}", "number"),
        (li, "POST", "/v1/dazi/tickets/{}", "number"),
        (li, "GET", "/v1/dazi/threads/{}", "thread"),
        (li, "GET", "/v1/dazi/threads/{}/export", "thread"),
        (li, "PATCH", "/v1/dazi/threads/{}", "thread"),
        (li, "DELETE", "/v1/dazi/threads/{}", "thread"),
        (li, "PATCH", "/v1/dazi/memory/facts/{}", "fact"),
        (li, "DELETE", "/v1/dazi/memory/facts/{}", "fact"),
        (li, "GET", "/v1/dazi/jobs/{}", "job"),
        (li, "POST", "/v1/dazi/jobs/{}/cancel", "job"),
        (li, "POST", "/v1/dazi/jobs/{}/retry", "job"),
        (li, "DELETE", "/v1/dazi/jobs/{}", "job"),
        (li, "GET", "/v1/dazi/jobs/{}/files/made.txt", "job"),
        (li, "GET", "/v1/dazi/batches/{}", "batch"),
        (li, "PATCH", "/v1/dazi/schedules/{}", "schedule"),
        (li, "GET", "/v1/dazi/contracts/{}", "review"),
        (li, "PUT", "/v1/dazi/contracts/{}/verdicts/field:seat", "review"),
        (li, "DELETE", "/v1/dazi/contracts/{}/verdicts/field:seat", "review"),
        (li, "DELETE", "/v1/dazi/schedules/{}", "schedule"),
        (li, "DELETE", "/v1/dazi/users/li/sessions/{}", "session"),
        (li, "GET", "/v1/dazi/knowledge/documents/{}", "document"),
        (li, "POST", "/v1/dazi/turns/{}/feedback", "turn"),
        (boss, "GET", "/v1/dazi/feedback/{}", "entry"),
        (boss, "POST", "/v1/dazi/feedback/{}", "entry"),
        (boss, "POST", "/v1/dazi/knowledge/gaps/{}", "gap"),
        (boss, "DELETE", "/v1/dazi/knowledge/gaps/{}/closing", "gap"),
        (boss, "PUT", "/v1/dazi/knowledge/documents/{}/readers", "document"),
        (boss, "DELETE", "/v1/dazi/knowledge/documents/{}", "document"),
        (boss, "POST", "/v1/dazi/knowledge/documents/{}/reindex", "document"),
        (boss, "DELETE", "/v1/dazi/knowledge/sources/{}", "source"),
    ):
        body = {"approve": True} if "confirmations" in path else None
        body = {"act": "hand_over"} if "tickets" in path and method == "POST" else body
        body = {"confirm": True} if "facts" in path and method == "PATCH" else body
        body = {"archived": True} if "threads" in path and method == "PATCH" else body
        body = {"thumb": "down"} if "turns" in path else body
        body = {"act": "private"} if "/feedback/{}" in path and method == "POST" else body
        body = {"document": "none"} if "gaps" in path and method == "POST" else body
        body = {"readers": ["all"]} if method == "PUT" else body
        body = {"verdict": "accept"} if "verdicts" in path and method == "PUT" else body
        body = {"enabled": False} if "schedules" in path and method == "PATCH" else body
        foreign = [i for i in w.objects[kind] if i in w.home and not w.near(i, who)]
        assert foreign, kind
        nothing = await ask(w, who, method, path.format("nonesuch"), json=body)
        for id in foreign:
            answered = await ask(w, who, method, path.format(id), json=body)
            assert answered.status == nothing.status, (method, path)
            assert answered.body.replace(id.encode(), b"nonesuch") == nothing.body


async def test_a_thread_is_its_owners(site: Site) -> None:
    w = await world(site)
    body = BODIES["POST", "/v1/chat/completions"]
    kept = [f"thread-{tenant}" for tenant in (HERE, THERE)]
    for who, thread in itertools.product(w.people, kept):
        if not who.good or (who.user == "li" and thread == f"thread-{who.tenant}"):
            continue
        site.says("好。")
        answered = await ask(
            w, who, "POST", "/v1/chat/completions", json=body, headers={"X-Dazi-Thread": thread}
        )
        assert answered.status == 404 and not leaks(w, who, answered), (who.name, thread)


@pytest.mark.parametrize("broken", ["role", "owner", "route", "reader"])
async def test_a_hole_is_noticed(site: Site, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    allowed = dict(ALLOWED)
    if broken == "role":
        monkeypatch.setattr("dazi.access.administration.may", lambda by, action: bool(by.roles))
    elif broken == "owner":
        keys = site.runtime.access.stores.keys

        async def everybodys(tenant: str, user: str | None) -> Any:
            return [*await of_tenant("default", None), *await of_tenant("other", None)]

        of_tenant = keys.of_tenant
        monkeypatch.setattr(type(keys), "of_tenant", lambda self, *given: everybodys(*given))
    elif broken == "reader":
        everybody = frozenset({"all", *READERS})
        monkeypatch.setattr("dazi.knowledge.library.labels_of", lambda principal: everybody)
        monkeypatch.setattr("dazi.knowledge.service.labels_of", lambda principal: everybody)
    else:
        del allowed["GET", "/v1/dazi/keys"]
    under = {"role": "/v1/dazi/users", "reader": "/v1/dazi/knowledge"}.get(broken, "/v1/dazi/keys")
    _, wrong = await cells(await world(site), allowed, under)
    assert any(
        {"role": "it may not", "owner": "tells", "route": "written down", "reader": "tells"}[broken]
        in w
        for w in wrong
    )
