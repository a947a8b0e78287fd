"""Ray Serve's configuration and the systemd units: one model, one name, parsers that find its calls."""

from __future__ import annotations

import configparser
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from dazi.inference.dialects import KINDS
from tests.deploy import known

RAY = known.DEPLOY / "ray" / "serve.yaml"
ENGINES = sorted((known.DEPLOY / "vllm").glob("*.service"))
UNITS = [*ENGINES, known.DEPLOY / "systemd" / "dazi.service"]


class Unit(configparser.RawConfigParser):
    """Keys as they are written; what is given twice counts as both."""

    def optionxform(self, optionstr: str) -> str:
        return optionstr


def unit(path: Path) -> dict[str, dict[str, str]]:
    text = re.sub(r"\\\n\s*", "", path.read_text("utf-8"))
    lines: list[str] = []
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals and any(seen.startswith(f"{key}=") for seen in lines):
            at = next(i for i, seen in enumerate(lines) if seen.startswith(f"{key}="))
            lines[at] += f" {value}"
        else:
            lines.append(line)
    parser = Unit(strict=True, delimiters=("=",), comment_prefixes=("#",))
    parser.read_string("\n".join(lines))
    return {name: dict(parser[name]) for name in parser.sections()}


@pytest.fixture(scope="module")
def ray_config() -> dict[str, Any]:
    read = yaml.safe_load(RAY.read_text("utf-8"))
    assert isinstance(read, dict)
    return read


def test_ray_serves_this_model_with_the_parsers_that_find_its_calls(
    ray_config: dict[str, Any],
) -> None:
    (application,) = ray_config["applications"]
    assert application["import_path"] == "ray.serve.llm:build_openai_app"
    (model,) = application["args"]["llm_configs"]
    assert model["model_loading_config"]["model_id"] == known.MODEL
    engine = model["engine_kwargs"]
    assert engine["enable_auto_tool_choice"] is True
    assert (engine["tool_call_parser"], engine["reasoning_parser"]) == ("hermes", "qwen3")
    assert engine["enable_prefix_caching"] is True
    assert 40 % engine["tensor_parallel_size"] == 0, "heads are shared out evenly"
    deployment = model["deployment_config"]
    scaling = deployment["autoscaling_config"]
    assert 1 <= scaling["min_replicas"] <= scaling["max_replicas"]
    assert scaling["target_ongoing_requests"] < deployment["max_ongoing_requests"]
    assert deployment["graceful_shutdown_timeout_s"] >= known.LONGEST_TURN_S
    assert ray_config["http_options"]["request_timeout_s"] >= known.LONGEST_TURN_S


def test_ray_takes_it(ray_config: dict[str, Any]) -> None:
    """By Ray's own schema of a Serve configuration, where Ray is installed."""
    schema = pytest.importorskip(
        "ray.serve.schema", reason="Ray is not installed here: its own schema was not asked"
    )
    schema.ServeDeploySchema.model_validate(ray_config)


@pytest.mark.parametrize("path", ENGINES, ids=lambda p: p.stem)
def test_engines_listen_on_this_machine_alone_and_fetch_nothing(path: Path) -> None:
    service = unit(path)["Service"]
    words = shlex.split(service["ExecStart"])
    assert {"--host=127.0.0.1", "--hostname=127.0.0.1"} & set(words)
    assert "--port=8001" in words
    assert "HF_HUB_OFFLINE=1" in service["Environment"].split()
    assert path.stem in KINDS
    assert service["User"] not in ("", "root")
    assert float(service["TimeoutStopSec"]) >= known.LONGEST_TURN_S


def test_each_engine_has_the_parser_that_it_calls_so() -> None:
    words = {p.stem: set(shlex.split(unit(p)["Service"]["ExecStart"])) for p in ENGINES}
    assert words["vllm"] >= known.HERMES
    assert words["sglang"] >= {"--tool-call-parser=qwen25", "--reasoning-parser=qwen3"}
    assert not any("parser" in word for word in words["tgi"])
    for engine in ("vllm", "sglang"):
        assert f"--served-model-name={known.MODEL}" in words[engine]


def test_the_unit_of_dazi_gives_it_time_and_no_rights() -> None:
    service = unit(known.DEPLOY / "systemd" / "dazi.service")["Service"]
    given = dict(word.split("=", 1) for word in service["Environment"].split())
    assert {k for k in given if k.startswith("DAZI_")} <= known.SETTINGS
    longest = float(given["DAZI_DRAIN_SECONDS"]) + known.LONGEST_TURN_S
    assert float(service["TimeoutStopSec"]) >= longest + 10
    assert known.is_command(shlex.split(service["ExecStart"])[1:])
    assert service["DynamicUser"] == "yes" and service["ProtectSystem"] == "strict"
    assert given["DAZI_DATA"] == f"/var/lib/{service['StateDirectory']}"


@pytest.mark.parametrize("path", UNITS, ids=lambda p: p.stem)
def test_units_have_what_systemd_needs(path: Path) -> None:
    sections = unit(path)
    assert sections.keys() == {"Unit", "Service", "Install"}
    assert shlex.split(sections["Service"]["ExecStart"])[0].startswith("/opt/")
    assert sections["Install"]["WantedBy"] == "multi-user.target"
