#!/usr/bin/env bash
# A Kubernetes cluster of one node on this machine, for tests. Pods run in the local Docker and use its images.
#   tests/cluster/cluster.sh up       start it and wait until the node is ready
#   tests/cluster/cluster.sh down     stop it and remove what it made, its data too
#   export KUBECONFIG=build/cluster/pki/admin.kubeconfig; build/cluster/programs/bin/kubectl get pods -A
# Needs root, a Docker daemon and the programs (programs.sh). Everything lies in build/cluster; besides it, the cluster
# uses a bridge named vigil0, rules of iptables, and the folders that Kubernetes fixes (/var/log/pods, /var/log/containers).
set -euo pipefail

here="$(cd "$(dirname "$0")" && pwd)"
base="$(mkdir -p build/cluster && cd build/cluster && pwd)"
bin="$base/programs/bin" pki="$base/pki" state="$base/state" run="$base/run" log="$base/log"
bridge=vigil0 node=vigil-node address=10.244.0.1 pods=10.244.0.0/24 services=10.96.0.0/16 service=10.96.0.1 dns=10.96.0.10 port=16443
pause=vigil-pause:3.2
export KUBECONFIG="$pki/admin.kubeconfig" PATH="$bin:$PATH"

# Start a program in the background: name, then its arguments. Its output goes to build/cluster/log/<name>.log.
start() { start_as "$1" "$bin/$1" "${@:2}"; }

start_as() {
  setsid nohup "${@:2}" >"$log/$1.log" 2>&1 </dev/null &
  echo $! >"$run/$1.pid"
}

stop() {
  [ -e "$run/$1.pid" ] || return 0
  local pid deadline=$((SECONDS + 30))
  pid="$(cat "$run/$1.pid")"
  kill "$pid" 2>/dev/null || true
  while kill -0 "$pid" 2>/dev/null && [ $SECONDS -lt $deadline ]; do sleep 0.2; done
  kill -9 "$pid" 2>/dev/null || true
  rm "$run/$1.pid"
}

# Wait until a command succeeds: seconds, what is awaited, the command.
await() {
  local deadline=$((SECONDS + $1))
  until "${@:3}" >"$run/await" 2>&1; do
    [ $SECONDS -lt $deadline ] || { echo "$2: not within $1 s; see $log" >&2; cat "$run/await" >&2; exit 1; }
    sleep 1
  done
}

# The network of pods: a bridge whose address is the node's. The plugin `firewall` lets pods through Docker's own rules.
make_network() {
  ip link show "$bridge" >/dev/null 2>&1 || ip link add "$bridge" type bridge
  ip addr replace "$address/24" dev "$bridge"
  ip link set "$bridge" up
  mkdir -p "$base/cni"
  cat >"$base/cni/10-vigil.conflist" <<JSON
{"cniVersion": "0.4.0", "name": "vigil", "plugins": [
  {"type": "bridge", "bridge": "$bridge", "isGateway": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "dataDir": "$state/addresses", "ranges": [[{"subnet": "$pods"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "firewall"}]}
JSON
}

# The image of the container that holds a pod's network: a program that sleeps, from Kubernetes' source.
make_pause_image() {
  docker image inspect "$pause" >/dev/null 2>&1 && return 0
  mkdir -p "$base/pause"
  cc -Os -static -o "$base/pause/pause" "$base/programs/go/src/k8s.io/kubernetes/build/pause/linux/pause.c"
  tar -C "$base/pause" -c pause | docker import --change 'ENTRYPOINT ["/pause"]' - "$pause" >/dev/null
}

start_control_plane() {
  start etcd --name vigil --data-dir "$state/etcd" --listen-client-urls http://127.0.0.1:12379 \
    --advertise-client-urls http://127.0.0.1:12379 --listen-peer-urls http://127.0.0.1:12380 \
    --initial-advertise-peer-urls http://127.0.0.1:12380 --initial-cluster vigil=http://127.0.0.1:12380
  start kube-apiserver --etcd-servers http://127.0.0.1:12379 --bind-address "$address" --advertise-address "$address" \
    --secure-port "$port" --service-cluster-ip-range "$services" --authorization-mode Node,RBAC \
    --enable-admission-plugins NodeRestriction --client-ca-file "$pki/ca.crt" --tls-cert-file "$pki/api-server.crt" \
    --tls-private-key-file "$pki/api-server.key" --kubelet-client-certificate "$pki/kubelet-client.crt" \
    --kubelet-preferred-address-types InternalIP --kubelet-client-key "$pki/kubelet-client.key" --kubelet-certificate-authority "$pki/ca.crt" \
    --service-account-issuer https://kubernetes.default.svc --service-account-key-file "$pki/service-account.pub" \
    --service-account-signing-key-file "$pki/service-account.key"
  await 120 "API server" kubectl get --raw /readyz
  start kube-controller-manager --kubeconfig "$pki/controller-manager.kubeconfig" --bind-address 127.0.0.1 --port 0 \
    --leader-elect=false --use-service-account-credentials --root-ca-file "$pki/ca.crt" \
    --service-account-private-key-file "$pki/service-account.key"
  start kube-scheduler --kubeconfig "$pki/scheduler.kubeconfig" --bind-address 127.0.0.1 --port 0 --leader-elect=false
}

# The kubelet never removes an image, and never evicts a pod for want of disk: both belong to the machine's owner.
start_node() {
  cat >"$state/kubelet.yaml" <<YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $address
authentication: {x509: {clientCAFile: "$pki/ca.crt"}, webhook: {enabled: true}, anonymous: {enabled: false}}
authorization: {mode: Webhook}
tlsCertFile: "$pki/kubelet.crt"
tlsPrivateKeyFile: "$pki/kubelet.key"
cgroupDriver: $(docker info --format '{{.CgroupDriver}}')
clusterDomain: cluster.local
clusterDNS: ["$dns"]
resolvConf: "$state/resolv.conf"
failSwapOn: false
imageGCHighThresholdPercent: 100
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%}
YAML
  echo "options ndots:5" >"$state/resolv.conf"
  start kubelet --config "$state/kubelet.yaml" --kubeconfig "$pki/kubelet.kubeconfig" --hostname-override "$node" \
    --node-ip "$address" --root-dir "$state/kubelet" --cert-dir "$pki" --pod-infra-container-image "$pause" \
    --experimental-dockershim-root-directory "$state/dockershim" --network-plugin cni --cni-conf-dir "$base/cni" \
    --cni-bin-dir "$base/programs/packages/usr/lib/cni" --cni-cache-dir "$state/cni"
  start kube-proxy --kubeconfig "$pki/proxy.kubeconfig" --hostname-override "$node" --cluster-cidr "$pods" \
    --proxy-mode iptables --healthz-bind-address 127.0.0.1:10256 --conntrack-max-per-core 0
  start_as policies python3 "$here/policies.py" "https://$address:$port" "$pki"
  await 120 "node" kubectl wait --for condition=Ready "node/$node" --timeout 1s
}

# Volumes for the claims of the default class, each a folder that any user may write, and the name service.
make_objects() {
  local number python_image
  # The name service needs Python: the image that Vigil's own are made from.
  python_image="$(sed -n 's/^ARG PYTHON_IMAGE=//p' deploy/images/Dockerfile | head -n 1)"
  for number in $(seq 12); do
    mkdir -p "$state/volumes/$number"
    chmod 777 "$state/volumes/$number"
    sed "s,@NUMBER@,$number,; s,@PATH@,$state/volumes/$number," "$here/volume.yaml" | kubectl apply -f -
  done
  kubectl apply -f "$here/storage-class.yaml"
  # Kubernetes 1.20 does not label namespaces with their names, as later ones do.
  kubectl label namespace kube-system kubernetes.io/metadata.name=kube-system --overwrite
  kubectl -n kube-system create configmap vigil-dns --from-file "$here/dns.py" --dry-run=client -o yaml | kubectl apply -f -
  sed "s,@ADDRESS@,$dns,; s,@API@,$service,; s,@IMAGE@,$python_image," "$here/dns.yaml" | kubectl apply -f -
  kubectl -n kube-system rollout status deployment/vigil-dns --timeout 120s
}

up() {
  [ "$(id -u)" = 0 ] || { echo "the cluster needs root" >&2; exit 1; }
  docker info >/dev/null 2>&1 || { echo "no Docker daemon answers: start one, then run this again" >&2; exit 1; }
  [ -x "$bin/kubelet" ] || { echo "the programs are missing: run tests/cluster/programs.sh" >&2; exit 1; }
  [ ! -e "$run/kubelet.pid" ] || { echo "the cluster is up; tests/cluster/cluster.sh down stops it" >&2; exit 1; }
  mkdir -p "$state" "$run" "$log"
  make_network
  make_pause_image
  "$here/pki.sh" "$pki" "$address" "$service" "$port" "$node"
  start_control_plane
  start_node
  make_objects >"$log/objects.log"
  kubectl get nodes -o wide
}

# Remove the rules of kube-proxy, the kubelet and policies.py from iptables, and nobody else's.
remove_rules() {
  local table
  for table in mangle nat filter; do
    iptables -w -t "$table" -S | grep -E '^-A (KUBE|VIGIL)-|-j (KUBE|VIGIL)-' | sed 's/^-A/-D/' | xargs -rL 1 iptables -w -t "$table" || true
    iptables -w -t "$table" -S | sed -En 's/^-N ((KUBE|VIGIL)-.*)/\1/p' | xargs -rn 1 iptables -w -t "$table" -X
  done
}

down() {
  local containers
  mkdir -p "$run" "$log"
  stop kube-controller-manager # It would make the pods anew.
  kubectl delete pods --all --all-namespaces --grace-period 1 --timeout 60s >"$log/down.log" 2>&1 || true
  for program in policies kubelet kube-proxy kube-scheduler kube-apiserver etcd; do stop "$program"; done
  containers="$(docker ps -aq --filter label=io.kubernetes.pod.name 2>/dev/null || true)"
  # shellcheck disable=SC2086
  [ -z "$containers" ] || docker rm -fv $containers >/dev/null
  remove_rules
  grep " $state/kubelet[/ ]" /proc/mounts | cut -d' ' -f2 | sort -r | xargs -r umount || true
  ip link delete "$bridge" 2>/dev/null || true
  rm -rf "$state" "$run" "$pki" "$base/cni"
}

case "${1:-}" in
  up) up ;;
  down) down ;;
  *) echo "usage: $0 up|down" >&2; exit 2 ;;
esac
