#!/usr/bin/env bash
# Fetches and builds the programs of a small Kubernetes cluster. Nothing of the system changes.
#   tests/cluster/programs.sh [DIRECTORY]       default: build/cluster/programs. Afterwards DIRECTORY/bin has them all.
# etcd, kubectl, the CNI plugins and Go come from packages of Debian 12. Kubernetes itself (API server, scheduler,
# controller manager, proxy, kubelet) is built from Debian's source package: 1.20.2, the newest of which Debian has all
# parts. The build needs ten minutes of processor time and 3 GB of disk, once.
set -euo pipefail

version=1.20.2
mkdir -p "${1:-build/cluster/programs}"
target="$(cd "${1:-build/cluster/programs}" && pwd)"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
packages=(etcd-server kubernetes-client containernetworking-plugins golang-1.19-go golang-1.19-src)
components=(kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubelet)
# Processors that the build may take.
jobs="${VIGIL_BUILD_JOBS:-$(nproc)}"

# apt-get with a state of its own, from where this machine gets its Debian packages.
apt() {
  local state="$target/apt" site
  site="$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | head -n 1)"
  mkdir -p "$state/lists/partial" "$state/cache/archives/partial" "$state/none"
  printf "%s [signed-by=$keyring] $site bookworm main\n" deb deb-src >"$state/sources.list"
  apt-get -qq -o Dir::Etc::SourceList="$state/sources.list" -o Dir::Etc::SourceParts="$state/none" \
    -o Dir::State::Lists="$state/lists" -o Dir::Cache="$state/cache" -o APT::Sandbox::User=root "$@"
}

fetch_packages() {
  [ ! -e "$target/packages/.complete" ] || return 0
  echo "==> fetching ${packages[*]}"
  rm -rf "$target/packages"
  mkdir -p "$target/packages"
  apt update
  (cd "$target/packages" && apt download "${packages[@]}" && for file in *.deb; do dpkg -x "$file" . && rm "$file"; done)
  touch "$target/packages/.complete"
}

# The source lies where Go 1.19 looks for k8s.io/kubernetes without modules, as Kubernetes 1.20 is built.
fetch_source() {
  [ ! -e "$target/go/.complete" ] || return 0
  echo "==> fetching the source of Kubernetes $version"
  rm -rf "$target/go" "$target/source"
  mkdir -p "$target/go/src/k8s.io" "$target/source"
  (cd "$target/source" && apt source --download-only kubernetes)
  tar -C "$target/source" -xf "$target"/source/kubernetes_*.orig.tar.gz
  mv "$target/source/kubernetes-$version" "$target/go/src/k8s.io/kubernetes"
  touch "$target/go/.complete"
}

go_run() {
  GOROOT="$target/packages/usr/lib/go-1.19" GOPATH="$target/go" GOCACHE="$target/go-cache" GO111MODULE=off \
    GOFLAGS=-p="$jobs" CGO_ENABLED=0 "$target/packages/usr/lib/go-1.19/bin/go" "$@"
}

# The kubelet tells the kernel to spare some containers when memory is short. A sandbox without CAP_SYS_RESOURCE, as
# machines for tests often are, refuses that; the cluster does without.
spare_no_container() {
  sed -i 's/\(defaultSandboxOOMAdj int *= \)-998/\10/' pkg/kubelet/dockershim/docker_sandbox.go
  sed -i 's/return guaranteedOOMScoreAdj/return 0/' pkg/kubelet/qos/policy.go
}

# The one generated file that the source package lacks: the description of the API's types.
generate_openapi() {
  local directories
  [ ! -e pkg/generated/openapi/zz_generated.openapi.go ] || return 0
  go_run install ./vendor/k8s.io/kube-openapi/cmd/openapi-gen
  directories="$(grep -Rl --include='*.go' '^// +k8s:openapi-gen=' vendor/k8s.io pkg cmd | grep -v -e /code-generator/ -e /sample-apiserver/ |
    xargs -n 1 dirname | sort -u | sed 's,^,k8s.io/kubernetes/,' | paste -sd ,)"
  GOROOT="$target/packages/usr/lib/go-1.19" GOPATH="$target/go" GO111MODULE=off PATH="$target/packages/usr/lib/go-1.19/bin:$PATH" \
    "$target/go/bin/openapi-gen" --logtostderr -i "$directories" -p k8s.io/kubernetes/pkg/generated/openapi \
    -O zz_generated.openapi -h vendor/k8s.io/code-generator/hack/boilerplate.go.txt -r "$target/openapi-violations"
}

build_kubernetes() {
  local flags package
  [ ! -e "$target/bin/.complete" ] || return 0
  echo "==> building Kubernetes $version: ${components[*]}"
  mkdir -p "$target/bin"
  cd "$target/go/src/k8s.io/kubernetes"
  spare_no_container
  generate_openapi
  flags="-s -w"
  for package in client-go/pkg component-base; do
    flags+=" -X k8s.io/kubernetes/vendor/k8s.io/$package/version.gitVersion=v$version"
    flags+=" -X k8s.io/kubernetes/vendor/k8s.io/$package/version.gitMajor=1 -X k8s.io/kubernetes/vendor/k8s.io/$package/version.gitMinor=20"
  done
  # Without the clouds' own code: it is half of the build.
  go_run build -tags providerless -ldflags "$flags" -o "$target/bin/" "${components[@]/#/./cmd/}"
  cp "$target/packages/usr/bin/etcd" "$target/packages/usr/bin/kubectl" "$target/bin/"
  touch "$target/bin/.complete"
}

fetch_packages
fetch_source
build_kubernetes
"$target/bin/kubelet" --version
