#!/bin/bash
# Runs unit, kernel and element tests under AddressSanitizer and UndefinedBehaviorSanitizer.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

usage() {
  cat <<END
usage: scripts/sanitize.sh [BUILD_DIR]

Builds these tests in BUILD_DIR (build-sanitized) with clang and runs them, memory that leaks included: ten minutes. The
exit status is 0 where all of them passed and neither sanitizer had anything to say.
END
}

# The tests of these suites that are programs of their own, not Python around programs that know no sanitizer.
tests() {
  meson introspect --tests "$build" | python3 -c '
import json, os, sys
for test in json.load(sys.stdin):
    suites = {suite.split(":")[-1] for suite in test["suite"]}
    program = os.path.relpath(test["cmd"][0], sys.argv[1])
    if suites & {"unit", "kernels", "element"} and not program.startswith(".."): print(test["name"])' "$build"
}

case ${1:-} in -h | --help) usage && exit ;; esac
[[ $# -le 1 ]] || { usage >&2 && exit 2; }
build=$(realpath -m "${1:-$ROOT/build-sanitized}")

cd "$ROOT"
install_packages "${BUILD_PACKAGES[@]}" "${RUN_PACKAGES[@]}" "${TEST_PACKAGES[@]}" "${CLANG_PACKAGES[@]}"
configure_sanitized "$build"
compile "$build"
mapfile -t names < <(tests)
say "testing"
ASAN_OPTIONS=allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1 \
  LSAN_OPTIONS=suppressions=$ROOT/tests/support/leaks.supp \
  meson test -C "$build" --no-rebuild --print-errorlogs --timeout-multiplier 10 "${names[@]}"
