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

# The programs of the suites that are run.
programs() {
  meson introspect --tests "$build" | python3 -c '
import json, os, sys
for test in json.load(sys.stdin):
    if any(suite.split(":")[-1] in ("unit", "kernels", "element") for suite in test["suite"]):
        for word in test["cmd"]:
            if word.startswith(sys.argv[1]): print(os.path.relpath(word, sys.argv[1]))' "$build" | sort -u
}

case ${1:-} in -h | --help) usage && exit ;; esac
[[ $# -le 1 ]] || { usage >&2 && exit 2; }
build=$(realpath -m "${1:-$ROOT/build-sanitized}")

cd "$ROOT"
install_packages "${BUILD_PACKAGES[@]}" "${RUN_PACKAGES[@]}" "${TEST_PACKAGES[@]}" "${CLANG_PACKAGES[@]}"
configure_sanitized "$build"
mapfile -t targets < <(programs)
compile "$build" "${targets[@]}"
say "testing"
ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 \
  LSAN_OPTIONS=suppressions=$ROOT/tests/support/leaks.supp \
  meson test -C "$build" --no-rebuild --print-errorlogs --timeout-multiplier 10 --suite unit --suite kernels --suite element
