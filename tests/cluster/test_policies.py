"""The rules that the test cluster makes of NetworkPolicies, by value."""

from collections.abc import Mapping
from typing import Any

from cluster.policies import Cluster, Pod, pod_of, rules, selects

NATS = Pod("vigil", {"app": "nats"}, "10.244.0.2", {"clients": 4222})
CODEC = Pod("vigil", {"app": "codec"}, "10.244.0.3", {})
OUTSIDE = Pod("default", {"app": "codec"}, "10.244.0.4", {})
NAMES = Pod("kube-system", {"k8s-app": "kube-dns"}, "10.244.0.5", {})
NAMESPACES: Mapping[str, Mapping[str, str]] = {"vigil": {}, "default": {}, "kube-system": {"name": "kube-system"}}


def policy(spec: Mapping[str, Any]) -> dict[str, Any]:
    return {"metadata": {"namespace": "vigil"}, "spec": {"podSelector": {"matchLabels": {"app": "nats"}}, **spec}}


def rules_of(*policies: Mapping[str, Any]) -> list[str]:
    text = rules(Cluster([NATS, CODEC, OUTSIDE, NAMES], NAMESPACES, policies))
    return [line for line in text.splitlines() if line.startswith(("-A VIGIL-EGRESS", "-A VIGIL-INGRESS"))]


def test_without_policies_every_pod_is_free() -> None:
    assert rules_of() == []


def test_a_policy_that_allows_nothing_denies_both_ways() -> None:
    assert rules_of(policy({"policyTypes": ["Ingress", "Egress"]})) == [
        "-A VIGIL-EGRESS -s 10.244.0.2 -j DROP",
        "-A VIGIL-INGRESS -d 10.244.0.2 -j DROP",
    ]


def test_an_edge_names_pods_of_the_same_namespace_and_a_port_by_its_name() -> None:
    peers = [{"podSelector": {"matchLabels": {"app": "codec"}}}]
    assert rules_of(policy({"ingress": [{"from": peers, "ports": [{"port": "clients"}]}]})) == [
        "-A VIGIL-INGRESS -d 10.244.0.2 -s 10.244.0.3 -p tcp --dport 4222 -j RETURN",
        "-A VIGIL-INGRESS -d 10.244.0.2 -j DROP",
    ]


def test_a_selector_of_namespaces_reaches_pods_of_others() -> None:
    peers = [{"namespaceSelector": {"matchLabels": {"name": "kube-system"}}}]
    egress = [{"to": peers, "ports": [{"port": 53, "protocol": "UDP"}]}]
    assert rules_of(policy({"policyTypes": ["Egress"], "egress": egress})) == [
        "-A VIGIL-EGRESS -s 10.244.0.2 -d 10.244.0.5 -p udp --dport 53 -j RETURN",
        "-A VIGIL-EGRESS -s 10.244.0.2 -j DROP",
    ]


def test_a_network_is_allowed_without_its_gaps() -> None:
    block = {"cidr": "10.0.0.0/30", "except": ["10.0.0.0/31"]}
    assert rules_of(policy({"policyTypes": ["Egress"], "egress": [{"to": [{"ipBlock": block}]}]})) == [
        "-A VIGIL-EGRESS -s 10.244.0.2 -d 10.0.0.2/31 -j RETURN",
        "-A VIGIL-EGRESS -s 10.244.0.2 -j DROP",
    ]


def test_what_two_policies_allow_is_allowed_once_and_before_the_denial() -> None:
    same = policy({"ingress": [{"ports": [{"port": 4222}]}]})
    assert rules_of(same, same) == [
        "-A VIGIL-INGRESS -d 10.244.0.2 -p tcp --dport 4222 -j RETURN",
        "-A VIGIL-INGRESS -d 10.244.0.2 -j DROP",
    ]


def test_expressions_of_a_selector_all_hold() -> None:
    terms = [{"key": "app", "operator": "In", "values": ["nats"]}, {"key": "old", "operator": "DoesNotExist"}]
    assert selects({"matchExpressions": terms}, {"app": "nats"})
    assert not selects({"matchExpressions": terms}, {"app": "nats", "old": "yes"})
    assert not selects({"matchExpressions": terms}, {"app": "redis"})


def test_a_pod_without_an_address_of_its_own_has_no_rules() -> None:
    ended = {"metadata": {"namespace": "vigil"}, "spec": {"containers": []}, "status": {"podIP": "10.244.0.9"}}
    assert pod_of(ended) == Pod("vigil", {}, "10.244.0.9", {})
    assert pod_of({**ended, "status": {"podIP": "10.244.0.9", "phase": "Succeeded"}}) is None
    assert pod_of({**ended, "status": {}}) is None
