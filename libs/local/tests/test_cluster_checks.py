"""`vigil doctor --cluster`: each check by value, and the whole report with a scripted kubectl."""

import json
from pathlib import Path
from typing import Any

import pytest

from vigil_local.commands import cluster_checks, pod_faults
from vigil_local.commands.cluster_checks import Cluster

CLUSTER = Cluster("watch", "vigil")
LABELS = {"app.kubernetes.io/instance": "vigil"}


def version_of(minor: str) -> str:
    return json.dumps({"clientVersion": {}, "serverVersion": {"gitVersion": f"v1.{minor}.2", "minor": minor}})


def workload(name: str, ready: int, wanted: int, kind: str = "Deployment") -> dict[str, Any]:
    metadata = {"name": f"vigil-{name}", "labels": {**LABELS, cluster_checks.COMPONENT: name}}
    return {"kind": kind, "metadata": metadata, "spec": {"replicas": wanted}, "status": {"readyReplicas": ready}}


def pod(name: str, **status: Any) -> dict[str, Any]:
    metadata = {"name": f"vigil-{name}-0", "labels": {**LABELS, cluster_checks.COMPONENT: name}}
    return {"kind": "Pod", "metadata": metadata, "spec": {"volumes": []}, "status": {"phase": "Pending", **status}}


def waiting(reason: str, message: str = "", **last: Any) -> dict[str, Any]:
    state = {"waiting": {"reason": reason, "message": message}}
    return {"containerStatuses": [{"name": "codec", "state": state, "lastState": last}]}


UNSCHEDULED = {
    "conditions": [{"type": "PodScheduled", "status": "False", "message": "0/3 nodes: Insufficient nvidia.com/gpu"}]
}
CROWDED = {"conditions": [{"type": "PodScheduled", "status": "False", "message": "0/3 nodes: Insufficient memory"}]}
FAULTS = {
    "no GPU": (UNSCHEDULED, "Insufficient nvidia.com/gpu", "device plugin"),
    "no room": (CROWDED, "Insufficient memory", "lower `resources`"),
    "no image": (waiting("ImagePullBackOff", "not found"), "codec: ImagePullBackOff not found", "images.registry"),
    "no secret": (waiting("CreateContainerConfigError", 'secret "keys" not found'), 'secret "keys"', "make the Secret"),
    "crashes": (waiting("CrashLoopBackOff", terminated={"exitCode": 2}), "exit status 2", ""),
    "too little memory": (waiting("CrashLoopBackOff", terminated={"reason": "OOMKilled"}), "memory", "limits.memory"),
    "still starting": (waiting("ContainerCreating"), "not ready", ""),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_pod_that_does_not_run_says_why_and_what_to_do(case: str) -> None:
    status, what, mend = FAULTS[case]
    found = pod_faults.fault(pod("codec", **status))
    assert found is not None
    assert what in found.what
    assert mend in found.mend


def test_a_pod_that_is_well_has_no_fault() -> None:
    assert pod_faults.fault(pod("codec", phase="Succeeded")) is None
    ready = [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": "True"}]
    assert pod_faults.fault(pod("codec", phase="Running", conditions=ready)) is None


@pytest.mark.parametrize(("minor", "ok"), [("19", False), ("20", True), ("28", True), ("35+", True)])
def test_the_version_of_the_cluster(minor: str, ok: bool) -> None:
    assert cluster_checks.version(0, version_of(minor)).ok == ok


def test_an_older_cluster_is_told_what_to_switch_off() -> None:
    assert "pdb.enabled=false" in cluster_checks.version(0, version_of("20")).detail


@pytest.mark.parametrize("output", ["", "error: connection refused", '{"clientVersion": {}}'])
def test_a_cluster_that_does_not_answer(output: str) -> None:
    check = cluster_checks.version(1, output)
    assert not check.ok
    assert "kubectl config current-context" in check.mend


def test_nothing_installed_names_the_command() -> None:
    (check,) = cluster_checks.workloads(CLUSTER, [])
    assert not check.ok
    assert "helm install vigil deploy/helm/vigil --namespace watch" in check.mend


def test_each_workload_has_a_line() -> None:
    items = [
        workload("codec", 1, 2),
        pod("codec", **waiting("CrashLoopBackOff")),
        workload("nats", 3, 3, "StatefulSet"),
    ]
    codec, nats = cluster_checks.workloads(CLUSTER, items)
    assert (codec.name, codec.ok, nats.name, nats.ok, nats.detail) == ("codec", False, "nats", True, "3 of 3 ready")
    assert "kubectl --namespace watch logs vigil-codec-0" in codec.mend


def test_a_job_is_ready_once_it_has_succeeded() -> None:
    job = {**workload("streams", 0, 1, "Job"), "status": {"succeeded": 1}}
    assert cluster_checks.workloads(CLUSTER, [job])[0].ok
    assert not cluster_checks.workloads(CLUSTER, [{**job, "status": {}}])[0].ok


def test_a_claim_without_a_volume() -> None:
    claim = {"kind": "PersistentVolumeClaim", "metadata": {"name": "data-vigil-nats-0"}, "status": {"phase": "Pending"}}
    (check,) = cluster_checks.claims(CLUSTER, [claim])
    assert "storage class" in check.mend
    assert not cluster_checks.claims(CLUSTER, [{**claim, "status": {"phase": "Bound"}}])


def test_the_secrets_that_pods_need_are_found_with_their_keys() -> None:
    mounts = pod("codec")
    projected = {
        "sources": [{"secret": {"name": "a", "items": [{"key": "k"}]}}, {"secret": {"name": "b", "optional": True}}]
    }
    mounts["spec"] = {"volumes": [{"projected": projected}, {"secret": {"secretName": "c"}}, {"emptyDir": {}}]}
    assert cluster_checks.mounted([mounts]) == {"a": frozenset({"k"}), "c": frozenset()}


def test_a_secret_without_a_key() -> None:
    assert not cluster_checks.secret("a", frozenset({"k"}), None).ok
    assert cluster_checks.secret("a", frozenset({"k"}), ["k", "l"]).ok
    assert "lacks k" in cluster_checks.secret("a", frozenset({"k"}), ["l"]).detail


def scripted(folder: Path, answers: dict[str, str]) -> str:
    """A kubectl that answers by the first of these words among its arguments."""
    cases = "".join(f"  *{word}*) cat <<'ANSWER'\n{answer}\nANSWER\n;;\n" for word, answer in answers.items())
    program = folder / "kubectl"
    program.write_text(f'#!/bin/sh\ncase "$*" in\n{cases}  *) echo "Error (NotFound)" >&2; exit 1;;\nesac\n')
    program.chmod(0o755)
    return str(program)


async def test_the_whole_report(tmp_path: Path) -> None:
    mounts = pod("codec", **waiting("ImagePullBackOff"))
    mounts["spec"] = {"volumes": [{"secret": {"secretName": "gone"}}]}
    listed = json.dumps({"items": [workload("codec", 0, 1), mounts, workload("test", 0, 1)]})
    kubectl = scripted(tmp_path, {"version": version_of("31"), cluster_checks.KINDS: listed})
    found = await cluster_checks.checks(Cluster("watch", "vigil", kubectl))
    assert [(check.name, check.ok) for check in found] == [("cluster", True), ("codec", False), ("secret", False)]


async def test_a_kubectl_that_is_not_there() -> None:
    (check,) = await cluster_checks.checks(Cluster("watch", "vigil", "/nowhere/kubectl"))
    assert not check.ok
    assert "install kubectl" in check.mend
