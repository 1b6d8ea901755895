#!/usr/bin/env bash
# Makes an authority, and a certificate that holds the names of the release's servers, as Secrets of a namespace.
#   tests/cluster/tls.sh DIRECTORY NAMESPACE
set -euo pipefail

folder=$1 namespace=$2
names=DNS:vigil-gateway,DNS:vigil-nats,DNS:vigil-redis,DNS:*.vigil-nats-peers,DNS:localhost
mkdir -p "$folder"
cd "$folder"
# The key and the certificate of a name: name, its subject, further options.
certificate() {
  openssl req -x509 -days 30 -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -keyout "$1.key" -out "$1.crt" \
    -subj "/CN=$2" "${@:3}" 2>/dev/null
}
certificate ca "Vigil test authority" -addext keyUsage=critical,keyCertSign,cRLSign
certificate tls vigil-gateway -CA ca.crt -CAkey ca.key -addext "subjectAltName=$names" -addext basicConstraints=critical,CA:FALSE
kubectl -n "$namespace" create secret generic vigil-ca --from-file ca.crt
kubectl -n "$namespace" create secret generic vigil-tls --from-file tls.crt --from-file tls.key --from-file ca.crt
