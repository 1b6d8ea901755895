#!/usr/bin/env bash
# Makes the certificates and the kubeconfig files of the test cluster:
#   tests/cluster/pki.sh DIRECTORY SERVER_ADDRESS SERVICE_ADDRESS PORT NODE_NAME
# One authority signs all of them. A component is known to the API server by the subject of its certificate.
set -euo pipefail

umask 077
directory=$1 server=$2 service=$3 port=$4 node=$5
mkdir -p "$directory"
cd "$directory"

# A key and a certificate: name, subject, subject's alternative names (a client has none).
certificate() {
  local extensions="extendedKeyUsage=clientAuth,serverAuth"
  [ -z "${3:-}" ] || extensions+=$'\n'"subjectAltName=$3"
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$1.key" -subj "$2" -out "$1.csr" 2>/dev/null
  openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -extfile <(echo "$extensions") \
    -out "$1.crt" 2>/dev/null
  rm "$1.csr"
}

# The kubeconfig file of a client: name.
kubeconfig() {
  cat >"$1.kubeconfig" <<YAML
apiVersion: v1
kind: Config
current-context: vigil
contexts: [{name: vigil, context: {cluster: vigil, user: $1}}]
clusters: [{name: vigil, cluster: {server: "https://$server:$port", certificate-authority: "$PWD/ca.crt"}}]
users: [{name: $1, user: {client-certificate: "$PWD/$1.crt", client-key: "$PWD/$1.key"}}]
YAML
}

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj "/CN=vigil-test-cluster" \
  -keyout ca.key -out ca.crt 2>/dev/null
# Signs the tokens of service accounts.
openssl ecparam -name prime256v1 -genkey -noout -out service-account.key
openssl ec -in service-account.key -pubout -out service-account.pub 2>/dev/null

certificate api-server "/CN=kube-apiserver" \
  "DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local,IP:127.0.0.1,IP:$server,IP:$service"
certificate kubelet-client "/O=system:masters/CN=kube-apiserver-kubelet-client"
certificate admin "/O=system:masters/CN=admin"
certificate controller-manager "/CN=system:kube-controller-manager"
certificate scheduler "/CN=system:kube-scheduler"
certificate proxy "/CN=system:kube-proxy"
certificate kubelet "/O=system:nodes/CN=system:node:$node" "DNS:$node,IP:$server"
for client in admin controller-manager scheduler proxy kubelet; do kubeconfig "$client"; done
