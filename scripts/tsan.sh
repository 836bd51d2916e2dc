#!/bin/bash
# Runs the element's tests under ThreadSanitizer.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

usage() {
  cat <<END
usage: scripts/tsan.sh [BUILD_DIR [GTEST_FILTER]]

Builds in BUILD_DIR (build-tsan) with -Db_sanitize=thread and runs the tests of everything that has threads, over a fake
backbone: some minutes. The exit status is 0 where no data race was found and all of them passed.
END
}

# Reads of the C library that GLib's and GStreamer's own code makes do not count: what orders them is not seen
# (tests/element/glib_locks.cpp). The element's code counts, whoever calls it.
run_tests() {
  TSAN_OPTIONS="ignore_noninstrumented_modules=1 ${TSAN_OPTIONS:-}" CK_DEFAULT_TIMEOUT=60 \
    G_DEBUG=fatal-criticals GST_REGISTRY=$build/registry.bin OMP_WAIT_POLICY=passive \
    "$build/tests/element/element-tests" "--gtest_filter=$filter"
}

case ${1:-} in -h | --help) usage && exit ;; esac
[[ $# -le 2 ]] || { usage >&2 && exit 2; }
build=$(realpath -m "${1:-$ROOT/build-tsan}")
filter=${2:-Background*:Finishing*:Fit*:Json*:Learn*:Live*:Opening*:Reload*:States*:Statistics*:Swap*-*Hundred*:*Twenty*}

cd "$ROOT"
install_packages "${BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}"
configure "$build" -Db_sanitize=thread -Db_lundef=false -Dbuildtype=debugoptimized -Dtools=disabled -Dtests=enabled
compile "$build" tests/element/element-tests
run_tests
