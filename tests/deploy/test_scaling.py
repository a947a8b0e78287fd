"""What scales Dazi by its own figures: KEDA's objects, and the policy for Ray Serve."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import pytest

from dazi.gateway.scaling import ModelScaling, ScalingView
from tests.deploy import known
from tests.deploy.kustomize import Manifest, documents, key_of, render
from tests.deploy.reach import Place, reaches
from tests.deploy.test_kubernetes import FOLDER, SECRETS, WEB, one, validated

KEDA = FOLDER / "keda"
COMPONENT = ("../keda",)
TRIGGER = {
    "url", "aggregateFromKubeServiceEndpoints", "aggregationType", "valueLocation", "targetValue",
    "authMode",
}  # fmt: skip
"""Of the metrics-api scaler's parameters, by KEDA 2.20's documentation, those that are used."""


@pytest.fixture(scope="module")
def scaled() -> list[Manifest]:
    return render(FOLDER / "production", COMPONENT)


@pytest.fixture(scope="module")
def objects(scaled: list[Manifest]) -> list[Manifest]:
    return [m for m in scaled if m["kind"] == "ScaledObject"]


def test_keda_takes_the_place_of_the_autoscalers(
    scaled: list[Manifest], objects: list[Manifest]
) -> None:
    before = render(FOLDER / "production")
    gone = {key_of(m) for m in before} - {key_of(m) for m in scaled}
    assert gone == {("HorizontalPodAutoscaler", name) for name in ("dazi", "vllm")}
    for m in scaled:
        if "keda.sh" not in m["apiVersion"]:
            validated(m)
    limits = {m["metadata"]["name"]: m["spec"] for m in before if key_of(m) in gone}
    assert {m["metadata"]["name"] for m in objects} == limits.keys()
    for m in objects:
        spec, old = m["spec"], limits[m["metadata"]["name"]]
        assert spec["scaleTargetRef"] == old["scaleTargetRef"]
        assert (spec["minReplicaCount"], spec["maxReplicaCount"]) == (
            old["minReplicas"],
            old["maxReplicas"],
        )
        behaviour = spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
        assert behaviour == old["behavior"]
        # Kubernetes' own schema of what KEDA makes of it.
        hpa = {
            "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "made"},
            "spec": {**old, "behavior": behaviour},
        }  # fmt: skip
        validated(hpa)
        assert spec["minReplicaCount"] <= spec["fallback"]["replicas"] <= spec["maxReplicaCount"]


def test_keda_asks_every_pod_for_a_figure_that_there_is(
    scaled: list[Manifest], objects: list[Manifest]
) -> None:
    fields = {"needed": ScalingView}
    for m in objects:
        (trigger,) = m["spec"]["triggers"]
        asked = trigger["metadata"]
        assert trigger["type"] == "metrics-api" and trigger["metricType"] == "AverageValue"
        assert asked.keys() == TRIGGER and all(isinstance(v, str) for v in asked.values())
        assert (asked["aggregateFromKubeServiceEndpoints"], asked["aggregationType"]) == (
            "true",
            "sum",
        ), "an average of shares would never ask for more than one replica"
        host, port, path = re.fullmatch(r"http://([\w.]+):(\d+)(/\w+)", asked["url"]).groups()  # type: ignore[union-attr]
        service = one(scaled, "Service", "dazi")
        assert host == f"dazi.{service['metadata']['namespace']}.svc.cluster.local"
        assert int(port) == known.DAZI_PORT and path in known.PATHS
        assert float(asked["targetValue"]) == 1.0
        where = asked["valueLocation"]
        found = re.fullmatch(r'models\.#\(name=="([\w.-]+)"\)\.(\w+)', where)
        if found:
            assert found[1] == known.MODEL
            assert found[2] in ModelScaling.__struct_fields__
        else:
            assert where in fields[where].__struct_fields__
        authentication = one(scaled, "TriggerAuthentication", trigger["authenticationRef"]["name"])
        (ref,) = authentication["spec"]["secretTargetRef"]
        assert (asked["authMode"], ref["parameter"]) == ("bearer", "token")
        secrets = {s["metadata"]["name"]: s["stringData"] for s in SECRETS}
        assert ref["key"] in secrets[ref["name"]]
        web = one(scaled, "Deployment", "dazi")["spec"]["template"]["spec"]["containers"][0]
        (variable,) = [v for v in web["env"] if v["name"] == "DAZI_METRICS_TOKEN"]
        assert variable["valueFrom"]["secretKeyRef"] == {"name": ref["name"], "key": ref["key"]}


def test_keda_reaches_dazi_only_with_the_component(scaled: list[Manifest]) -> None:
    keda = Place("keda", {"app": "keda-operator"})

    def policies(manifests: list[Manifest]) -> list[Manifest]:
        return [m for m in manifests if m["kind"] == "NetworkPolicy"]

    assert reaches(policies(scaled), keda, WEB, known.DAZI_PORT)
    assert not reaches(policies(render(FOLDER / "production")), keda, WEB, known.DAZI_PORT)
    assert documents(KEDA / "kustomization.yaml")[0]["kind"] == "Component"


# --- Ray ------------------------------------------------------------------------------------------


@pytest.fixture
def policy(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    path = known.DEPLOY / "ray" / "dazi_scaling.py"
    spec = importlib.util.spec_from_file_location("dazi_scaling", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module


class Dazi(BaseHTTPRequestHandler):
    body: ClassVar[Any] = {}
    seen: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.seen.append(self.headers["authorization"])
        data = json.dumps(self.body).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def dazi() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Dazi)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/scaling"
    server.shutdown()
    server.server_close()


def context(running: int, own: float) -> Any:
    return SimpleNamespace(
        total_num_requests=lambda: own, target_num_replicas=running,
        capacity_adjusted_min_replicas=1, capacity_adjusted_max_replicas=4,
    )  # fmt: skip


def test_ray_goes_by_what_dazi_has_and_else_by_its_own_count(
    policy: ModuleType, dazi: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asker = policy.Asker(dazi, "t0ken", "Qwen3-14B")
    monkeypatch.setattr(policy, "_ASKER", asker)
    monkeypatch.setattr(asker, "_thread", threading.current_thread())  # it asks when we say so
    assert policy.by_dazi(context(1, 100.0)) == (3, {}), "nothing is known of Dazi yet"
    policy._WINDOWS.__init__()
    servers = {"name": "Qwen3-14B", "outstanding": 120, "waiting": 60}
    Dazi.body = {"models": [servers, {"name": "other", "outstanding": 999, "waiting": 0}]}
    asker.ask()
    assert Dazi.seen[-1] == "Bearer t0ken"
    assert policy.by_dazi(context(1, 10.0))[0] == 4
    Dazi.body = {"models": []}
    with pytest.raises(ValueError, match="no server"):
        asker.ask()
    monkeypatch.setattr(policy, "FRESH_S", -1.0)
    policy._WINDOWS.__init__()
    assert policy.by_dazi(context(1, 10.0))[0] == 1, "what is stale counts no more"


def test_rays_replicas_follow_what_lasts(policy: ModuleType) -> None:
    windows = policy.Windows()
    assert windows.wanted(0, 1, 1) == 1
    assert windows.wanted(10, 1, 4) == 1, "a peak that may pass"
    assert windows.wanted(31, 1, 4) == 4
    assert windows.wanted(100, 4, 1) == 4, "a lull"
    assert windows.wanted(100 + policy.DOWN_S, 4, 1) == 1
