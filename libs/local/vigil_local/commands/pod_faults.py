"""Why a pod of Kubernetes is not ready, in words, and what to do. Pure: a pod as kubectl shows it in, a fault out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Pod = Mapping[str, Any]

IMAGE = "name where the images are (images.registry, images.tag) and who may pull them (images.pullSecrets)"
GPU = "the nodes offer no such GPU: install the vendor's device plugin, or name the resource in engines.*.gpu.resource"
ROOM = "add a node, or lower `resources`; nodeSelector, tolerations and affinity of the block must fit a node"
MENDS = {
    "ImagePullBackOff": IMAGE,
    "ErrImagePull": IMAGE,
    "ErrImageNeverPull": "put the image on the node, or set images.pullPolicy=IfNotPresent",
    "InvalidImageName": IMAGE,
    "CreateContainerConfigError": "make the Secret or ConfigMap that it names",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a pod; without `mend` its logs say more."""

    what: str
    mend: str = ""


def fault(pod: Pod) -> Fault | None:
    """Why the pod is not ready; None when it is, or has done its work."""
    if pod["status"].get("phase") == "Succeeded":
        return None
    found = [*_unscheduled(pod), *_containers(pod)]
    if found:
        return found[0]
    if all(condition["status"] == "True" for condition in _conditions(pod, "Ready")) and _conditions(pod, "Ready"):
        return None
    return Fault(f"{pod['metadata']['name']} is {pod['status'].get('phase', 'unknown').lower()} and not ready")


def _unscheduled(pod: Pod) -> Iterator[Fault]:
    for condition in _conditions(pod, "PodScheduled"):
        if condition["status"] == "False":
            message = str(condition.get("message", condition.get("reason", "not scheduled")))
            yield Fault(f"no node takes it: {message}", GPU if "gpu" in message.lower() else ROOM)


def _containers(pod: Pod) -> Iterator[Fault]:
    status = pod["status"]
    for container in (*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())):
        ended = container.get("lastState", {}).get("terminated") or container["state"].get("terminated") or {}
        waiting = container["state"].get("waiting", {})
        if ended.get("reason") == "OOMKilled":
            yield Fault(f"{container['name']} was killed for its memory", "raise resources.limits.memory of its block")
        elif waiting.get("reason") == "CrashLoopBackOff":
            yield Fault(f"{container['name']} ends again and again (exit status {ended.get('exitCode', 'unknown')})")
        elif waiting and waiting.get("reason") not in ("ContainerCreating", "PodInitializing"):
            words = " ".join(filter(None, (waiting.get("reason"), waiting.get("message"))))
            yield Fault(f"{container['name']}: {words}", MENDS.get(waiting.get("reason", ""), ""))


def _conditions(pod: Pod, kind: str) -> list[Mapping[str, str]]:
    return [condition for condition in pod["status"].get("conditions", ()) if condition["type"] == kind]
