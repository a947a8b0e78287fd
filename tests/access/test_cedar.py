"""Policies decide on canonical arguments, sources, approvals and time; all else is a deny."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import cedarpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dazi.access import cedar
from dazi.access.cedar_schema import EVERYTHING, context_of, shared_entities
from dazi.access.policy import Facts
from dazi.core.errors import ConfigError
from dazi.core.principal import Principal
from tests.access.conftest import LOOK, PAY, company, person, policy, tool

LARGE = """
@id("large")
forbid (principal, action == Action::"pay", resource)
when { context.args has amount && context.args.amount > 50000 }
unless { context.approved_by.contains("manager") };
"""


def facts(**more: Any) -> Facts:
    arguments = {"to": "老王", **more.pop("arguments", {})}
    return Facts(arguments, **more)


def test_without_a_policy_there_is_no_call() -> None:
    p = policy()
    assert not p.decide(person("staff"), PAY, facts()).allowed
    assert not p.decide(person(), LOOK, Facts()).allowed
    assert p.decide(person("staff"), LOOK, Facts()).policy == "roles:look:staff"
    assert p.decide(person("manager"), LOOK, Facts()).allowed  # a manager is staff
    assert not p.decide(person("staff"), tool("elsewhere"), Facts()).allowed
    assert not p.possible(person("staff"), tool("elsewhere")).allowed


def test_a_role_that_was_not_expanded_includes_what_it_includes() -> None:
    assert policy().decide(Principal("li", frozenset({"manager"})), LOOK, Facts()).allowed


def test_a_forbid_takes_away_and_names_itself() -> None:
    p = policy('@id("gone") forbid (principal, action, resource) when { principal == User::"li" };')
    decision = p.decide(person("staff"), LOOK, Facts())
    assert (decision.allowed, decision.policy) == (False, "gone")
    assert p.decide(person("staff", user="he"), LOOK, Facts()).allowed
    assert not p.possible(person("staff"), LOOK).allowed
    found = p.where("gone")
    assert found is not None and (found.path, found.line) == ("policies/p0.cedar", 1)


def test_a_permit_of_the_company_adds_to_the_role_lists() -> None:
    p = policy(
        'permit (principal, action == Action::"pay", resource)\n'
        'when { principal has department && principal.department == "rd" };'
    )
    assert p.decide(person("staff", department="rd"), PAY, facts()).policy == "p0.cedar:1"
    assert not p.decide(person("staff", department="hr"), PAY, facts()).allowed
    assert p.possible(person("staff", department="rd"), PAY).allowed


def test_groups_of_effects() -> None:
    p = policy('@id("no-writes") forbid (principal, action in Action::"write", resource);')
    assert not p.decide(person("finance"), PAY, facts()).allowed
    assert p.decide(person("staff"), LOOK, Facts()).allowed


@pytest.mark.parametrize(("amount", "allowed"), [(500, True), (500.01, False), (0.1 + 0.2, False)])
def test_money_is_whole_cents(amount: float, allowed: bool) -> None:
    """500.00 is 50,000 cents, 500.01 is more; what is no whole number of cents is no amount."""
    p = policy(LARGE)
    decision = p.decide(person("finance"), PAY, facts(arguments={"amount": amount}))
    assert (decision.allowed and not decision.confirm) is allowed


def test_an_amount_of_fractions_of_a_cent_cannot_be_approved() -> None:
    p = policy(LARGE)
    decision = p.decide(person("finance"), PAY, facts(arguments={"amount": 500.001}))
    assert not decision.allowed and decision.policy.startswith("error:")


def test_other_numbers_are_decimals_and_lists_are_sets() -> None:
    p = policy(
        '@id("share") forbid (principal, action == Action::"pay", resource) when {'
        ' context.args has share && context.args.share.greaterThan(decimal("0.5")) };',
        '@id("part") forbid (principal, action == Action::"pay", resource) when {'
        ' context.args has parts && context.args.parts.contains("b") };',
    )
    who = person("finance")
    assert p.decide(who, PAY, facts(arguments={"share": 0.5})).allowed
    assert p.decide(who, PAY, facts(arguments={"share": 1})).policy == "share"
    assert p.decide(who, PAY, facts(arguments={"parts": ["a"]})).allowed
    assert p.decide(who, PAY, facts(arguments={"parts": ["a", "b"]})).policy == "part"


def test_a_second_person_is_asked_for_where_a_policy_looks_for_one() -> None:
    p = policy(LARGE)
    who, much = person("finance"), {"amount": 501}
    asked = p.decide(who, PAY, facts(arguments=much))
    assert (asked.allowed, asked.confirm, asked.approver) == (True, True, "manager")
    assert asked.policy == "large"
    agreed = facts(arguments=much, confirmed=True, approved_by=frozenset({"manager", "staff"}))
    assert p.decide(who, PAY, agreed).allowed
    alone = facts(arguments=much, confirmed=True)
    assert not p.decide(who, PAY, alone).allowed
    # One's own role does not count as somebody else's.
    both = person("finance", "manager")
    assert p.decide(both, PAY, facts(arguments=much)).approver == "manager"


def test_a_policy_may_ask_for_a_confirmation() -> None:
    p = policy(
        '@id("ask") forbid (principal, action == Action::"pay", resource)'
        " unless { context.confirmed };"
    )
    asked = p.decide(person("finance"), PAY, facts())
    assert (asked.allowed, asked.confirm, asked.approver, asked.policy) == (True, True, "", "ask")
    assert p.decide(person("finance"), PAY, facts(confirmed=True)).allowed
    assert not p.decide(person("staff"), PAY, facts()).allowed


def test_sources_and_what_is_untrusted() -> None:
    p = policy(
        '@id("mailed") forbid (principal, action == Action::"pay", resource) when {'
        ' context.sources has to && context.sources.to.contains("mail:inbox") };',
        '@id("amount") forbid (principal, action == Action::"pay", resource) when {'
        ' context.untrusted.contains("amount") };',
    )
    who = person("finance")
    assert p.decide(who, PAY, facts(sources={"to": ("person",)})).allowed
    assert p.decide(who, PAY, facts(sources={"to": ("tool:x",)})).allowed
    assert p.decide(who, PAY, facts(sources={"to": ("tool:x", "mail:inbox")})).policy == "mailed"
    assert p.decide(who, PAY, facts(sources={"amount": ("tool:x",)})).policy == "amount"


def test_channel_and_time() -> None:
    p = policy(
        '@id("shut") forbid (principal, action, resource)'
        " when { context.now.hour < 8 || context.now.weekday > 5 };",
        '@id("web") forbid (principal, action, resource) when { context.channel == "web" };',
    )
    who = person("staff")
    friday = datetime(2025, 4, 4, 9)
    assert p.decide(who, LOOK, Facts(at=friday)).allowed
    assert p.decide(who, LOOK, Facts(at=friday.replace(hour=7))).policy == "shut"
    assert p.decide(who, LOOK, Facts(at=friday.replace(day=5))).policy == "shut"
    web = Principal("li", frozenset({"staff"}), channel="web")
    assert p.decide(web, LOOK, Facts(at=friday)).policy == "web"
    # A time that is not known is an error, and an error is a deny.
    assert p.decide(who, LOOK, Facts()).policy.startswith("error:")


def test_possible_looks_past_what_is_not_known_yet() -> None:
    p = policy(LARGE, '@id("no") forbid (principal, action == Action::"look", resource);')
    assert p.possible(person("finance"), PAY).allowed
    assert not p.possible(person("staff"), PAY).allowed
    assert not p.possible(person("staff"), LOOK).allowed


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("permit (principal, action, resource)\nwhen { 1 + };", 1, "not valid Cedar"),
        ('// x\n\n@id("a") permit (principal, action == Action::"fly", resource);', 3, "fly"),
        (
            'permit(principal,action,resource);\npermit (principal, action == Action::"pay", '
            "resource) when { context.args.amuont > 3 };",
            2,
            "amuont",
        ),
        ('permit (principal in Role::"boss", action, resource);', 1, "boss"),
        (
            'forbid (principal, action == Action::"pay", resource) unless '
            '{ context.approved_by.containsAny(["finance", "bose"]) };',
            1,
            "bose",
        ),
        ("permit (principal == ?principal, action, resource);", 1, "templates"),
        ('@id("x") permit (principal, action, resource);\n@id("x") permit (principal, action, '
         "resource);", 2, "already"),
        ('@id("roles:pay:staff") permit (principal, action, resource);', 1, "already"),
        (
            'permit (principal, action == Action::"pay", resource) '
            "when { context.args.amount > 1.5 };",
            1,
            "Cedar",
        ),
        ('permit (principal, action == Action::"pay", resource) when { principal.salary == "x" };',
         1, "salary"),
        ('permit (principal, action == Action::"pay", resource) when '
         '{ context.args.to == 3 };', 1, "Long"),
    ],
)  # fmt: skip
def test_a_wrong_policy_stops_the_start_with_file_and_line(text: str, line: int, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        policy("", text)
    assert (caught.value.where, caught.value.line) == ("policies/p1.cedar", line)
    assert said in str(caught.value)


def test_semicolons_in_texts_and_comments_end_nothing() -> None:
    p = policy(
        '// a; b\n@id("a;b") forbid (principal, action, resource)\n'
        'when { principal == User::"x;\\"y" }; // c;\n\n// d\n@id("e") forbid (principal, action, '
        'resource) when { principal == User::"z" };\n// the end;\n'
    )
    assert [(s.name, s.line) for s in p.statements[:2]] == [("a;b", 2), ("e", 6)]
    odd = person("staff", user='x;"y')
    assert p.decide(odd, LOOK, Facts()).policy == "a;b"


def test_an_odd_name_is_only_a_name() -> None:
    for user in ('"', "\\", "a\nb", "\x07", "李", '"}, "type": "Role"', ""):
        p = policy('@id("z") forbid (principal, action, resource) when { context.channel == "q" };')
        assert p.decide(person("staff", user=user), LOOK, Facts()).allowed
        assert p.possible(person("staff", user=user), LOOK).allowed
        assert not p.decide(person(user=user), LOOK, Facts()).allowed


def test_the_version_changes_with_anything_that_may_change_an_answer() -> None:
    versions = {
        policy().version,
        policy(LARGE).version,
        policy(LARGE.replace("50000", "60000")).version,
        policy(tools=(PAY,)).version,
        policy(roles={"staff": frozenset({"staff"}), "finance": frozenset({"finance"})}).version,
        policy(tools=(tool("pay", effect="sensitive"),)).version,
        policy(tools=(tool("pay", effect="sensitive", approver="finance"),)).version,
    }
    assert len(versions) == 7
    assert policy(LARGE).version == policy(LARGE).version


def test_a_tool_may_not_be_called_like_a_group() -> None:
    with pytest.raises(ConfigError, match="group"):
        policy(tools=(tool("read"),))


# --- what is left out of an evaluation never changes it ------------------------------------------

HEADS = [
    "principal, action, resource",
    'principal in Role::"staff", action, resource',
    'principal, action == Action::"pay", resource',
    'principal, action == Action::"look", resource',
    'principal, action in Action::"write", resource',
    'principal, action in [Action::"read", Action::"pay"], resource',
    'principal == User::"li", action in [Action::"look"], resource',
    'principal, action, resource == System::"erp"',
]
CONDITIONS = [
    "",
    'when { context.channel == "api" }',
    "when { context.confirmed }",
    'unless { context.approved_by.contains("manager") }',
    'when { context.untrusted.contains("to") }',
    "when { principal has department }",
    "when { context.now.hour > 8 }",
]
statement = st.tuples(
    st.sampled_from(["permit", "forbid"]), st.sampled_from(HEADS), st.sampled_from(CONDITIONS)
)


def whole(p: cedar.CedarPolicy, who: Principal, t: Any, f: Facts) -> bool:
    """The decision by every statement and the whole context, as the Cedar engine makes it."""
    result = cedarpy.is_authorized(
        {
            "principal": {"type": "User", "id": who.user},
            "action": {"type": "Action", "id": t.name},
            "resource": {"type": "System", "id": t.connector},
            "context": context_of(t, f, who.channel, EVERYTHING),
        },
        "\n".join(s.text for s in p.statements),
        [
            *shared_entities(company()),
            {
                "uid": {"type": "User", "id": who.user},
                "attrs": {"tenant": who.tenant, **who.attributes},
                "parents": [{"type": "Role", "id": r} for r in who.roles],
            },
        ],
        p.schema,  # with the schema the engine knows the groups of actions by itself
    )
    return result.allowed and not result.diagnostics.errors


@settings(max_examples=300, deadline=None)
@given(
    st.lists(statement, max_size=6),
    st.sampled_from([("staff",), ("finance",), ("manager", "finance"), ()]),
    st.sampled_from(["", "rd"]),
    st.booleans(),
    st.sampled_from([frozenset(), frozenset({"manager"}), frozenset({"staff"})]),
    st.sampled_from([("person",), ("tool:x",)]),
    st.integers(0, 23),
)
def test_slicing_and_caching_change_no_answer(
    chosen: list[tuple[str, str, str]],
    roles: tuple[str, ...],
    department: str,
    confirmed: bool,
    approved: frozenset[str],
    source: tuple[str, ...],
    hour: int,
) -> None:
    p = policy("\n".join(f"{effect} ({head}) {when};" for effect, head, when in chosen))
    who = person(*roles, **({"department": department} if department else {}))
    for t in (PAY, LOOK):
        given_facts = Facts(
            {"to": "x"} if t is PAY else {},
            {"to": source} if t is PAY else {},
            datetime(2025, 4, 3, hour),
            confirmed,
            approved,
        )
        expected = whole(p, who, t, given_facts)
        for _ in range(2):
            decision = p.decide(who, t, given_facts)
            assert (decision.allowed and not decision.confirm) == expected
        if expected:
            assert p.possible(who, t).allowed


def test_the_property_would_see_a_statement_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard broken on purpose: a slice that forgets statements without a named action."""
    concerns = cedar.Statement.concerns

    def careless(self: Any, action: str, groups: frozenset[str]) -> bool:
        return self.parsed["action"]["op"] != "All" and concerns(self, action, groups)

    monkeypatch.setattr(cedar.Statement, "concerns", careless)
    with pytest.raises(AssertionError):
        test_slicing_and_caching_change_no_answer()
