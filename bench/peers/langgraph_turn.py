"""LangGraph with LangChain's ChatOpenAI: model node, tool node, model node; no policy, no store."""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from typing import Any

from langchain_core.messages import SystemMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode

WARM_TURNS = 10
QUESTION = "我三天前下的订单 ORD{} 还没发货,怎么回事?"


@tool
async def get_order_status(order_id: str) -> dict[str, str]:
    """Look up an order's status."""
    return {"order_id": order_id, "status": "packed"}


def build(url: str) -> Any:
    model = ChatOpenAI(
        model="bench-model", base_url=url, api_key="bench", max_retries=0
    ).bind_tools([get_order_status])
    system = SystemMessage("You are a helpful colleague.")

    async def think(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await model.ainvoke([system, *state["messages"]])]}

    def more(state: MessagesState) -> str:
        return "tools" if state["messages"][-1].tool_calls else END

    graph = StateGraph(MessagesState)
    graph.add_node("model", think)
    graph.add_node("tools", ToolNode([get_order_status]))
    graph.add_edge(START, "model")
    graph.add_conditional_edges("model", more, ["tools", END])
    graph.add_edge("tools", "model")
    return graph.compile()


async def turn(graph: Any, number: int) -> str:
    said = QUESTION.format(10_000 + number % 90_000)
    state = await graph.ainvoke({"messages": [{"role": "user", "content": said}]})
    return state["messages"][-1].content


async def measure(url: str, seconds: float, most: int) -> dict[str, float]:
    graph = build(url)
    for number in range(min(WARM_TURNS, most)):
        await turn(graph, number)
    turns, began, cpu = 0, time.perf_counter(), time.process_time()
    while turns < most and time.perf_counter() - began < seconds:
        assert f"ORD{10_000 + turns}" in await turn(graph, turns)
        turns += 1
    spent, wall = time.process_time() - cpu, time.perf_counter() - began
    return {"turns": turns, "cpu_ms": spent * 1000 / turns, "wall_ms": wall * 1000 / turns}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--turns", type=int, default=100_000)
    a = parser.parse_args()
    try:
        import uvloop

        found = uvloop.run(measure(a.url, a.seconds, a.turns))
    except ImportError:
        found = asyncio.run(measure(a.url, a.seconds, a.turns))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
