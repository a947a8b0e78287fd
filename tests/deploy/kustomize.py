"""As much of kustomize as deploy/kubernetes uses, so that what is applied is checked without kubectl.

Where kubectl is there, ``test_kubernetes.py`` holds this against it.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

Manifest = dict[str, Any]

KUSTOMIZATION = "kustomization.yaml"
KNOWN = {
    "apiVersion", "kind", "namespace", "resources", "patches", "configMapGenerator", "images",
    "components",
}  # fmt: skip
CLUSTER_WIDE = {"Namespace"}
MERGED_BY = {
    "containers": "name", "env": "name", "volumes": "name", "volumeMounts": "mountPath",
}  # fmt: skip
"""Lists that a patch merges into, by the key that tells entries apart; others it replaces."""
HASHED = re.compile(r"-[a-z0-9]{10}$")


def documents(path: Path) -> list[Manifest]:
    return [d for d in yaml.safe_load_all(path.read_text("utf-8")) if d is not None]


def render(folder: Path, components: tuple[str, ...] = ()) -> list[Manifest]:
    """What ``kubectl kustomize`` gives, with the generated names without their digest; ``components``
    as if they were named there."""
    asked = documents(folder / KUSTOMIZATION)[0]
    unknown = asked.keys() - KNOWN
    assert not unknown, f"{folder}: {unknown} is not known here"
    made: list[Manifest] = []
    for name in asked.get("resources", ()):
        path = folder / name
        made += render(path) if path.is_dir() else documents(path)
    for name in (*asked.get("components", ()), *components):
        _joined(folder / name, made)
    for generated in asked.get("configMapGenerator", ()):
        _generate(folder, generated, made)
    _patches(folder, asked, made)
    for manifest in made:
        if "namespace" in asked and manifest["kind"] not in CLUSTER_WIDE:
            manifest["metadata"]["namespace"] = asked["namespace"]
        for image in asked.get("images", ()):
            for container in containers(manifest):
                if container["image"].partition(":")[0] == image["name"]:
                    container["image"] = f"{image['name']}:{image['newTag']}"
    return made


def _joined(folder: Path, made: list[Manifest]) -> None:
    """A component adds to what is there and changes it."""
    asked = documents(folder / KUSTOMIZATION)[0]
    assert asked["kind"] == "Component"
    assert asked.keys() <= {"apiVersion", "kind", "resources", "patches"}, asked.keys()
    for name in asked["resources"]:
        made += documents(folder / name)
    _patches(folder, asked, made)


def _patches(folder: Path, asked: Manifest, made: list[Manifest]) -> None:
    for patch in asked.get("patches", ()):
        for document in documents(folder / patch["path"]):
            _patched(made, document)


def _generate(folder: Path, asked: Manifest, made: list[Manifest]) -> None:
    data: dict[str, str] = {}
    for name in asked.get("envs", ()):
        lines = (folder / name).read_text("utf-8").splitlines()
        data |= dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    for name in asked.get("files", ()):
        key, _, path = name.rpartition("=")
        data[key or path] = (folder / path).read_text("utf-8")
    if asked.get("behavior") == "merge":
        known = next(m for m in made if key_of(m) == ("ConfigMap", asked["name"]))
        known["data"] |= data
        return
    made.append(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": asked["name"]}, "data": data}
    )


def _patched(made: list[Manifest], patch: Manifest) -> None:
    at = [i for i, m in enumerate(made) if key_of(m) == key_of(patch)]
    assert len(at) == 1, f"a patch of {key_of(patch)}, which is there {len(at)} times"
    if patch.get("$patch") == "delete":
        del made[at[0]]
        return
    made[at[0]] = _merged(made[at[0]], patch)


def _merged(old: Any, new: Any, name: str = "") -> Any:
    if isinstance(old, dict) and isinstance(new, dict):
        merged = dict(old)
        for key, value in new.items():
            if value is None:
                merged.pop(key, None)
            else:
                merged[key] = _merged(merged[key], value, key) if key in merged else value
        return merged
    if isinstance(old, list) and isinstance(new, list) and name in MERGED_BY:
        by = MERGED_BY[name]
        entries = {entry[by]: entry for entry in old}
        for entry in new:
            known = entries.get(entry[by])
            entries[entry[by]] = entry if known is None else _merged(known, entry)
        return list(entries.values())
    return new


def key_of(manifest: Manifest) -> tuple[str, str]:
    return manifest["kind"], manifest["metadata"]["name"]


def pod_template(manifest: Manifest) -> Manifest | None:
    """Of a workload; ``None`` for everything else."""
    match manifest["kind"]:
        case "Deployment" | "StatefulSet":
            found = manifest["spec"]["template"]
        case "CronJob":
            found = manifest["spec"]["jobTemplate"]["spec"]["template"]
        case _:
            return None
    assert isinstance(found, dict)
    return found


def containers(manifest: Manifest) -> Iterator[Manifest]:
    template = pod_template(manifest)
    if template is not None:
        yield from template["spec"].get("initContainers", ())
        yield from template["spec"]["containers"]


def canonical(value: Any) -> Any:
    """Lists of named things in one order, and generated names without their digest."""
    if isinstance(value, dict):
        return {k: canonical(v) for k, v in value.items()}
    if isinstance(value, list):
        return sorted((canonical(v) for v in value), key=lambda v: json.dumps(v, sort_keys=True))
    return value


def without_digests(manifests: list[Manifest]) -> list[Manifest]:
    """Generated ConfigMaps under their plain names, wherever they are spoken of."""
    names = {m["metadata"]["name"] for m in manifests if m["kind"] == "ConfigMap"}
    plain = {name: HASHED.sub("", name) for name in names}

    def renamed(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: renamed(v) for k, v in value.items()}
        if isinstance(value, list):
            return [renamed(v) for v in value]
        return plain.get(value, value) if isinstance(value, str) else value

    return [renamed(copy.deepcopy(m)) for m in manifests]
