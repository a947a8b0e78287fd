"""Makes ``dazi.json``, a Grafana dashboard over what ``/metrics`` tells: ``python make.py`` writes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SOURCE = {"type": "prometheus", "uid": "${source}"}
PICKED = 'model=~"$model",channel=~"$channel"'
BY_MODEL = 'gen_ai_request_model=~"$model"'
EVERY = "[$__rate_interval]"


def quantiles(metric: str, picked: str) -> list[tuple[str, str]]:
    bucket = f"{metric}_bucket{{{picked}}}{EVERY}"
    return [
        (f"histogram_quantile({share}, sum by (le) (rate({bucket})))", f"p{100 * share:g}")
        for share in (0.5, 0.95, 0.99)
    ]


def rate(metric: str, by: str, picked: str = "", per: int = 60) -> list[tuple[str, str]]:
    inside = f"{{{picked}}}" if picked else ""
    return [(f"{per} * sum by ({by}) (rate({metric}_total{inside}{EVERY}))", f"{{{{{by}}}}}")]


FIRST = "gen_ai_server_time_to_first_token_seconds"
EACH = "gen_ai_server_time_per_output_token_seconds"
PANELS: tuple[tuple[str, str, list[tuple[str, str]]], ...] = (
    ("每分钟的轮 Turns a minute", "short", rate("dazi_turns", "reason", PICKED)),
    ("一轮的时长 Length of a turn", "s", quantiles("dazi_turn_seconds", PICKED)),
    ("到第一个字 To the first text", "s", quantiles("dazi_turn_first_text_seconds", PICKED)),
    ("模型的第一个词元 The model's first token", "s", quantiles(FIRST, BY_MODEL)),
    ("每个词元 Each token", "s", quantiles(EACH, BY_MODEL)),
    ("每分钟的词元 Tokens a minute", "short", rate("dazi_tokens", "kind", 'model=~"$model"')),
    ("每小时的费用 Cost an hour, CNY", "short",
     rate("dazi_cost_yuan", "model", 'model=~"$model"', 3_600)),
    ("每分钟的请求 Requests a minute", "short", rate("dazi_requests", "status")),
    ("每分钟的错误 Errors a minute", "short", rate("dazi_errors", "code")),
    ("工具调用 Tool calls a minute", "short", rate("dazi_tool_calls", "outcome")),
    ("最慢的工具 p95 Slowest tools", "s",
     [(f"topk(8, histogram_quantile(0.95, sum by (le, tool) (rate(dazi_tool_seconds_bucket{EVERY}))))",
       "{{tool}}")]),
    ("确认 Confirmations an hour", "short", rate("dazi_confirmations", "result", per=3_600)),
    ("护栏 Guard hits an hour", "short", rate("dazi_guard_hits", "type", per=3_600)),
    ("渠道消息 Channel messages a minute", "short", rate("dazi_channel_messages", "result")),
    ("渠道最久没答完的 Oldest message of channels", "s",
     [("max by (channel) (dazi_channel_oldest_seconds)", "{{channel}}")]),
    ("网站访客做的 What visitors do, a minute", "short", rate("dazi_visitor_acts", "act")),
    ("在做和在等 Under way and waiting", "short",
     [("sum(dazi_turns_running)", "running"), ("sum(dazi_turns_waiting)", "waiting"),
      ("sum(dazi_places)", "places")]),
    ("模型服务 Model servers", "short",
     [("sum by (backend) (dazi_pool_running)", "{{backend}}"),
      ("sum by (backend) (dazi_pool_up)", "{{backend}} up")]),
    ("服务的缓存命中 Prefix cache hits", "percentunit",
     [(f"sum(rate(dazi_pool_cached_tokens_total{EVERY})) / sum(rate(dazi_pool_prompt_tokens_total{EVERY}))",
       "hits")]),
    ("服务自己的队列 The servers' own queues", "short",
     [('sum by (backend) (dazi_server{figure="waiting"})', "{{backend}}")]),
    ("各部分 Parts", "short", [("min by (part) (dazi_ready)", "{{part}}")]),
    ("事件循环迟了 Event loop late", "s", [("max by (instance) (dazi_loop_late_seconds)", "{{instance}}")]),
    ("磁盘 Disk free", "percentunit",
     [("min by (instance) (dazi_disk_free_bytes / dazi_disk_bytes)", "{{instance}}")]),
    ("GPU", "percentunit", [("avg by (gpu) (dazi_gpu_busy)", "{{gpu}}")]),
)  # fmt: skip


def dashboard() -> dict[str, Any]:
    return {
        "title": "搭子 Dazi",
        "uid": "dazi",
        "tags": ["dazi"],
        "schemaVersion": 39,
        "editable": True,
        "time": {"from": "now-6h", "to": "now"},
        "refresh": "30s",
        "templating": {"list": [_source(), _variable("model"), _variable("channel")]},
        "panels": [_panel(i, *given) for i, given in enumerate(PANELS)],
    }


def _source() -> dict[str, Any]:
    return {"name": "source", "type": "datasource", "query": "prometheus", "label": "Prometheus"}


def _variable(label: str) -> dict[str, Any]:
    return {
        "name": label,
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": f"label_values(dazi_turns_total, {label})", "refId": label},
        "refresh": 2,
        "includeAll": True,
        "allValue": ".*",
        "multi": True,
        "current": {"text": "All", "value": "$__all"},
    }


def _panel(index: int, title: str, unit: str, asked: list[tuple[str, str]]) -> dict[str, Any]:
    return {
        "id": index + 1,
        "type": "timeseries",
        "title": title,
        "datasource": SOURCE,
        "gridPos": {"x": index % 3 * 8, "y": index // 3 * 8, "w": 8, "h": 8},
        "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}},
        "targets": [
            {"refId": chr(65 + i), "datasource": SOURCE, "expr": expr, "legendFormat": legend}
            for i, (expr, legend) in enumerate(asked)
        ],
    }


if __name__ == "__main__":
    text = json.dumps(dashboard(), ensure_ascii=False, indent=2)
    (HERE / "dazi.json").write_text(text + "\n", "utf-8")
