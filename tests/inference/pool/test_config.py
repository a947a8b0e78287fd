"""``models.yaml``: what it takes, and what it says of mistakes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dazi.core.errors import ConfigError
from dazi.inference.pool.config import Known, read_pool
from dazi.router.yaml_source import YamlSource
from tests.inference.pool.scripted import config

URL = "http://10.0.0.1:8000/v1"


def read(tmp_path: Path, text: str, environment: dict[str, str] | None = None) -> Any:
    path = tmp_path / "models.yaml"
    path.write_text(text, encoding="utf-8")
    return read_pool(YamlSource(path), environment or {})


def test_a_whole_file(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        """
pool: {balance: least, attempts: 2, hedge_seconds: 1.5}
backends:
  gpu-1: {url: "http://10.0.0.1:8000/v1", model: Qwen/Qwen3-14B, kind: vllm, at_once: 32, adapters: [crm]}
  mini: {embedded: bundled, tier: 1}
  qwen-plus: {url: "https://cloud.example/v1", kind: dashscope, place: cloud, key_env: KEY, price: {read: 0.8, written: 2}}
routes:
  - {name: overflow, when: {load: 0.9, tasks: [chat]}, to: [private, cloud]}
cloud_yuan_per_day: 50
""",
        {"KEY": "sk-1"},
    )
    assert list(found.backends) == ["gpu-1", "mini", "qwen-plus"]
    assert found.backends["gpu-1"].at_once == 32 and found.backends["gpu-1"].adapters == ("crm",)
    assert found.keys == {"qwen-plus": "sk-1"} and "sk-1" not in repr(found)
    assert found.rules.hedge_seconds == 1.5 and found.routes[0].to == ("private", "cloud")


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("backends: {}", 1, "at least 1"),
        ("pool: {balance: best}\nbackends: {a: {url: 'http://h/v1'}}", 1, "balance"),
        ("backends:\n  a: {url: 'http://h/v1', speed: 3}", 2, "speed"),
        ("backends:\n  a: {url: 'http://h/v1', at_once: 0}", 2, "at_once"),
        ("backends:\n  a: {url: 'http://h/v1', at_once: many}", 2, "at_once"),
        ("backends:\n  a: {url: 'ftp://h/v1'}", 2, "http://host"),
        ("backends:\n  a: {url: 'http://user:pw@h/v1'}", 2, "http://host"),
        ("backends:\n  a: {model: Qwen3}", 2, "either url"),
        ("backends:\n  a: {url: 'http://h/v1', embedded: bundled}", 2, "either url"),
        ("backends:\n  a: {embedded: bundled, place: cloud}", 2, "in this process"),
        ("backends:\n  a: {url: 'http://h/v1', adapter: x.safetensors}", 2, "adapters: [NAME]"),
        ("backends:\n  cloud: {url: 'http://h/v1'}", 2, "the name"),
        ("backends:\n  a b: {url: 'http://h/v1'}", 2, "the name"),
        ("backends:\n  a: {url: 'http://h/v1', key_env: NOT_SET}", 2, "NOT_SET is not set"),
        ("backends:\n  a: {url: 'https://h/v1', place: cloud}", 1, "write a route"),
        (
            "backends:\n  a: {url: 'http://h/v1'}\nroutes:\n  - {name: x, to: [b]}",
            4,
            "there is no “b”",
        ),
        (
            "backends:\n  a: {url: 'http://h/v1'}\nroutes:\n  - {name: x, adapter: crm}",
            4,
            "adapters: [crm]",
        ),
        (
            "backends:\n  a: {url: 'http://h/v1'}\n  c: {url: 'http://h/v1', place: cloud}\n"
            "cloud_yuan_per_day: 5",
            3,
            "needs price",
        ),
    ],
)
def test_mistakes_are_shown_where_they_stand(
    tmp_path: Path, text: str, line: int, said: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        read(tmp_path, text)
    assert raised.value.line == line and said in str(raised.value)
    assert raised.value.message("zh") != raised.value.message("en")


@pytest.mark.parametrize(
    ("route", "said"),
    [
        ("{name: x, when: {labels: [resident-id]}}", "use resident_id"),
        ("{name: x, when: {tasks: [chats]}}", "use chat"),
        ("{name: x, when: {roles: [stuff]}}", "use staff"),
        ("{name: x, when: {results: [get_payrol]}}", "use get_payroll"),
        ("{name: y}\n  - {name: y}", "given twice"),
    ],
)
def test_names_that_mean_nothing_are_refused(tmp_path: Path, route: str, said: str) -> None:
    """They would let through what they were to keep."""
    path = tmp_path / "models.yaml"
    path.write_text(f"backends:\n  a: {{url: 'http://h/v1'}}\nroutes:\n  - {route}", "utf-8")
    known = Known(
        frozenset({"resident_id", "word:high"}), frozenset({"staff"}), frozenset({"get_payroll"})
    )
    with pytest.raises(ConfigError, match=said):
        read_pool(YamlSource(path), {}, known)
    fine = "{name: x, when: {labels: [personal, secret, 'word:high'], roles: [staff]}}"
    path.write_text(f"backends:\n  a: {{url: 'http://h/v1'}}\nroutes:\n  - {fine}", "utf-8")
    assert read_pool(YamlSource(path), {}, known).routes[0].name == "x"


def test_keys_stand_in_no_file() -> None:
    with pytest.raises(ConfigError):
        config({"backends": {"a": {"url": URL, "key": "sk-secret"}}})
