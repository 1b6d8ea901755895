"""What `vigil doctor --cluster` looks at: the cluster, the release's workloads, why a pod of theirs does not run."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vigil_local.commands import pod_faults
from vigil_local.commands.check import Check, output_of

KUBECTL_S = 30.0
CHART = "deploy/helm/vigil"
KINDS = "deployments,statefulsets,jobs,pods,persistentvolumeclaims"
COMPONENT = "app.kubernetes.io/component"
TEST = "test"
# The least that the chart works with; below the second, values must switch newer objects off.
LEAST_MINOR, USUAL_MINOR = 20, 25

Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Cluster:
    """A release in a namespace, as kubectl's current context reaches it."""

    namespace: str
    release: str
    kubectl: str = "kubectl"

    @property
    def argv(self) -> tuple[str, ...]:
        return (self.kubectl, "--namespace", self.namespace)

    def shown(self, *words: str) -> str:
        """A command for the user to type."""
        return " ".join(("kubectl", "--namespace", self.namespace, *words))


async def checks(cluster: Cluster) -> list[Check]:
    """All checks of a release; where the cluster does not answer, those that come after are left out."""
    status, output = await output_of((cluster.kubectl, "version", "--output", "json"), KUBECTL_S)
    first = version(status, output)
    if not first.ok:
        return [first]
    selector = f"app.kubernetes.io/instance={cluster.release}"
    status, output = await output_of((*cluster.argv, "get", KINDS, "-l", selector, "-o", "json"), KUBECTL_S)
    if status != 0:
        return [first, Check("release", False, _last(output), "your user needs the right to `get` these objects")]
    items = items_in(output)
    return [first, *workloads(cluster, items), *claims(cluster, items), *await _secrets(cluster, items)]


def version(status: int, output: str) -> Check:
    """kubectl is there, the cluster answers, and it is new enough."""
    mend = "install kubectl, and have its context name the cluster (`kubectl config current-context`)"
    try:
        server = json.loads(output)["serverVersion"]
    except (ValueError, KeyError, TypeError):
        return Check("cluster", False, _last(output), mend)
    minor = int("".join(filter(str.isdecimal, server["minor"])))
    shown = f"Kubernetes {server['gitVersion']}"
    if status != 0 or minor < LEAST_MINOR:
        return Check("cluster", False, shown, f"the chart needs Kubernetes 1.{LEAST_MINOR} or newer")
    if minor < USUAL_MINOR:
        shown += " (before 1.25: set probes.grpc=false, pdb.enabled=false and autoscaling.enabled=false)"
    return Check("cluster", True, shown)


def items_in(output: str) -> list[Item]:
    """The objects of kubectl's answer, without those of `helm test`."""
    found: list[Item] = json.loads(output)["items"]
    return [item for item in found if component(item) != TEST]


def workloads(cluster: Cluster, items: Sequence[Item]) -> list[Check]:
    """One line for each Deployment, StatefulSet and Job: it is ready, or why its first pod that is not well is not."""
    found = [item for item in items if item["kind"] in ("Deployment", "StatefulSet", "Job")]
    if not found:
        install = f"helm install {cluster.release} {CHART} --namespace {cluster.namespace}"
        named = f"nothing is installed as {cluster.release} in {cluster.namespace}"
        return [Check("release", False, named, f"`{install} --create-namespace`, or give --release and --namespace")]
    pods = [item for item in items if item["kind"] == "Pod"]
    return [_workload(cluster, item, [pod for pod in pods if component(pod) == component(item)]) for item in found]


def _workload(cluster: Cluster, item: Item, pods: Iterable[Item]) -> Check:
    ready, wanted = _ready(item)
    name, shown = component(item), f"{ready} of {wanted} ready"
    if ready >= wanted:
        return Check(name, True, shown)
    for pod in pods:
        if fault := pod_faults.fault(pod):
            logs = cluster.shown("logs", pod["metadata"]["name"], "--all-containers", "--tail=50")
            return Check(name, False, f"{shown}: {fault.what}", fault.mend or f"`{logs}`")
    describe = cluster.shown("describe", item["kind"].lower(), item["metadata"]["name"])
    return Check(name, False, f"{shown}: it has no pod", f"`{describe}` says why")


def _ready(item: Item) -> tuple[int, int]:
    status = item.get("status", {})
    if item["kind"] == "Job":
        return status.get("succeeded", 0), 1
    return status.get("readyReplicas", 0), item["spec"].get("replicas", 1)


def claims(cluster: Cluster, items: Iterable[Item]) -> list[Check]:
    """A line for each volume claim that has no volume."""
    waiting = [item for item in items if item["kind"] == "PersistentVolumeClaim" and item["status"]["phase"] != "Bound"]
    mend = "give the cluster a default storage class, or name one in persistence.storageClass"
    return [
        Check("volume", False, f"{item['metadata']['name']} is {item['status']['phase'].lower()}", mend)
        for item in waiting
    ]


async def _secrets(cluster: Cluster, items: Iterable[Item]) -> list[Check]:
    """Whether each Secret that a pod mounts is there with every key; a user who may not look is told nothing."""
    template = "{{range $key, $value := .data}}{{$key}} {{end}}"
    found = []
    for name, keys in sorted(mounted(items).items()):
        argv = (*cluster.argv, "get", "secret", name, "-o", f"go-template={template}")
        status, output = await output_of(argv, KUBECTL_S)
        if status == 0 or "NotFound" in output:
            found.append(secret(name, keys, output.split() if status == 0 else None))
    return found


def secret(name: str, keys: frozenset[str], present: Iterable[str] | None) -> Check:
    """A Secret with these keys; `present` are those that it has, None when there is no such Secret."""
    mend = "make it (docs/kubernetes.md, Secrets), or leave existingSecret empty and have the chart make it"
    if present is None:
        return Check("secret", False, f"{name} is not there", mend)
    missing = ", ".join(sorted(keys - set(present)))
    return Check(
        "secret", not missing, f"{name} lacks {missing}" if missing else f"{name} has what is read of it", mend
    )


def mounted(items: Iterable[Item]) -> dict[str, frozenset[str]]:
    """The Secrets that pods need, and the keys of each."""
    found: dict[str, frozenset[str]] = {}
    for pod in (item for item in items if item["kind"] == "Pod"):
        for volume in pod["spec"].get("volumes", ()):
            for source in (volume, *volume.get("projected", {}).get("sources", ())):
                named = source.get("secret", {})
                name = named.get("secretName") or named.get("name")
                if name and not named.get("optional"):
                    keys = frozenset(item["key"] for item in named.get("items", ()))
                    found[name] = found.get(name, frozenset()) | keys
    return found


def component(item: Item) -> str:
    """What of Vigil an object belongs to."""
    return str(item["metadata"].get("labels", {}).get(COMPONENT, item["metadata"]["name"]))


def _last(output: str) -> str:
    return (output.strip().splitlines() or ["no output"])[-1]
