"""A hand-written loop over the openai package: two model calls, one trivial tool, no policy."""

from __future__ import annotations

import argparse
import asyncio
import json
import time

from openai import AsyncOpenAI

WARM_TURNS = 10
QUESTION = "我三天前下的订单 ORD{} 还没发货,怎么回事?"
TOOL = {
    "type": "function",
    "function": {
        "name": "get_order_status",
        "description": "Look up an order's status",
        "parameters": {
            "type": "object",
            "properties": {"order_id": {"type": "string"}},
            "required": ["order_id"],
        },
    },
}


def get_order_status(order_id: str) -> dict[str, str]:
    return {"order_id": order_id, "status": "packed"}


async def turn(client: AsyncOpenAI, number: int) -> str:
    messages: list = [
        {"role": "system", "content": "You are a helpful colleague."},
        {"role": "user", "content": QUESTION.format(10_000 + number % 90_000)},
    ]
    while True:
        answer = await client.chat.completions.create(
            model="bench-model", messages=messages, tools=[TOOL]
        )
        message = answer.choices[0].message
        if not message.tool_calls:
            return message.content or ""
        messages.append(message)
        for call in message.tool_calls:
            result = get_order_status(**json.loads(call.function.arguments))
            messages.append(
                {"role": "tool", "tool_call_id": call.id, "content": json.dumps(result)}
            )


async def measure(url: str, seconds: float, most: int) -> dict[str, float]:
    async with AsyncOpenAI(base_url=url, api_key="bench", max_retries=0) as client:
        for number in range(min(WARM_TURNS, most)):
            await turn(client, number)
        turns, began, cpu = 0, time.perf_counter(), time.process_time()
        while turns < most and time.perf_counter() - began < seconds:
            assert f"ORD{10_000 + turns}" in await turn(client, turns)
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
