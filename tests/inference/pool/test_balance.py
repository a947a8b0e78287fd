"""Choosing among equal servers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from dazi.core.engine import GenerateRequest
from dazi.core.messages import Message
from dazi.inference.pool.balance import Least, Prefix, RoundRobin, affinity


@dataclass
class Loaded:
    name: str
    weight: float = 1.0
    under_way: int = 0


def thread(n: int, turns: int = 1) -> GenerateRequest:
    messages = [Message("system", "你是助手"), Message("user", f"问题 {n}")]
    for i in range(turns - 1):
        messages += [Message("assistant", "答"), Message("user", f"再问 {i}")]
    return GenerateRequest(tuple(messages))


def test_a_conversation_stays_where_its_beginning_is() -> None:
    servers = [Loaded("a"), Loaded("b"), Loaded("c")]
    prefix = Prefix(1.25)
    for n in range(50):
        assert len({prefix.pick(servers, thread(n, turns)) for turns in (1, 2, 5)}) == 1
    assert affinity(thread(1)) == affinity(thread(1, 3)) != affinity(thread(2))


def test_conversations_are_spread_by_weight() -> None:
    servers = [Loaded("a"), Loaded("b"), Loaded("c", weight=2.0)]
    prefix = Prefix(10)
    found = Counter(servers[prefix.pick(servers, thread(n))].name for n in range(4000))
    assert 700 < found["a"] < 1300 and 700 < found["b"] < 1300 and 1600 < found["c"] < 2400


def test_a_server_that_goes_takes_only_its_own_with_it() -> None:
    servers = [Loaded("a"), Loaded("b"), Loaded("c")]
    prefix = Prefix(1.25)
    before = {n: servers[prefix.pick(servers, thread(n))].name for n in range(500)}
    left = [servers[0], servers[2]]
    after = {n: left[prefix.pick(left, thread(n))].name for n in range(500)}
    assert all(after[n] == before[n] for n in before if before[n] != "b")
    assert {after[n] for n in before if before[n] == "b"} == {"a", "c"}


def test_no_server_has_more_than_its_bound() -> None:
    servers = [Loaded("a"), Loaded("b"), Loaded("c")]
    prefix = Prefix(1.25)
    for _ in range(90):  # all of one conversation, which would all go to one server
        servers[prefix.pick(servers, thread(7))].under_way += 1
        total = sum(s.under_way for s in servers)
        assert max(s.under_way for s in servers) <= 1.25 * total / 3 + 1
    assert min(s.under_way for s in servers) > 0
    quiet, slack = [Loaded("a"), Loaded("b")], Prefix(1.25, 4)
    chosen = [slack.pick(quiet, thread(7)) for _ in range(1)]
    for _ in range(5):
        chosen.append(slack.pick(quiet, thread(7)))
        quiet[chosen[-1]].under_way += 1
    assert len(set(chosen)) == 1, "a few at a time are no load worth an unknown prompt"


def test_least_outstanding_by_weight() -> None:
    servers = [
        Loaded("a", under_way=4),
        Loaded("b", weight=4.0, under_way=8),
        Loaded("c", under_way=3),
    ]
    assert servers[Least().pick(servers, thread(1))].name == "b"
    equals = [Loaded("a"), Loaded("b")]
    least = Least()
    assert Counter(least.pick(equals, thread(1)) for _ in range(10)) == {0: 5, 1: 5}


def test_round_robin() -> None:
    servers = [Loaded("a"), Loaded("b"), Loaded("c")]
    turn = RoundRobin()
    assert [turn.pick(servers, thread(1)) for _ in range(6)] == [0, 1, 2, 0, 1, 2]
