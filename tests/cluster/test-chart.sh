#!/usr/bin/env bash
# Installs the chart in the test cluster, and shows that it works there: `make test-helm` runs it.
#   install → helm test → a stranger's pod is refused → upgrade → helm test → uninstall leaves nothing
# Its log is build/cluster/test-helm.log. The cluster is stopped at the end, unless VIGIL_KEEP_CLUSTER is set.
set -euo pipefail

here=tests/cluster
base="$PWD/build/cluster"
namespace=vigil release=vigil
version="${VIGIL_VERSION:-0.1.0}"
helm="${HELM:-build/chart/helm-4.1.4}"
values=(-f deploy/helm/vigil/examples/cpu.yaml -f "$here/values.yaml")

# All pods that did not become ready, with what Kubernetes and they themselves say of it.
explain() {
  local pod
  kubectl -n "$namespace" get pods -o wide
  kubectl -n "$namespace" get events --sort-by .lastTimestamp | tail -n 30
  for pod in $(kubectl -n "$namespace" get pods -o name); do
    echo "--- $pod"
    kubectl -n "$namespace" logs --all-containers --tail 15 "$pod" 2>&1 || true
  done
}

step() { echo "==> $(date +%T) $*"; }

finish() {
  local status=$?
  [ $status = 0 ] || { step "FAILED: what the pods say"; explain || true; }
  [ -n "${VIGIL_KEEP_CLUSTER:-}" ] || "$here/cluster.sh" down
  exit $status
}

# Whether a pod of another namespace reaches a port of a service: host, port.
stranger_reaches() {
  kubectl -n default exec stranger -- python -c \
    'import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=3)' "$1.$namespace.svc.cluster.local" "$2" \
    >/dev/null 2>&1
}

# A stranger reaches neither NATS nor Redis. Without the policies it would: they are what refuses it.
check_policies() {
  local target
  kubectl -n default run stranger --image "vigil-cli:$version" --image-pull-policy Never --restart Never --command -- sleep 3600
  kubectl -n default wait --for condition=Ready pod/stranger --timeout 60s
  sleep 3
  for target in nats:4222 redis:6379; do
    ! stranger_reaches "$release-${target%:*}" "${target#*:}" || { echo "a stranger reaches $target"; return 1; }
  done
  kubectl -n "$namespace" get networkpolicies -o yaml >"$base/policies.yaml"
  kubectl -n "$namespace" delete networkpolicies --all
  sleep 3
  for target in nats:4222 redis:6379; do
    stranger_reaches "$release-${target%:*}" "${target#*:}" || { echo "the control failed: $target is not there at all"; return 1; }
  done
  kubectl apply -f "$base/policies.yaml"
  kubectl -n default delete pod stranger --grace-period 1
}

run() {
  export KUBECONFIG="$base/pki/admin.kubeconfig" PATH="$base/programs/bin:$PATH"
  trap finish EXIT
  step "starting the cluster"
  "$here/cluster.sh" up
  step "installing"
  "$helm" install "$release" deploy/helm/vigil -n "$namespace" --create-namespace "${values[@]}" --wait --timeout 10m
  kubectl -n "$namespace" get pods -o wide
  step "helm test"
  "$helm" test "$release" -n "$namespace" --logs --timeout 5m
  step "a pod outside is refused by the network policies"
  check_policies
  step "upgrading"
  "$helm" upgrade "$release" deploy/helm/vigil -n "$namespace" "${values[@]}" --set services.gateway.podAnnotations.upgraded=yes \
    --wait --timeout 10m
  kubectl -n "$namespace" get pods -o wide
  "$helm" test "$release" -n "$namespace" --logs --timeout 5m
  step "uninstalling"
  "$helm" uninstall "$release" -n "$namespace" --wait --timeout 5m
  step "what is left"
  kubectl -n "$namespace" get all,configmaps,secrets,networkpolicies,persistentvolumeclaims
  step "passed"
}

mkdir -p "$base"
"$here/programs.sh"
run 2>&1 | tee "$base/test-helm.log"
