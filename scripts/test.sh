#!/bin/bash
# Installs what the tests need, compiles, runs every test and counts.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

usage() {
  cat <<END
usage: scripts/test.sh [BUILD_DIR] [-DOPTION=VALUE ...] [--without-acceptance]

Runs every test in BUILD_DIR (build), configured with Meson's OPTIONs; or all but the acceptance tests, which take
minutes to measure figures on real footage. The last line counts the tests; the exit status is 0 where none failed.
END
}

# Counts Meson's results from its log $1, with "N passed, N failed, N skipped" on the last line.
count_results() {
  awk -F: '
    /^(Ok|Expected Fail):/ { passed += $2 }
    /^(Fail|Unexpected Pass|Timeout):/ { failed += $2 }
    /^Skipped:/ { skipped += $2 }
    END { printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped }' "$1"
}

# Runs the tests in the build folder $1. Slow machines get three times the time.
run_tests() {
  local log=$1/meson-logs/testlog.txt status=0
  say "testing"
  rm -f "$log"
  meson test -C "$1" --no-rebuild --print-errorlogs --timeout-multiplier 3 "${selection[@]}" || status=$?
  [[ -f $log ]] || fail "Meson ran no tests"
  echo
  count_results "$log"
  return "$status"
}

build=$ROOT/build
options=(-Dtests=enabled)
selection=()
if [[ ${*: -1} == --without-acceptance ]]; then
  selection=(--no-suite acceptance)
  set -- "${@:1:$#-1}"
fi
read_build_arguments "$@"

cd "$ROOT"
install_packages "${BUILD_PACKAGES[@]}" "${RUN_PACKAGES[@]}" "${TEST_PACKAGES[@]}"
configure "$build" "${options[@]}"
compile "$build"
fetch_weights
run_tests "$build"
