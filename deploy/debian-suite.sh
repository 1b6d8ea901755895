# To be sourced. Debian packages of any suite, from where this machine gets its own; nothing of the system changes.

# apt-get with lists and a cache of its own below a folder: apt_of FOLDER SUITE ARGUMENT...
apt_of() {
  local state="$1/.apt/$2" suite=$2 site keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  shift 2
  site="$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | head -n 1)"
  mkdir -p "$state/lists/partial" "$state/cache/archives/partial" "$state/none"
  echo "deb [signed-by=$keyring] $site $suite main" >"$state/sources.list"
  apt-get -qq -o Dir::Etc::SourceList="$state/sources.list" -o Dir::Etc::SourceParts="$state/none" \
    -o Dir::State::Lists="$state/lists" -o Dir::Cache="$state/cache" -o APT::Sandbox::User=root "$@"
}
