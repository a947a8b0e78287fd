"""The manifests against Kubernetes' own schemas, against each other, and against what Dazi is."""

from __future__ import annotations

import copy
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.deploy import known
from tests.deploy.kustomize import (
    KUSTOMIZATION,
    Manifest,
    canonical,
    containers,
    documents,
    key_of,
    pod_template,
    render,
    without_digests,
)
from tests.deploy.reach import Place, reaches

FOLDER = known.DEPLOY / "kubernetes"
FLAVOURS = ("small", "production")
KUBERNETES = "1.37"
NOT_MANIFESTS = {KUSTOMIZATION, "pool.yaml", "prometheus-adapter-values.yaml", "scaled.keda.yaml"}
PRODUCTION = FOLDER / "production"
SECRETS = documents(PRODUCTION / "secrets.example.yaml")


@pytest.fixture(scope="module", params=FLAVOURS)
def manifests(request: pytest.FixtureRequest) -> list[Manifest]:
    return render(FOLDER / request.param)


@pytest.fixture(scope="module")
def production() -> list[Manifest]:
    return render(PRODUCTION)


def of_kind(manifests: list[Manifest], *kinds: str) -> list[Manifest]:
    return [m for m in manifests if m["kind"] in kinds]


def one(manifests: list[Manifest], kind: str, name: str) -> Manifest:
    return next(m for m in manifests if key_of(m) == (kind, name))


def workloads(manifests: list[Manifest]) -> list[Manifest]:
    return [m for m in manifests if pod_template(m) is not None]


def pods(manifests: list[Manifest]) -> Iterator[tuple[str, dict[str, str], Manifest]]:
    for manifest in workloads(manifests):
        template = pod_template(manifest)
        assert template is not None
        yield manifest["metadata"]["name"], template["metadata"]["labels"], template["spec"]


def validated(manifest: Manifest) -> None:
    kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


# --- schemas --------------------------------------------------------------------------------------

PLAIN = [
    p
    for p in sorted(FOLDER.rglob("*.yaml"))
    if p.name not in NOT_MANIFESTS and not p.name.endswith(".patch.yaml")
]


@pytest.mark.parametrize("path", PLAIN, ids=lambda p: p.relative_to(FOLDER).as_posix())
def test_each_file_alone_is_what_kubernetes_takes(path: Path) -> None:
    found = documents(path)
    assert found
    for manifest in found:
        validated(manifest)


def test_what_is_applied_is_what_kubernetes_takes(manifests: list[Manifest]) -> None:
    for manifest in manifests:
        validated(manifest)
    keys = [key_of(m) for m in manifests]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    "bend",
    [
        lambda d: d["spec"]["template"]["spec"]["containers"][0].update(readinesProbe={}),
        lambda d: d["spec"].pop("selector"),
        lambda d: d["spec"].update(revisionHistoryLimit="three"),
        lambda d: d["spec"]["template"]["spec"]["containers"][0]["ports"][0].pop("containerPort"),
        lambda d: d.update(apiVersion="extensions/v1beta1"),
    ],
    ids=["misspelled", "missing", "wrong type", "missing within", "an API that is gone"],
)
def test_a_mistake_in_a_manifest_is_noticed(production: list[Manifest], bend: Any) -> None:
    broken = copy.deepcopy(one(production, "Deployment", "dazi"))
    validated(broken)
    bend(broken)
    with pytest.raises(
        (kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError)
    ):
        validated(broken)


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_kubectl_makes_the_same_of_it(flavour: str) -> None:
    program = shutil.which("kubectl")
    if program is None:
        pytest.skip("no kubectl here: what tests/deploy/kustomize.py makes was not compared")
    done = subprocess.run(
        [program, "kustomize", str(FOLDER / flavour)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    theirs = without_digests(list(yaml.safe_load_all(done.stdout)))
    ours = without_digests(render(FOLDER / flavour))
    assert {key_of(m) for m in ours} == {key_of(m) for m in theirs}
    told = {key_of(m): canonical(m) for m in theirs}
    for manifest in ours:
        assert canonical(manifest) == told[key_of(manifest)], key_of(manifest)


# --- manifests against each other -----------------------------------------------------------------


def test_each_selector_finds_pods(manifests: list[Manifest]) -> None:
    labels = [found for _, found, _ in pods(manifests)]

    def found(selector: dict[str, str]) -> bool:
        return any(selector.items() <= some.items() for some in labels)

    for m in workloads(manifests):
        if m["kind"] != "CronJob":
            template = pod_template(m)
            assert template is not None
            assert m["spec"]["selector"]["matchLabels"] == template["metadata"]["labels"]
    for m in of_kind(manifests, "Service"):
        assert found(m["spec"]["selector"]), key_of(m)
    for m in of_kind(manifests, "PodDisruptionBudget"):
        assert found(m["spec"]["selector"]["matchLabels"]), key_of(m)
    for m in of_kind(manifests, "NetworkPolicy"):
        selector = m["spec"]["podSelector"]
        assert found(selector.get("matchLabels", {})), key_of(m)
    for name, own, spec in pods(manifests):
        for spread in spec.get("topologySpreadConstraints", ()):
            assert spread["labelSelector"]["matchLabels"].items() <= own.items(), name


def test_what_is_named_is_there(manifests: list[Manifest]) -> None:
    keys = {key_of(m) for m in manifests}
    secrets = {m["metadata"]["name"]: set(m["stringData"]) for m in SECRETS}
    for name, _, spec in pods(manifests):
        assert ("ServiceAccount", spec["serviceAccountName"]) in keys, name
        volumes = {v["name"]: v for v in spec["volumes"]}
        for volume in volumes.values():
            if "configMap" in volume:
                assert ("ConfigMap", volume["configMap"]["name"]) in keys, name
            if "persistentVolumeClaim" in volume:
                claim = volume["persistentVolumeClaim"]["claimName"]
                assert ("PersistentVolumeClaim", claim) in keys, name
        for container in spec["containers"]:
            mounted = {m["name"] for m in container["volumeMounts"]}
            assert mounted == set(volumes), name
            for source in container.get("envFrom", ()):
                assert ("ConfigMap", source["configMapRef"]["name"]) in keys, name
            for variable in container.get("env", ()):
                if "valueFrom" in variable:
                    wanted = variable["valueFrom"]["secretKeyRef"]
                    assert wanted["key"] in secrets[wanted["name"]], name
            ports = {p["name"] for p in container.get("ports", ())}
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                assert probe not in container or container[probe]["httpGet"]["port"] in ports
    for m in of_kind(manifests, "HorizontalPodAutoscaler"):
        target = m["spec"]["scaleTargetRef"]
        assert (target["kind"], target["name"]) in keys
    for m in of_kind(manifests, "Ingress"):
        for rule in m["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                service = path["backend"]["service"]
                found = one(manifests, "Service", service["name"])
                assert service["port"]["name"] in {p["name"] for p in found["spec"]["ports"]}
    for m in of_kind(manifests, "StatefulSet"):
        service = one(manifests, "Service", m["spec"]["serviceName"])
        assert service["spec"]["clusterIP"] == "None"


def test_secrets_are_names_only() -> None:
    for secret in SECRETS:
        assert set(secret["stringData"].values()) == {""}
        assert not secret.get("data")
    for flavour in FLAVOURS:
        assert not of_kind(render(FOLDER / flavour), "Secret")


def test_the_figure_that_scales_vllm_is_the_one_that_is_brought(production: list[Manifest]) -> None:
    scaler = one(production, "HorizontalPodAutoscaler", "vllm")
    asked = {m["pods"]["metric"]["name"] for m in scaler["spec"]["metrics"]}
    values = yaml.safe_load(
        (FOLDER / "monitoring/prometheus-adapter-values.yaml").read_text("utf-8")
    )
    rules = values["rules"]["custom"]
    assert asked == {rule["name"]["as"] for rule in rules}
    for rule in rules:
        series = rule["seriesQuery"].partition("{")[0]
        assert re.fullmatch(rule["name"]["matches"], series)
        assert series == "vllm:num_requests_waiting"
    template = pod_template(one(production, "StatefulSet", "vllm"))
    assert template is not None
    notes = template["metadata"]["annotations"]
    port = template["spec"]["containers"][0]["ports"][0]["containerPort"]
    assert notes["prometheus.io/scrape"] == "true"
    assert notes["prometheus.io/port"] == str(port)


def test_what_scales_by_processor_asks_for_some(production: list[Manifest]) -> None:
    for scaler in of_kind(production, "HorizontalPodAutoscaler"):
        target = scaler["spec"]["scaleTargetRef"]
        scaled = one(production, target["kind"], target["name"])
        assert "replicas" not in scaled["spec"], "or each apply would undo the autoscaler"
        if any(m["type"] == "Resource" for m in scaler["spec"]["metrics"]):
            assert all("cpu" in c["resources"]["requests"] for c in containers(scaled))


def test_a_budget_leaves_room_for_a_drained_node(production: list[Manifest]) -> None:
    """With the least pods that there may be, a budget may hold up but the single vLLM's node."""
    for budget in of_kind(production, "PodDisruptionBudget"):
        name, spec = budget["metadata"]["name"], budget["spec"]
        scaler = [
            s
            for s in of_kind(production, "HorizontalPodAutoscaler")
            if s["spec"]["scaleTargetRef"]["name"] == name
        ]
        least = (
            scaler[0]["spec"]["minReplicas"]
            if scaler
            else one(production, "Deployment", name)["spec"]["replicas"]
        )
        assert least - spec.get("minAvailable", least - spec.get("maxUnavailable", 0)) >= 1


# --- manifests against Dazi -----------------------------------------------------------------------


def test_each_setting_and_command_exists(manifests: list[Manifest]) -> None:
    for m in of_kind(manifests, "ConfigMap"):
        if m["metadata"]["name"] == "dazi-settings":
            assert m["data"].keys() <= known.SETTINGS
    dazis = [c for m in workloads(manifests) for c in containers(m) if "dazi" in c["image"]]
    assert dazis
    for container in dazis:
        for variable in container.get("env", ()):
            name = variable["name"]
            assert name in known.SETTINGS or not name.startswith("DAZI_"), name
        if "command" not in container:
            assert known.is_command(container["args"]), container["args"]


def test_probes_ask_for_what_is_served(manifests: list[Manifest]) -> None:
    web = next(containers(one(manifests, "Deployment", "dazi")))
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert web[probe]["httpGet"]["path"] in known.PATHS
    assert web["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert web["livenessProbe"]["httpGet"]["path"] == "/healthz", (
        "a model that is away kills no pod"
    )
    assert web["ports"][0]["containerPort"] == known.DAZI_PORT


def test_a_pod_has_time_to_end_what_it_does(manifests: list[Manifest]) -> None:
    settings = one(manifests, "ConfigMap", "dazi-settings")["data"]
    template = pod_template(one(manifests, "Deployment", "dazi"))
    assert template is not None
    web = template["spec"]
    before = web["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    needed = before + float(settings["DAZI_DRAIN_SECONDS"]) + known.LONGEST_TURN_S
    assert web["terminationGracePeriodSeconds"] >= needed + 10
    probe = web["containers"][0]["readinessProbe"]
    assert float(settings["DAZI_DRAIN_SECONDS"]) >= 2 * probe["periodSeconds"]


def test_web_pods_leave_jobs_to_the_others(production: list[Manifest]) -> None:
    web = next(containers(one(production, "Deployment", "dazi")))
    assert {"name": "DAZI_JOBS_AT_ONCE", "value": "0"} in web["env"]
    jobs = next(containers(one(production, "Deployment", "dazi-jobs")))
    assert jobs["args"] == ["jobs", "work"]


def test_all_dazis_share_one_data_folder(production: list[Manifest]) -> None:
    claims = {
        v["persistentVolumeClaim"]["claimName"]
        for _, labels, spec in pods(production)
        if labels["app.kubernetes.io/name"] == "dazi"
        for c in spec["containers"]
        for mount in c["volumeMounts"]
        for v in spec["volumes"]
        if mount["mountPath"] == "/var/lib/dazi" and v["name"] == mount["name"]
    }
    assert claims == {"dazi-data"}
    claim = one(production, "PersistentVolumeClaim", "dazi-data")
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]


def test_the_pool_names_each_pod_that_there_may_be(production: list[Manifest]) -> None:
    pool = yaml.safe_load(one(production, "ConfigMap", "dazi-models")["data"]["models.yaml"])
    scaler = one(production, "HorizontalPodAutoscaler", "vllm")["spec"]
    engine = next(containers(one(production, "StatefulSet", "vllm")))
    port = engine["ports"][0]["containerPort"]
    arguments = engine["args"]
    expected = {f"http://vllm-{n}.vllm:{port}/v1" for n in range(scaler["maxReplicas"])}
    assert {b["url"] for b in pool["backends"].values()} == expected
    assert set(arguments) >= known.HERMES
    secret = {
        v["name"] for c in containers(one(production, "Deployment", "dazi")) for v in c["env"]
    }
    for backend in pool["backends"].values():
        assert backend["kind"] == "vllm"
        assert f"--served-model-name={backend['model']}" in arguments
        assert f"--max-model-len={backend['context_tokens']}" in arguments
        assert backend["key_env"] in secret
        assert backend["key_env"] in {v["name"] for v in engine["env"]}


# --- what a pod may do ----------------------------------------------------------------------------


def faults_of(spec: Manifest) -> list[str]:
    """Against the restricted Pod Security Standard, and a read-only root besides."""
    found = []
    own = spec.get("securityContext", {})
    if own.get("runAsNonRoot") is not True or not own.get("runAsUser"):
        found.append("may run as root")
    if own.get("seccompProfile", {}).get("type") != "RuntimeDefault":
        found.append("no seccomp profile")
    if spec.get("automountServiceAccountToken") is not False:
        found.append("holds a token of the cluster")
    found += [key for key in ("hostNetwork", "hostPID", "hostIPC") if spec.get(key)]
    kinds = {next(k for k in v if k != "name") for v in spec.get("volumes", ())}
    found += sorted(kinds - {"configMap", "persistentVolumeClaim", "emptyDir"})
    for v in spec.get("volumes", ()):
        if "emptyDir" in v and "sizeLimit" not in v["emptyDir"]:
            found.append(f"{v['name']} has no limit")
    for container in spec["containers"]:
        context = container.get("securityContext", {})
        if context.get("allowPrivilegeEscalation") is not False:
            found.append("may gain rights")
        if context.get("capabilities") != {"drop": ["ALL"]}:
            found.append("has capabilities")
        if context.get("readOnlyRootFilesystem") is not True:
            found.append("writes to its root")
        limits = container.get("resources", {}).get("limits", {})
        found += [
            f"no limit of {what}" for what in ("memory", "ephemeral-storage") if what not in limits
        ]
        _, colon, tag = container["image"].rpartition(":")
        if not colon or tag == "latest":
            found.append("an image of no version")
    return found


def test_pods_are_confined(manifests: list[Manifest]) -> None:
    for name, _, spec in pods(manifests):
        assert faults_of(spec) == [], name
    space = next(m for m in manifests if m["kind"] == "Namespace")
    assert space["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for account in of_kind(manifests, "ServiceAccount"):
        assert account["automountServiceAccountToken"] is False
    assert not of_kind(manifests, "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")


def test_a_pod_that_is_not_confined_is_noticed(production: list[Manifest]) -> None:
    template = pod_template(copy.deepcopy(one(production, "Deployment", "dazi")))
    assert template is not None
    spec = template["spec"]
    spec["hostNetwork"] = True
    spec["volumes"].append({"name": "node", "hostPath": {"path": "/"}})
    spec["containers"][0]["image"] = "dazi"
    del spec["containers"][0]["securityContext"]["capabilities"]
    assert faults_of(spec) == [
        "hostNetwork", "hostPath", "has capabilities", "an image of no version",
    ]  # fmt: skip


# --- who may reach whom ---------------------------------------------------------------------------

WEB = Place("dazi", {"app.kubernetes.io/name": "dazi", "app.kubernetes.io/component": "web"})
JOBS = Place("dazi", {"app.kubernetes.io/name": "dazi", "app.kubernetes.io/component": "jobs"})
VLLM = Place("dazi", {"app.kubernetes.io/name": "vllm"})
DATABASE = Place("databases", {"app": "any"})
NAMES = Place("kube-system", {"k8s-app": "kube-dns"})
INGRESS = Place("ingress", {"app": "traefik"})
MONITORING = Place("monitoring", {"app": "prometheus"})
ANOTHER = Place("default", {"app": "any"})
COMPANY = Place(address="192.0.2.10")
WORLD = Place(address="203.0.113.7")

NEEDED = [
    (INGRESS, WEB, 8000, "TCP"),
    *((dazi, VLLM, 8000, "TCP") for dazi in (WEB, JOBS)),
    *((dazi, DATABASE, port, "TCP") for dazi in (WEB, JOBS) for port in (5432, 6379, 19530)),
    *((dazi, NAMES, 53, protocol) for dazi in (WEB, JOBS) for protocol in ("UDP", "TCP")),
    *((dazi, COMPANY, 443, "TCP") for dazi in (WEB, JOBS)),
    (MONITORING, VLLM, 8000, "TCP"),
]
CLOSED = [
    (ANOTHER, WEB, 8000, "TCP"),
    (ANOTHER, VLLM, 8000, "TCP"),
    (INGRESS, VLLM, 8000, "TCP"),
    (INGRESS, JOBS, 8000, "TCP"),
    (MONITORING, WEB, 8000, "TCP"),
    (VLLM, DATABASE, 5432, "TCP"),
    (VLLM, NAMES, 53, "UDP"),
    (VLLM, WORLD, 443, "TCP"),
    (VLLM, WEB, 8000, "TCP"),
    (WEB, WORLD, 443, "TCP"),
    (WEB, DATABASE, 22, "TCP"),
    (WEB, ANOTHER, 80, "TCP"),
    (WEB, JOBS, 8000, "TCP"),
    (WORLD, WEB, 8000, "TCP"),
]  # fmt: skip


def test_what_is_needed_is_open_and_nothing_else(production: list[Manifest]) -> None:
    policies = of_kind(production, "NetworkPolicy")
    for source, to, port, protocol in NEEDED:
        assert reaches(policies, source, to, port, protocol), (source, to, port, protocol)
    for source, to, port, protocol in CLOSED:
        assert not reaches(policies, source, to, port, protocol), (source, to, port, protocol)


def test_what_settings_and_secrets_name_is_open(production: list[Manifest]) -> None:
    """Addresses of databases: in settings, and in what the example of the secrets explains."""
    policies = of_kind(production, "NetworkPolicy")
    text = (PRODUCTION / "secrets.example.yaml").read_text("utf-8")
    text += "".join(
        f"{v}\n" for v in one(production, "ConfigMap", "dazi-settings")["data"].values()
    )
    found = re.findall(r"(\w+)://(?:\S*@)?[\w-]+\.(\w+)\.svc(?::(\d+))?", text)
    assert {scheme for scheme, _, _ in found} == {"postgresql", "redis", "http"}
    for _, space, port in found:
        assert reaches(policies, WEB, Place(space, {"app": "any"}), int(port or 5432))


@pytest.mark.parametrize("missing", ["to-vllm", "dazi-to-vllm", "dazi-to-databases", "dazi-names"])
def test_a_policy_that_is_missing_is_noticed(production: list[Manifest], missing: str) -> None:
    fewer = [p for p in of_kind(production, "NetworkPolicy") if p["metadata"]["name"] != missing]
    assert not all(reaches(fewer, source, to, port, p) for source, to, port, p in NEEDED)


def test_without_the_closing_policy_all_is_open(production: list[Manifest]) -> None:
    fewer = [
        p for p in of_kind(production, "NetworkPolicy") if p["metadata"]["name"] != "nothing-else"
    ]
    assert any(reaches(fewer, source, to, port, p) for source, to, port, p in CLOSED)


def test_small_needs_no_cards_and_no_databases() -> None:
    manifests = render(FOLDER / "small")
    assert [key_of(m) for m in workloads(manifests)] == [("Deployment", "dazi")]
    deployment = one(manifests, "Deployment", "dazi")
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}
    assert deployment["spec"]["replicas"] == 1
    assert one(manifests, "PersistentVolumeClaim", "dazi-data")["spec"]["accessModes"] == [
        "ReadWriteOnce"
    ]
    policies = of_kind(manifests, "NetworkPolicy")
    assert reaches(policies, INGRESS, WEB, 8000)
    assert not reaches(policies, WEB, DATABASE, 5432)
