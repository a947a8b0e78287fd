"""One row an effect: begun once, settled, and looked into by a person where nobody knows."""

from __future__ import annotations

from typing import Any

import pytest

from dazi.core.errors import CallerError, NotFound
from dazi.core.principal import Principal
from dazi.router.records import digest_of
from tests.router.conftest import House


async def test_the_same_thing_begins_once(house: House) -> None:
    assert await house.intents.begin("k", "u", "t", "x", {"b": 1, "a": 2}) is None
    earlier = await house.intents.begin("k", "u", "t", "x", {})
    assert earlier is not None and earlier.arguments == {"a": 2, "b": 1}
    assert (earlier.state, earlier.result, earlier.settled_by, earlier.note) == (
        "begun",
        None,
        "",
        "",
    )
    with pytest.raises(NotFound):
        await house.intents.get("none")


async def test_what_came_of_it(house: House) -> None:
    for key in ("done", "cut off", "unknown"):
        await house.intents.begin(key, "u", "t", "x", {})
    await house.intents.settle("done", "u", "done", {"id": 3})
    await house.intents.settle("unknown", "u", "unknown")
    assert (await house.intents.get("done")).result == {"id": 3}
    assert [i.key for i in await house.intents.unsettled()] == ["cut off", "unknown"]


async def test_a_person_settles_what_nobody_knew_and_nothing_else(house: House) -> None:
    await house.intents.begin("k", "u", "t", "x", {})
    settled = await house.intents.resolve("k", "done", "eva", "seen in the ERP")
    assert (settled.state, settled.settled_by, settled.note) == ("done", "eva", "seen in the ERP")
    with pytest.raises(CallerError, match="known already"):
        await house.intents.resolve("k", "failed", "eva", "")
    assert (await house.intents.get("k")).state == "done"


def test_the_key_is_of_the_call_and_of_nothing_the_model_says(house: House) -> None:
    def key(tenant: str, *rest: Any) -> str:
        return house.intents.key(Principal("u", frozenset(), tenant=tenant), *rest)

    one = key("a", "t", "x", {"p": 1, "q": 2}, "")
    assert one == key("a", "t", "x", {"q": 2, "p": 1}, "")
    others = [("b", "t", "x", {}, ""), ("a", "u", "x", {}, ""), ("a", "t", "y", {}, ""),
              ("a", "t", "x", {"p": 1}, ""), ("a", "t", "x", {}, "z")]  # fmt: skip
    other = house.intents.key(Principal("v", frozenset(), tenant="a"), "t", "x", {"p": 1}, "")
    assert len({one, other, *(key(*o) for o in others)}) == 7
    assert digest_of(["x", {"a": 1}]) != digest_of(["x", {"a": 2}])
