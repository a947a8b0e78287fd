"""compose.yaml against the Compose specification, its example of .env, and what Dazi is."""

from __future__ import annotations

import copy
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import compose_spec
import pytest
import yaml
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError
from redis.retry import Retry

from dazi.main.pool import read_models
from dazi.main.settings import Settings
from tests.deploy import known

FOLDER = known.DEPLOY / "compose"
VARIABLE = re.compile(r"\$(?:(\$)|\{(\w+)(?:(:-|:\?)([^}]*))?\})")
DATABASES = {"postgresql": 5432, "redis": 6379, "milvus": 19530}
GIVEN = {
    "POSTGRES_PASSWORD": "p", "REDIS_PASSWORD": "r", "MILVUS_PASSWORD": "m", "VLLM_API_KEY": "k",
    "COMPANY_FOLDER": "./company", "MODELS_FOLDER": "./models",
}  # fmt: skip


class Missing(Exception):
    """A variable that must be given is empty."""


def filled(value: Any, given: Mapping[str, str]) -> Any:
    """As Compose puts variables in."""
    if isinstance(value, dict):
        return {k: filled(v, given) for k, v in value.items()}
    if isinstance(value, list):
        return [filled(v, given) for v in value]
    if not isinstance(value, str):
        return value

    def of(match: re.Match[str]) -> str:
        if match[1]:
            return "$"
        found = given.get(match[2], "")
        if not found and match[3] == ":?":
            raise Missing(match[2])
        return found or (match[4] or "" if match[3] == ":-" else "")

    return VARIABLE.sub(of, value)


def example() -> dict[str, str]:
    lines = (FOLDER / ".env.example").read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


@pytest.fixture(scope="module")
def written() -> dict[str, Any]:
    read = yaml.safe_load((FOLDER / "compose.yaml").read_text("utf-8"))
    assert isinstance(read, dict)
    return read


@pytest.fixture(scope="module")
def compose(written: dict[str, Any]) -> dict[str, Any]:
    made = filled(written, GIVEN)
    assert isinstance(made, dict)
    return made


def validated(compose: Mapping[str, Any]) -> None:
    compose_spec.PyCompose.from_yaml(yaml.safe_dump(dict(compose), allow_unicode=True))


# --- the specification ----------------------------------------------------------------------------


def test_it_is_what_the_specification_takes(compose: dict[str, Any]) -> None:
    validated(compose)


def _in(service: str, **changed: Any) -> Callable[[dict[str, Any]], None]:
    return lambda c: c["services"][service].update(changed)


@pytest.mark.parametrize(
    "bend",
    [
        _in("redis", shmsize="1g"),
        _in("vllm", stop_grace_period="soon"),
        _in("dazi", depends_on={"redis": {"condition": "service_wealthy"}}),
        _in("dazi", ports=["127.0.0.1:8000:http"]),
        _in("milvus", deploy={"resources": {"limits": {"memory": "lots"}}}),
    ],
    ids=["unknown key", "no duration", "no condition", "no port", "no amount"],
)
def test_a_mistake_is_noticed(
    compose: dict[str, Any], bend: Callable[[dict[str, Any]], None]
) -> None:
    broken = copy.deepcopy(compose)
    bend(broken)
    with pytest.raises(ValueError):
        validated(broken)


# --- .env -----------------------------------------------------------------------------------------


def test_the_example_names_each_variable_and_holds_no_secret(written: dict[str, Any]) -> None:
    used = {m[1] for m in VARIABLE.findall(yaml.safe_dump(written)) if m[1]}
    given = example()
    assert used == set(given)
    assert not any(v for k, v in given.items() if k.endswith(("PASSWORD", "KEY")))


def test_nothing_starts_with_an_empty_secret(written: dict[str, Any]) -> None:
    for name in GIVEN:
        with pytest.raises(Missing, match=name):
            filled(written, {**GIVEN, name: ""})


def test_secrets_come_from_outside_alone(written: dict[str, Any]) -> None:
    for name, service in written["services"].items():
        for variable, value in service.get("environment", {}).items():
            if re.search("PASSWORD|TOKEN|KEY|AUTH$", variable):
                assert VARIABLE.search(value), f"{name}: {variable}"
        arguments = yaml.safe_dump([service.get("command"), service.get("entrypoint")])
        assert "PASSWORD" not in arguments and "KEY" not in arguments, name


# --- services against each other ------------------------------------------------------------------


def test_what_is_named_is_there(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for name, service in services.items():
        assert set(service["networks"]) <= set(compose["networks"]), name
        for other, how in service.get("depends_on", {}).items():
            assert how["condition"] != "service_healthy" or "test" in services[other]["healthcheck"]
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert source.startswith(".") or source in compose["volumes"], f"{name}: {source}"
    assert (FOLDER / "models.yaml").is_file()
    build = services["dazi"]["build"]
    assert (FOLDER / build["context"] / build["dockerfile"]).is_file()


def test_databases_and_models_are_reached_from_inside_alone(compose: dict[str, Any]) -> None:
    published = {n: s["ports"] for n, s in compose["services"].items() if s.get("ports")}
    assert published == {"dazi": [f"127.0.0.1:8000:{known.DAZI_PORT}"]}
    assert compose["networks"]["inside"] == {"internal": True}
    for name in (*DATABASES, "vllm"):
        assert compose["services"][name]["networks"] == ["inside"]
    for service in compose["services"].values():
        assert not service.get("privileged")
        assert service.get("network_mode") is None
        assert not any("docker.sock" in v for v in service.get("volumes", ()))


def test_each_is_confined_and_limited(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for name, service in services.items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}, name
        assert re.fullmatch(r"[\w./-]+:[\w.-]+", service["image"]), name
        assert not service["image"].endswith(":latest"), name
        assert service["restart"] == "unless-stopped", name
        # Milvus' own image knows no other user and writes beside its program.
        if name != "milvus":
            assert service["read_only"] is True, name
            assert service["user"].partition(":")[0] not in ("", "0", "root"), name


# --- Dazi -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["dazi", "jobs"])
def test_settings_are_ones_that_dazi_takes(
    compose: dict[str, Any], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    service = compose["services"][name]
    assert known.is_command(service["command"])
    for variable in [v for v in os.environ if v.startswith("DAZI_")]:
        monkeypatch.delenv(variable)
    for variable, value in service["environment"].items():
        assert variable in known.SETTINGS or not variable.startswith("DAZI_")
        monkeypatch.setenv(variable, value)
    settings = Settings()
    hosts = (settings.database, settings.redis, settings.milvus_url)
    found = [re.search(r"[@/](\w+):(\d+)", url) for url in hosts]
    assert {m[1]: int(m[2]) for m in found if m} == DATABASES
    inside = {n for n, s in compose["services"].items() if "inside" in s["networks"]}
    assert set(DATABASES) <= inside and name in inside
    mounted = {v.split(":")[1] for v in service["volumes"]}
    assert {str(settings.pool), "/company", "/var/lib/dazi"} == mounted
    assert (settings.jobs_at_once > 0) == (name == "jobs")


def test_dazi_has_time_to_end_what_it_does(compose: dict[str, Any]) -> None:
    dazi = compose["services"]["dazi"]
    drain = float(dazi["environment"]["DAZI_DRAIN_SECONDS"])
    assert known.seconds(dazi["stop_grace_period"]) >= drain + known.LONGEST_TURN_S + 10
    longest = known.seconds(compose["services"]["vllm"]["stop_grace_period"])
    assert longest >= known.LONGEST_TURN_S


def test_passwords_open_what_they_are_for(compose: dict[str, Any]) -> None:
    services = compose["services"]
    mine = services["dazi"]["environment"]
    assert services["postgresql"]["environment"]["POSTGRES_PASSWORD"] == "p"
    assert mine["DAZI_DATABASE"] == "postgresql://dazi:p@postgresql:5432/dazi"
    assert services["postgresql"]["environment"]["POSTGRES_USER"] == "dazi"
    assert services["postgresql"]["environment"]["POSTGRES_DB"] == "dazi"
    assert mine["DAZI_REDIS"].startswith("redis://:r@")
    assert services["redis"]["environment"]["REDISCLI_AUTH"] == "r"
    assert mine["DAZI_MILVUS_TOKEN"] == "root:m"
    assert services["milvus"]["environment"]["COMMON_SECURITY_DEFAULTROOTPASSWORD"] == "m"
    assert services["milvus"]["environment"]["COMMON_SECURITY_AUTHORIZATIONENABLED"] == "true"


def test_the_model_server_is_the_one_that_dazi_asks(
    compose: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VLLM_API_KEY", "k")
    config = read_models(FOLDER / "models.yaml")
    assert set(config.backends) == {"vllm"}
    backend = config.backends["vllm"]
    service = compose["services"]["vllm"]
    arguments = service["command"]
    assert backend.url == "http://vllm:8000/v1" and "--port=8000" in arguments
    assert backend.kind == "vllm"
    assert f"--served-model-name={backend.model}" in arguments
    assert f"--max-model-len={backend.context_tokens}" in arguments
    assert config.keys == {"vllm": service["environment"]["VLLM_API_KEY"]}
    assert set(arguments) >= known.HERMES | {"--enable-prefix-caching"}
    devices = service["deploy"]["resources"]["reservations"]["devices"]
    assert devices == [{"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}]
    assert service["environment"]["HF_HUB_OFFLINE"] == "1"


def test_redis_starts_with_its_password_and_shows_it_to_nobody(compose: dict[str, Any]) -> None:
    program = shutil.which("redis-server")
    if program is None:
        line = "no Redis here: its command was not run; install redis-server"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(line)
    service = compose["services"]["redis"]
    # A folder of its own: the address of a socket may have no more than 107 bytes.
    with tempfile.TemporaryDirectory(prefix="dazi-redis-") as name:
        folder = Path(name)
        door = folder / "redis.sock"
        shell, flag, line = service["command"]
        line = line.replace("/data/", f"{folder}/")
        line = line.replace("requirepass", f"port 0\\nunixsocket {door}\\nrequirepass", 1)
        environment = {**service["environment"], "PATH": os.environ["PATH"]}
        process = subprocess.Popen([shell, flag, line], env=environment, stdout=subprocess.DEVNULL)
        try:
            while not door.exists():
                assert process.poll() is None
                time.sleep(0.02)
            with pytest.raises(AuthenticationError):
                Redis(unix_socket_path=str(door), retry=Retry(NoBackoff(), 0)).ping()
            client = Redis(unix_socket_path=str(door), password="r")
            assert client.ping()
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
            assert client.config_get("save") == {"save": ""}
            shown = Path(f"/proc/{process.pid}/cmdline")
            assert not shown.exists() or b"requirepass" not in shown.read_bytes()
            assert (folder / "redis.conf").stat().st_mode & 0o077 == 0
        finally:
            process.terminate()
            process.wait(10)
