#!/bin/bash
# Makes padim ready for use on Debian 12 or 13: packages, build, weights of the default backbone.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

usage() {
  cat <<END
usage: scripts/setup.sh [--tests] [BUILD_DIR]

Installs the Debian packages that are missing (as root or with sudo), compiles in BUILD_DIR (build) and fetches the
weights of the default backbone. --tests: what the tests need, too.
END
}

build=$ROOT/build
packages=("${BUILD_PACKAGES[@]}" "${RUN_PACKAGES[@]}")
options=(-Dtests=disabled)
while [[ $# -gt 0 ]]; do
  case $1 in
    --tests) packages+=("${TEST_PACKAGES[@]}") options=(-Dtests=enabled) ;;
    -h | --help) usage && exit ;;
    -*) usage >&2 && exit 2 ;;
    *) build=$(realpath -m "$1") ;;
  esac
  shift
done

cd "$ROOT"
install_packages "${packages[@]}"
configure "$build" "${options[@]}"
compile "$build"
fetch_weights
say "ready; 'meson devenv -C $build' opens a shell with padim and padimfilter"
