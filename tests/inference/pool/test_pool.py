"""What a pool does with a request, whatever its servers do."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace

import pytest

from dazi.core.engine import GenerateRequest, ModelChanged, ModelProfile, OfferedTool, TextDelta
from dazi.core.errors import CallerError, NotFound, OperatorError, OverloadError
from dazi.core.messages import Image, Message
from tests.inference.pool.scripted import DOWN, SMALL, ask, config, house, said

URL = "http://127.0.0.1:9/v1"


def two(**pool: object) -> dict[str, object]:
    return {
        "pool": {"balance": "least", **pool},
        "backends": {"a": {"url": URL, "at_once": 2}, "b": {"url": URL, "at_once": 2}},
    }


async def test_answers_and_says_who_did() -> None:
    h = house(two())
    text, end = await said(h.pool)
    assert text == "你好" and end.by is not None
    assert end.by.backend in ("a", "b") and not end.by.fallback and end.by.place == "private"
    assert end.usage.prompt == 10 and not any(b.under_way for b in h.pool.backends)


async def test_least_outstanding_shares() -> None:
    h = house(two())
    for server in h.servers.values():
        server.gate = asyncio.Event()
    tasks = [asyncio.create_task(said(h.pool)) for _ in range(4)]
    await asyncio.sleep(0.01)
    assert [b.under_way for b in h.pool.backends] == [2, 2]
    for server in h.servers.values():
        assert server.gate is not None
        server.gate.set()
    await asyncio.gather(*tasks)
    assert [b.under_way for b in h.pool.backends] == [0, 0]


async def test_a_failure_before_the_first_token_is_tried_elsewhere() -> None:
    h = house(two())
    h.servers["a"].fails = DOWN
    for _ in range(6):
        text, end = await said(h.pool)
        assert text == "你好" and end.by is not None and end.by.backend == "b"
    a = h.pool.backends[0]
    assert a.state == "resting" and a.counts.failed == 3, "after three in a row it is left alone"
    assert a.counts.moved == 3
    moved = [body for _, body in h.notes]
    assert moved and all(body["tried"] == ["a"] and body["backend"] == "b" for body in moved)


async def test_after_the_first_token_nothing_is_tried_again() -> None:
    h = house(two())
    h.servers["a"].cut = h.servers["b"].cut = 1
    texts: list[str] = []
    with pytest.raises(OperatorError, match="middle"):
        async for event in h.pool.generate(ask()):
            assert isinstance(event, TextDelta)
            texts.append(event.text)
    assert texts == ["你"], "what was said is not said again"
    assert sum(len(s.asked) for s in h.servers.values()) == 1
    assert sum(b.counts.cut for b in h.pool.backends) == 1


async def test_attempts_end() -> None:
    h = house(two(attempts=1))
    for server in h.servers.values():
        server.fails = DOWN
    with pytest.raises(OperatorError):
        await said(h.pool)
    assert sum(len(s.asked) for s in h.servers.values()) == 1


async def test_what_the_caller_did_wrong_is_not_tried_elsewhere() -> None:
    h = house(two())
    for server in h.servers.values():
        server.fails = CallerError("context_overflow", "太长", "too long")
    with pytest.raises(CallerError, match="too long"):
        await said(h.pool)
    assert sum(len(s.asked) for s in h.servers.values()) == 1
    assert all(b.usable and not b.counts.failed for b in h.pool.backends)


async def test_a_busy_server_is_passed_over_and_not_blamed() -> None:
    h = house(two())
    h.servers["a"].fails = OverloadError("model_busy", "忙", "busy", retry_after=7)
    for _ in range(4):
        await said(h.pool)
    a = h.pool.backends[0]
    assert len(h.servers["a"].asked) == 1 and a.state == "busy" and a.alive
    h.servers["a"].fails = None
    h.now[0] += 7.1
    assert a.state == "unknown"
    for _ in range(4):
        await said(h.pool)
    assert len(h.servers["a"].asked) > 1


async def test_a_server_that_rested_is_tried_by_one_request_first() -> None:
    h = house(two(rest_seconds=10))
    a = h.pool.backends[0]
    h.servers["a"].fails = DOWN
    for _ in range(6):
        await said(h.pool)
    h.now[0] += 10.1
    h.servers["a"].gate = asyncio.Event()
    tasks = [asyncio.create_task(said(h.pool)) for _ in range(3)]
    await asyncio.sleep(0.01)
    assert a.under_way == 1, "one tries it, the others go where it is well"
    h.servers["a"].gate.set()
    await asyncio.gather(*tasks)
    assert a.breaker.rests_s == pytest.approx(20), "it rests twice as long"
    h.now[0] += 20.1
    h.servers["a"].fails = None
    for _ in range(3):
        await said(h.pool)
    assert a.state == "unknown" and a.breaker.rests_s == 0


async def test_a_slow_server_is_left_for_another() -> None:
    h = house(two(first_token_seconds=0.05))
    h.servers["a"].gate = asyncio.Event()
    for _ in range(2):
        _, end = await said(h.pool)
        assert end.by is not None and end.by.backend == "b"
    assert h.servers["a"].left == len(h.servers["a"].asked) >= 1, "it was told to stop"


async def test_the_deadline_bounds_all_attempts() -> None:
    h = house(two(first_token_seconds=30, deadline_seconds=0.05, attempts=10))
    for server in h.servers.values():
        server.gate = asyncio.Event()
    async with asyncio.timeout(20):
        with pytest.raises(OperatorError):
            await said(h.pool)
    assert not any(b.under_way for b in h.pool.backends)


async def test_leaving_frees_the_place_and_stops_the_server() -> None:
    h = house(two())
    async with aclosing(h.pool.bursts(ask())) as bursts:
        await anext(bursts)
    assert sum(s.left for s in h.servers.values()) == 1
    assert not any(b.under_way for b in h.pool.backends)
    assert all(b.usable for b in h.pool.backends)


async def test_cancelling_while_waiting_for_the_first_token() -> None:
    h = house(two())
    for server in h.servers.values():
        server.gate = asyncio.Event()
    task = asyncio.create_task(said(h.pool))
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert not any(b.under_way for b in h.pool.backends)
    assert sum(s.left for s in h.servers.values()) == 1


# --- places and the queue ------------------------------------------------------------------------


async def test_a_place_goes_to_who_has_waited_longest() -> None:
    h = house({"pool": {"queue": 8}, "backends": {"a": {"url": URL, "at_once": 1}}})
    order: list[int] = []

    async def one(i: int) -> None:
        await said(h.pool, ask(str(i)))
        order.append(i)

    tasks = []
    for i in range(5):
        tasks.append(asyncio.create_task(one(i)))
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    assert order == [0, 1, 2, 3, 4]
    assert h.pool.backends[0].under_way == 0 and h.pool.places.waiting == 0


async def test_a_full_queue_is_told_at_once_and_a_long_wait_in_time() -> None:
    h = house(
        {"pool": {"queue": 1, "queue_seconds": 0.05}, "backends": {"a": {"url": URL, "at_once": 1}}}
    )
    gate = h.servers["a"].gate = asyncio.Event()
    first = asyncio.create_task(said(h.pool))
    await asyncio.sleep(0.01)
    waiting = asyncio.create_task(said(h.pool))
    await asyncio.sleep(0)
    with pytest.raises(OverloadError):
        await said(h.pool)
    with pytest.raises(OverloadError, match="none came free"):
        await waiting
    gate.set()
    await first
    assert h.pool.backends[0].under_way == 0 and h.pool.places.waiting == 0


async def test_who_waits_for_a_server_that_fails_is_not_left_waiting() -> None:
    h = house(
        {"pool": {"failures": 1, "queue_seconds": 5}, "backends": {"a": {"url": URL, "at_once": 1}}}
    )
    gate = h.servers["a"].gate = asyncio.Event()
    h.servers["a"].fails = DOWN
    tasks = [asyncio.create_task(said(h.pool)) for _ in range(3)]
    await asyncio.sleep(0.01)
    gate.set()
    async with asyncio.timeout(20):
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(e, OperatorError) for e in ended)
    assert len(h.servers["a"].asked) == 1


async def test_a_cancelled_wait_gives_its_place_on() -> None:
    h = house({"backends": {"a": {"url": URL, "at_once": 1}}})
    gate = h.servers["a"].gate = asyncio.Event()
    tasks = [asyncio.create_task(said(h.pool, ask(str(i)))) for i in range(3)]
    await asyncio.sleep(0.01)
    tasks[1].cancel()
    gate.set()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(ended[1], asyncio.CancelledError)
    assert [r.content for r in (q.messages[-1] for q in h.servers["a"].asked)] == ["0", "2"]
    assert h.pool.backends[0].under_way == 0


# --- lesser models -------------------------------------------------------------------------------

TIERS = {
    "pool": {"failures": 1},
    "backends": {
        "big": {"url": URL, "model": "Qwen3-14B"},
        "small": {"url": URL, "model": "Qwen3-8B", "tier": 1},
        "mini": {"embedded": "bundled", "tier": 2},
    },
}


async def test_a_smaller_model_stands_in_and_says_so() -> None:
    h = house(TIERS)
    assert h.pool.profile.name == "Qwen3-14B"
    _, end = await said(h.pool)
    assert end.by is not None and not end.by.fallback
    h.servers["big"].fails = DOWN
    text, end = await said(h.pool, ask(made_for=h.servers["big"].profile))
    assert text == "你好" and end.by is not None
    assert end.by.fallback and end.by.model == "Qwen3-8B"
    assert h.pool.profile.name == "Qwen3-8B"
    assert h.notes[-1][1]["backend"] == "small" and h.notes[-1][1]["tier"] == 1


async def test_a_model_that_needs_other_prompts_is_not_given_these() -> None:
    h = house(TIERS)
    h.servers["big"].fails = h.servers["small"].fails = DOWN
    with pytest.raises(ModelChanged) as raised:
        await said(h.pool, ask(made_for=ModelProfile("Qwen3-14B", 32768)))
    assert raised.value.profile == SMALL and not h.servers["mini"].asked
    text, end = await said(h.pool, ask(made_for=SMALL))
    assert text == "你好" and end.by is not None and end.by.backend == "mini"
    text, _ = await said(h.pool, ask())
    assert text == "你好", "a prompt that is made for none can be answered by any"


async def test_a_busy_server_is_waited_for_rather_than_left_for_a_lesser() -> None:
    h = house(
        {
            "backends": {
                "big": {"url": URL, "at_once": 1},
                "mini": {"embedded": "bundled", "tier": 1},
            }
        }
    )
    ends = await asyncio.gather(*(said(h.pool) for _ in range(4)))
    assert {e.by.backend for _, e in ends if e.by} == {"big"}


# --- what is asked for by name -------------------------------------------------------------------


async def test_models_and_adapters_by_name() -> None:
    h = house(
        {
            "backends": {
                "a": {"url": URL, "model": "Qwen3-14B", "adapters": ["contracts"]},
                "b": {"url": URL, "model": "Qwen3-8B"},
            }
        }
    )
    assert h.pool.names() == ("Qwen3-14B", "contracts", "Qwen3-8B")
    for _ in range(3):
        _, end = await said(h.pool, ask(model="contracts"))
        assert end.by is not None and (end.by.backend, end.by.model) == ("a", "contracts")
        assert end.by.base == h.servers["a"].profile.name, "what it costs where it has no price"
        assert h.servers["a"].asked[-1].model == "contracts"
        _, end = await said(h.pool, ask(model="Qwen3-8B"))
        assert end.by is not None and (end.by.backend, end.by.base) == ("b", "")
        assert h.servers["b"].asked[-1].model == "", "its own model has its own name there"
    with pytest.raises(NotFound):
        await said(h.pool, ask(model="gpt"))


async def test_pictures_go_to_models_that_see() -> None:
    picture = Message("user", "这是什么", images=(Image("image/png", "aGk="),))
    h = house({"backends": {"a": {"url": URL}, "eyes": {"url": URL, "vision": True}}})
    for _ in range(3):
        _, end = await said(h.pool, GenerateRequest((picture,)))
        assert end.by is not None and end.by.backend == "eyes"
    blind = house({"backends": {"a": {"url": URL}}})
    with pytest.raises(CallerError, match="see pictures"):
        await said(blind.pool, GenerateRequest((picture,)))


# --- hedging -------------------------------------------------------------------------------------


async def test_hedging_takes_the_first_of_two() -> None:
    h = house(two(hedge_seconds=0.02))
    h.servers["a"].gate = asyncio.Event()
    for _ in range(4):
        _, end = await said(h.pool)
        assert end.by is not None and end.by.backend == "b"
    asked = len(h.servers["a"].asked)
    assert asked and h.servers["a"].left == asked, "the loser is told to stop"
    assert not any(b.under_way for b in h.pool.backends)
    assert h.pool.backends[0].usable, "losing is no failure"


async def test_hedging_is_off_unless_asked_for() -> None:
    h = house(two())
    gate = asyncio.Event()
    for server in h.servers.values():
        server.gate = gate
    task = asyncio.create_task(said(h.pool))
    await asyncio.sleep(0.05)
    assert sum(len(s.asked) for s in h.servers.values()) == 1
    gate.set()
    await task


async def test_hedging_where_both_fail() -> None:
    h = house(two(hedge_seconds=0.01, attempts=2))
    for server in h.servers.values():
        server.fails = DOWN
    with pytest.raises(OperatorError):
        await said(h.pool)
    assert not any(b.under_way for b in h.pool.backends)


# --- another configuration -----------------------------------------------------------------------


async def test_a_server_that_is_taken_out_ends_what_it_has_begun() -> None:
    h = house(two())
    gate = asyncio.Event()
    for server in h.servers.values():
        server.gate = gate
    tasks = [asyncio.create_task(said(h.pool)) for _ in range(2)]
    await asyncio.sleep(0.01)
    a = h.servers["a"]
    after = {"b": {"url": URL, "at_once": 2}, "c": {"url": URL}}
    await h.pool.apply(config({"pool": {"balance": "least"}, "backends": after}))
    assert [b.name for b in h.pool.backends] == ["b", "c"]
    await asyncio.sleep(0.01)
    assert not a.closed
    gate.set()
    assert [text for text, _ in await asyncio.gather(*tasks)] == ["你好", "你好"]
    await asyncio.sleep(0.01)
    assert a.closed and not h.servers["b"].closed
    for _ in range(6):
        await said(h.pool)
    assert len(a.asked) == 1 and h.servers["c"].asked


async def test_draining_takes_nothing_new_and_can_be_undone() -> None:
    h = house(two())
    drained = two()
    drained["backends"]["a"]["drain"] = True  # type: ignore[index]
    kept = h.pool.backends[0]
    await h.pool.apply(config(drained))
    assert h.pool.backends[0] is kept and kept.state == "draining"
    for _ in range(4):
        await said(h.pool)
    assert not h.servers["a"].asked
    await h.pool.apply(config(two()))
    for _ in range(4):
        await said(h.pool)
    assert h.servers["a"].asked and not h.servers["a"].closed


async def test_what_was_warmed_is_warmed_again_on_a_new_server() -> None:
    h = house({"backends": {"a": {"url": URL}}})
    tool = OfferedTool("get", "reads", {"type": "object", "properties": {"id": {"type": "string"}}})
    await h.pool.warm(ask(tools=(tool,)))
    await h.pool.warm(ask("hello", tools=(tool,)))
    await h.pool.warm(ask("hello", tools=(tool,)))
    await h.pool.apply(config({"backends": {"a": {"url": URL}, "b": {"url": URL}}}))
    await asyncio.sleep(0.01)
    assert h.servers["a"].warmed == 3, "asked for three times"
    assert h.servers["b"].warmed == 2, "two different prompts"


async def test_warming_fails_only_where_no_server_can_be_reached() -> None:
    h = house(two())
    h.servers["a"].fails = DOWN
    await h.pool.warm(ask())
    h.servers["b"].fails = DOWN
    with pytest.raises(OperatorError):
        await h.pool.warm(ask())


# --- what was found by looking for it ------------------------------------------------------------


async def test_failures_of_one_moment_make_one_rest() -> None:
    """All that were under way fail together: that is one fault, not as many."""
    h = house({"pool": {"rest_seconds": 10, "attempts": 1}, "backends": {"a": {"url": URL}}})
    gate = h.servers["a"].gate = asyncio.Event()
    h.servers["a"].fails = DOWN
    tasks = [asyncio.create_task(said(h.pool)) for _ in range(10)]
    await asyncio.sleep(0.01)
    gate.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    a = h.pool.backends[0]
    assert a.breaker.rests_s == pytest.approx(10)
    h.servers["a"].fails = None
    h.pool.found(a, False, DOWN)
    h.pool.found(a, True)
    text, _ = await said(h.pool)
    assert text == "你好", "a look said that it is well again: the next request tries it"


async def test_an_answer_in_one_piece_is_not_cut_at_the_first_token() -> None:
    h = house(two(first_token_seconds=0.02, deadline_seconds=5))
    for server in h.servers.values():
        server.gate = asyncio.Event()
    task = asyncio.create_task(said(h.pool, ask(whole=True)))
    await asyncio.sleep(0.1)
    for server in h.servers.values():
        assert server.gate is not None
        server.gate.set()
    text, _ = await task
    assert text == "你好" and sum(len(s.asked) for s in h.servers.values()) == 1


async def test_who_waits_while_the_configuration_changes_goes_to_the_new_server() -> None:
    h = house({"pool": {"queue_seconds": 2}, "backends": {"a": {"url": URL, "at_once": 1}}})
    gate = h.servers["a"].gate = asyncio.Event()
    first = asyncio.create_task(said(h.pool))
    await asyncio.sleep(0.01)
    waiting = asyncio.create_task(said(h.pool))
    await asyncio.sleep(0.01)
    await h.pool.apply(config({"backends": {"b": {"url": URL}}}))
    async with asyncio.timeout(20):
        _, end = await waiting
    assert end.by is not None and end.by.backend == "b"
    gate.set()
    await first


async def test_a_change_that_cannot_be_made_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    h = house(two())
    opened = h.pool._parts.open

    def broken(name: str, spec: object, key: str) -> object:
        if name == "c":
            raise OperatorError("model_missing", "没有", "there is no such model")
        return opened(name, spec, key)  # type: ignore[arg-type]

    h.pool._parts = replace(h.pool._parts, open=broken)  # type: ignore[arg-type]
    data = {"d": {"url": URL}, "a": {"url": URL, "at_once": 2, "drain": True}, "c": {"url": URL}}
    with pytest.raises(OperatorError):
        await h.pool.apply(config({"backends": data}))
    assert [b.name for b in h.pool.backends] == ["a", "b"]
    assert not h.pool.backends[0].draining and h.servers["d"].closed


async def test_models_of_different_kinds_in_one_tier_get_their_own_prompts() -> None:
    h = house({"backends": {"big": {"url": URL}, "mini": {"embedded": "bundled"}}})
    for _ in range(6):
        _, end = await said(h.pool, ask(made_for=h.servers["big"].profile))
        assert end.by is not None and end.by.backend == "big"


async def test_a_hedge_stays_among_equals_and_spoils_nothing() -> None:
    h = house(
        {
            "pool": {"hedge_seconds": 0.01},
            "backends": {"big": {"url": URL}, "small": {"url": URL, "tier": 1}},
        }
    )
    gate = h.servers["big"].gate = asyncio.Event()
    task = asyncio.create_task(said(h.pool))
    await asyncio.sleep(0.05)
    assert not h.servers["small"].asked, "a slow good model is better than a quick lesser one"
    gate.set()
    _, end = await task
    assert end.by is not None and end.by.backend == "big"


async def test_who_waits_for_a_busy_server_is_woken_when_it_may_be_asked() -> None:
    h = house({"pool": {"queue_seconds": 3}, "backends": {"a": {"url": URL, "at_once": 1}}})
    a = h.servers["a"]
    gate = a.gate = asyncio.Event()
    a.fails = OverloadError("model_busy", "忙", "busy", retry_after=0.05)
    first = asyncio.create_task(said(h.pool))
    await asyncio.sleep(0.01)
    waiting = asyncio.create_task(said(h.pool))
    await asyncio.sleep(0.01)
    gate.set()
    with pytest.raises(OverloadError):
        await first
    a.fails = None
    h.now[0] += 0.05
    async with asyncio.timeout(20):
        assert (await waiting)[0] == "你好"


async def test_warming_takes_requests_with_tools() -> None:
    h = house(two())
    tool = OfferedTool("t", "工具", {"type": "object", "properties": {}})
    for _ in range(2):
        await h.pool.warm(ask(tools=(tool,)))
    assert h.servers["a"].warmed == 2 and len(h.pool._warmed) == 1
