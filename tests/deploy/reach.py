"""Who may reach whom under NetworkPolicies, as Kubernetes decides it: a pod that a policy of a
direction selects is closed in that direction but for what some policy opens; both ends must agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any, Literal

Direction = Literal["Ingress", "Egress"]


@dataclass(frozen=True)
class Place:
    """A pod by its namespace and labels, or an address outside the cluster."""

    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    address: str = ""


def reaches(
    policies: Sequence[dict[str, Any]], source: Place, to: Place, port: int, protocol: str = "TCP"
) -> bool:
    return _open(policies, "Egress", source, to, port, protocol) and _open(
        policies, "Ingress", to, source, port, protocol
    )


def _open(
    policies: Sequence[dict[str, Any]],
    direction: Direction,
    here: Place,
    there: Place,
    port: int,
    protocol: str,
) -> bool:
    mine = [
        p["spec"]
        for p in policies
        if here.namespace == p["metadata"]["namespace"]
        and direction in p["spec"]["policyTypes"]
        and _selects(p["spec"]["podSelector"], here.labels)
    ]
    if not mine or here.address:
        return True
    side, key = ("ingress", "from") if direction == "Ingress" else ("egress", "to")
    return any(
        _port_matches(rule.get("ports"), port, protocol)
        and (key not in rule or any(_is_peer(p, here.namespace, there) for p in rule[key]))
        for spec in mine
        for rule in spec.get(side, ())
    )


def _port_matches(ports: Sequence[dict[str, Any]] | None, port: int, protocol: str) -> bool:
    return ports is None or any(
        p.get("protocol", "TCP") == protocol and p.get("port") in (None, port) for p in ports
    )


def _is_peer(peer: dict[str, Any], own: str, there: Place) -> bool:
    if "ipBlock" in peer:
        if not there.address:
            return False
        at = ip_address(there.address)
        excepted = peer["ipBlock"].get("except", ())
        return at in ip_network(peer["ipBlock"]["cidr"]) and not any(
            at in ip_network(e) for e in excepted
        )
    if there.address:
        return False
    spaces = peer.get("namespaceSelector")
    if spaces is None:
        if there.namespace != own:
            return False
    elif not _selects(spaces, {"kubernetes.io/metadata.name": there.namespace}):
        return False
    return _selects(peer.get("podSelector", {}), there.labels)


def _selects(selector: dict[str, Any], labels: Mapping[str, str]) -> bool:
    assert selector.keys() <= {"matchLabels"}, selector
    wanted: dict[str, str] = selector.get("matchLabels", {})
    return wanted.items() <= dict(labels).items()
