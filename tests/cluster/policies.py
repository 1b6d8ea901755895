"""Enforces NetworkPolicies in the test cluster: turns them into rules of iptables, anew whenever something changed.

The bridge plugin of the cluster enforces none by itself. A packet passes where its source may send it (egress) and its
destination may receive it (ingress); what belongs to a connection that was let in passes. A pod that no policy selects
is free. The node itself reaches every pod, as the kubelet's probes need it. Rules lie in the table `mangle`, after the
addresses of Services were replaced and before the rules of Docker, kube-proxy and the network plugin.

    python3 policies.py SERVER PKI_DIRECTORY     until it is ended; its rules stay
"""

import ipaddress
import json
import logging
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

log = logging.getLogger("policies")

HOOKS = ("FORWARD", "INPUT")
BRIDGE = "vigil0"
CHAINS = ("VIGIL-POLICY", "VIGIL-EGRESS", "VIGIL-INGRESS")
Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod that has an address: what policies select it by, and the ports that they may name."""

    namespace: str
    labels: Labels
    address: str
    ports: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Cluster:
    """All that decides who may reach whom."""

    pods: Sequence[Pod]
    namespaces: Mapping[str, Labels]
    policies: Sequence[Mapping[str, Any]]


def pod_of(item: Mapping[str, Any]) -> Pod | None:
    """The pod of the API server's object; none while it has no address of its own, or once it ended."""
    status, spec = item["status"], item["spec"]
    if not status.get("podIP") or spec.get("hostNetwork") or status.get("phase") in ("Succeeded", "Failed"):
        return None
    ports = [port for container in spec["containers"] for port in container.get("ports") or ()]
    named = {port["name"]: int(port["containerPort"]) for port in ports if port.get("name")}
    return Pod(item["metadata"]["namespace"], item["metadata"].get("labels") or {}, status["podIP"], named)


def selects(selector: Mapping[str, Any], labels: Labels) -> bool:
    """Whether a label selector selects these labels. An empty one selects everything."""
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_holds(term, labels) for term in selector.get("matchExpressions") or ())


def _holds(term: Mapping[str, Any], labels: Labels) -> bool:
    key, values = term["key"], term.get("values") or ()
    match term["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
    raise ValueError(f"a label selector has the operator {term['operator']!r}, which does not exist")


def rules(cluster: Cluster) -> str:
    """The input of `iptables-restore --noflush` that puts exactly these policies in force."""
    lines = ["*mangle", *(f":{chain} - [0:0]" for chain in CHAINS)]
    lines.append("-A VIGIL-POLICY -m conntrack --ctstate ESTABLISHED,RELATED -j RETURN")
    lines += ["-A VIGIL-POLICY -j VIGIL-EGRESS", "-A VIGIL-POLICY -j VIGIL-INGRESS"]
    for direction in ("egress", "ingress"):
        isolated = []
        for pod in cluster.pods:
            policies = [policy for policy in cluster.policies if _isolates(policy, pod, direction)]
            if policies:
                isolated.append(pod)
            lines += dict.fromkeys(
                rule for policy in policies for rule in _allowed(cluster, policy, pod, direction)
            )  # Two policies may allow the same.
        side = "-s" if direction == "egress" else "-d"
        lines += [f"-A VIGIL-{direction.upper()} {side} {pod.address} -j DROP" for pod in isolated]
    return "\n".join([*lines, "COMMIT", ""])


def _isolates(policy: Mapping[str, Any], pod: Pod, direction: str) -> bool:
    spec = policy["spec"]
    types = spec.get("policyTypes") or ["Ingress", *(["Egress"] if spec.get("egress") else [])]
    return (
        policy["metadata"]["namespace"] == pod.namespace
        and direction.capitalize() in types
        and selects(spec["podSelector"], pod.labels)
    )


def _allowed(cluster: Cluster, policy: Mapping[str, Any], pod: Pod, direction: str) -> Iterator[str]:
    own, other = ("-s", "-d") if direction == "egress" else ("-d", "-s")
    for rule in policy["spec"].get(direction) or ():
        peers = rule.get("to" if direction == "egress" else "from")
        for peer in _peers(cluster, policy["metadata"]["namespace"], peers):
            receiver = pod if direction == "ingress" else peer if isinstance(peer, Pod) else None
            address = peer.address if isinstance(peer, Pod) else peer
            for port in _ports(rule.get("ports"), receiver):
                match = [own, pod.address, *((other, address) if address else ()), *port, "-j", "RETURN"]
                yield f"-A VIGIL-{direction.upper()} {' '.join(match)}"


def _peers(cluster: Cluster, namespace: str, peers: Sequence[Mapping[str, Any]] | None) -> Iterator[Pod | str]:
    """Pods and networks that a rule names; the empty string is everything."""
    if not peers:
        yield ""
    for peer in peers or ():
        if "ipBlock" in peer:
            yield from _networks(peer["ipBlock"])
            continue
        for pod in cluster.pods:
            if "namespaceSelector" in peer:
                inside = selects(peer["namespaceSelector"], cluster.namespaces.get(pod.namespace, {}))
            else:
                inside = pod.namespace == namespace
            if inside and selects(peer.get("podSelector") or {}, pod.labels):
                yield pod


def _networks(block: Mapping[str, Any]) -> Iterator[str]:
    networks = [ipaddress.ip_network(block["cidr"])]
    if networks[0].version != 4:
        return
    for gap in map(ipaddress.ip_network, block.get("except") or ()):
        networks = [
            part
            for network in networks
            for part in (network.address_exclude(gap) if gap.subnet_of(network) else [network])  # type: ignore[arg-type]
        ]
    yield from map(str, networks)


def _ports(ports: Iterable[Mapping[str, Any]] | None, receiver: Pod | None) -> Iterator[tuple[str, ...]]:
    """Matches of iptables for the ports of a rule; a name that the receiver does not have matches nothing."""
    if not ports:
        yield ()
    for port in ports or ():
        protocol, number = port.get("protocol", "TCP").lower(), port.get("port")
        if isinstance(number, str):
            number = receiver.ports.get(number) if receiver else None
            if number is None:
                continue
        end = f":{port['endPort']}" if "endPort" in port else ""
        yield ("-p", protocol) if number is None else ("-p", protocol, "--dport", f"{number}{end}")


def read(server: str, pki: Path) -> Cluster:
    """What the API server has now."""
    trusted = ssl.create_default_context(cafile=str(pki / "ca.crt"))
    trusted.load_cert_chain(pki / "admin.crt", pki / "admin.key")

    def items(path: str) -> list[Mapping[str, Any]]:
        with urllib.request.urlopen(f"{server}{path}", context=trusted, timeout=10) as response:
            return list(json.load(response)["items"])

    pods = [pod for item in items("/api/v1/pods") if (pod := pod_of(item))]
    namespaces = {
        item["metadata"]["name"]: item["metadata"].get("labels") or {} for item in items("/api/v1/namespaces")
    }
    return Cluster(pods, namespaces, items("/apis/networking.k8s.io/v1/networkpolicies"))


def _iptables(*arguments: str, **options: Any) -> bool:
    return subprocess.run([*arguments], **options, check=False).returncode == 0


def _hook(action: str, hook: str) -> list[str]:
    incoming = ["-i", BRIDGE] if hook == "INPUT" else []
    return ["iptables", "-w", "-t", "mangle", action, hook, *incoming, "-j", CHAINS[0]]


def enforce(server: str, pki: Path) -> None:
    """Keep the rules of iptables as the policies are, until the process ends."""
    current = ""
    while True:
        try:
            wanted = rules(read(server, pki))
        except OSError as error:
            log.warning("API server unreachable: %s", error)
        else:
            if wanted != current and _iptables("iptables-restore", "-w", "--noflush", input=wanted, text=True):
                log.info("rules replaced: %d lines", wanted.count("\n"))
                current = wanted
                for hook in HOOKS:
                    if not _iptables(*_hook("-C", hook), stderr=subprocess.DEVNULL):
                        _iptables(*_hook("-I", hook))
        time.sleep(1)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    enforce(sys.argv[1], Path(sys.argv[2]))
