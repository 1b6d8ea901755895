#!/usr/bin/env bash
# Installs the chart in the test cluster, and shows that it works there: `make test-helm` runs it.
#   tests/cluster/test-chart.sh [ARGUMENTS OF HELM]
#   install → helm test → a stranger's pod is refused → upgrade → helm test → uninstall leaves nothing
# All of it with helm 4, then with helm 3; HELMS names others. With VIGIL_TLS=yes NATS and the gateway speak TLS.
# Its log is build/cluster/test-helm.log. The cluster is stopped at the end, unless VIGIL_KEEP_CLUSTER is set.
set -euo pipefail

here=tests/cluster
base="$PWD/build/cluster"
namespace=vigil release=vigil
version="${VIGIL_VERSION:-0.1.0}"
read -ra helms <<<"${HELMS:-build/chart/helm-4.1.4 build/chart/helm-3.10.1}"
values=(-f deploy/helm/vigil/examples/cpu.yaml -f "$here/values.yaml")
[ -z "${VIGIL_TLS:-}" ] || values+=(-f "$here/tls.yaml")
values+=("$@")

# What Kubernetes and the pods themselves say of a failure.
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

# Whether a command succeeds within so many seconds: seconds, the command.
eventually() {
  local deadline=$((SECONDS + $1))
  until "${@:2}"; do [ $SECONDS -lt $deadline ] || return 1; done
}

# A stranger reaches neither NATS nor Redis. Without the policies it does: they are what refuses it. The upgrade that
# follows makes them anew.
check_policies() {
  local target
  kubectl -n default delete pod stranger --ignore-not-found --grace-period 1
  kubectl -n default run stranger --image "vigil-cli:$version" --image-pull-policy Never --restart Never --command -- sleep 3600
  kubectl -n default wait --for condition=Ready pod/stranger --timeout 60s
  for target in nats:4222 redis:6379; do
    ! stranger_reaches "$release-${target%:*}" "${target#*:}" || { echo "a stranger reaches $target"; return 1; }
  done
  kubectl -n "$namespace" delete networkpolicies --all
  for target in nats:4222 redis:6379; do
    # The rules follow a change within a second or two.
    eventually 20 stranger_reaches "$release-${target%:*}" "${target#*:}" || { echo "the control failed: nobody reaches $target"; return 1; }
    echo "$target: refused with the policies, reached without them"
  done
  kubectl -n default delete pod stranger --grace-period 1
}

# Nothing of the release runs or listens any more.
is_gone() {
  [ -z "$(kubectl -n "$namespace" get all,configmaps,networkpolicies,serviceaccounts --selector "app.kubernetes.io/instance=$release" -o name)" ]
}

# The whole life of a release, with one helm, in a namespace of its own.
life() {
  local helm=$1
  step "installing with $("$helm" version --short)"
  kubectl create namespace "$namespace"
  [ -z "${VIGIL_TLS:-}" ] || "$here/tls.sh" "$base/tls" "$namespace"
  "$helm" install "$release" deploy/helm/vigil -n "$namespace" "${values[@]}" --wait --timeout 10m
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
  kubectl -n "$namespace" delete pod "$release-test" --ignore-not-found # the hook's, which helm leaves for its log
  eventually 120 is_gone || { echo "something still runs after 120 s"; return 1; } # NATS may take 60 s to stop
  step "what is left of it: the passwords, and the data of NATS and Redis"
  kubectl -n "$namespace" get secrets,persistentvolumeclaims --selector "app.kubernetes.io/instance=$release"
  kubectl delete namespace "$namespace" --timeout 2m
}

run() {
  local helm
  export KUBECONFIG="$base/pki/admin.kubeconfig" PATH="$base/programs/bin:$PATH"
  trap finish EXIT
  step "starting the cluster"
  "$here/cluster.sh" up
  for helm in "${helms[@]}"; do life "$helm"; done
  step "passed: ${helms[*]##*/}"
}

docker image inspect "vigil-engine-cpu:$version" >/dev/null || { echo "the images are missing: run make images" >&2; exit 1; }
mkdir -p "$base"
"$here/programs.sh"
run 2>&1 | tee "$base/test-helm.log"
