"""The tools that were offered when the recordings were made; none of them is ever called."""

from __future__ import annotations

from typing import Any

TOOLS: dict[str, dict[str, Any]] = {
    "get_order_status": {
        "name": "get_order_status",
        "description": "查订单的状态:有没有发货、到哪了、什么时候发或送到",
        "parameters": {
            "type": "object",
            "properties": {"order_id": {"type": "string"}},
            "required": ["order_id"],
        },
    },
    "query_meeting_room": {
        "name": "query_meeting_room",
        "description": "查某地某天有哪些会议室可用",
        "parameters": {
            "type": "object",
            "properties": {
                "location": {"type": "string"},
                "date": {"type": "string"},
                "features": {
                    "type": "array",
                    "items": {"type": "string", "enum": ["projector", "whiteboard", "video"]},
                },
            },
            "required": ["location", "date"],
        },
    },
    "get_weather": {
        "name": "get_weather",
        "description": "查某城市某天的天气",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "date": {"type": "string"}},
            "required": ["city"],
        },
    },
}
