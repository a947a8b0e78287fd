"""What an act on a ticket is given, looked at before it is done: a priority, an assignee, orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dazi.apps.desk.intents.kinds import INTENTS
from dazi.apps.desk.machine import replay
from dazi.apps.desk.model import PRIORITIES, Act, Actor
from dazi.apps.desk.ports import Parts
from dazi.apps.desk.records import ALIVE, DeskStore, Filed
from dazi.apps.desk.rules import DeskRules
from dazi.core.errors import AccessError, CallerError
from dazi.core.language import language_of
from dazi.core.principal import Principal

LONGEST_TEXT = 5_000


def actor_of(rules: DeskRules, principal: Principal) -> Actor:
    if principal.has_role(*rules.supervisors):
        return "supervisor"
    return "agent" if principal.has_role(*rules.roles) else "customer"


class Given:
    def __init__(self, store: DeskStore, rules: DeskRules, parts: Parts) -> None:
        self._store, self._rules, self._parts = store, rules, parts

    async def of(
        self, principal: Principal, filed: Filed, act: Act, data: Mapping[str, Any]
    ) -> dict[str, Any]:
        """What of ``data`` belongs to ``act``. Raises ``CallerError``, ``AccessError``, ``NotFound``."""
        actor = actor_of(self._rules, principal)
        match act:
            case "assign":
                return {"to": self._assignee(principal, actor, str(data.get("to") or ""))}
            case "unassign":
                ticket = replay(filed.events, self._rules.reopen_days)
                if actor == "agent" and ticket.assignee not in ("", principal.user):
                    raise _not_yours()
            case "prioritise":
                one_of("priority", data.get("priority"), PRIORITIES)
                return {"priority": data["priority"]}
            case "categorise":
                one_of("category", data.get("category"), INTENTS)
                return {"category": data["category"]}
            case "attach":
                return {"orders": await self._own_orders(filed, data.get("orders") or ())}
            case "rate":
                stars = data.get("stars")
                if type(stars) is not int or not 1 <= stars <= 5:
                    raise CallerError("stars", "评分应为 1 到 5", "stars are 1 to 5")
                return {"stars": stars}
            case "merge":
                return {"into": await self._target(filed, str(data.get("into") or ""))}
        return {}

    def _assignee(self, principal: Principal, actor: Actor, to: str) -> str:
        to = to or principal.user
        if actor == "agent" and to != principal.user:
            raise AccessError(
                "forbidden", "只有主管可以分派给别人", "only a supervisor gives tickets to others"
            )
        if actor != "customer":
            person = self.person(to, principal.channel, principal.tenant)
            if actor_of(self._rules, person) == "customer":
                zh, en = f"{to} 不是客服", f"{to} does not work at the desk"
                raise CallerError("assignee", zh, en)
        return to

    async def _target(self, filed: Filed, into: str) -> str:
        target = await self._store.get(into, filed.card.tenant)
        if target.card.id == filed.card.id or target.card.user != filed.card.user:
            raise CallerError(
                "merge",
                "只能并入同一客户的另一张工单",
                "it is merged into another ticket of the same customer",
            )
        if target.card.state not in ALIVE:
            raise CallerError(
                "merge", f"{into} 已结束,不能并入", f"{into} is over; nothing is merged into it"
            )
        return into

    async def _own_orders(self, filed: Filed, orders: Sequence[str]) -> list[str]:
        customer = self.owner(filed)
        for order in orders:
            if not await self.has_order(customer, str(order), filed.card.title):
                zh, en = f"客户没有订单 {order}", f"the customer has no order {order}"
                raise CallerError("order", zh, en)
        return list(orders)

    async def has_order(self, customer: Principal, order: str, said: str) -> bool:
        check = self._rules.orders
        if check is None:
            return False
        arguments = {check.parameter: order}
        return (
            await self._parts.look(customer, check.tool, arguments, language_of(said)) is not None
        )

    def owner(self, filed: Filed) -> Principal:
        return self.person(filed.card.user, filed.card.channel, filed.card.tenant)

    def person(self, user: str, channel: str, tenant: str) -> Principal:
        try:
            return self._parts.people(user, channel, tenant)
        except AccessError:
            raise CallerError("user", f"没有用户 {user}", f"there is no user {user}") from None


def one_of(name: str, value: Any, known: Mapping[Any, Any]) -> None:
    if value not in known:
        told = ", ".join(map(str, known))
        raise CallerError(name, f"{name} 应为 {told} 之一", f"{name} must be one of {told}")


def _not_yours() -> AccessError:
    return AccessError("forbidden", "不是您的工单", "it is not your ticket")


def check_length(text: str) -> None:
    """Raises ``CallerError``."""
    if len(text) > LONGEST_TEXT:
        zh, en = f"最多 {LONGEST_TEXT} 字", f"at most {LONGEST_TEXT} characters"
        raise CallerError("too_long", zh, en)
