#!/bin/bash
# Builds library, tool and element without LibTorch and tests that they work and that nothing of LibTorch is left.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

usage() {
  cat <<END
usage: scripts/without_libtorch.sh [BUILD_DIR] [-DOPTION=VALUE ...]

Builds in BUILD_DIR (build-without-libtorch) with -Dlibtorch=disabled and Meson's other OPTIONs, what a user gets and
what its tests need, and runs those tests: two minutes. The exit status is 0 where all of them passed.
END
}

# The build knows no LibTorch, and refuses to be without any engine.
check_configuration() {
  ! grep -qE 'libtorch(_cpu)?\.so|libc10|torch\.cpp' "$build/build.ninja" || fail "the build still uses LibTorch"
  local other=$build/no-engine
  rm -rf "$other"
  if meson setup "$other" -Dlibtorch=disabled -Donednn=disabled >"$build/no-engine.log" 2>&1; then
    fail "a build without LibTorch and without oneDNN was configured"
  fi
  grep -q 'networks need oneDNN' "$build/no-engine.log" || fail "see $build/no-engine.log"
}

build=$ROOT/build-without-libtorch
options=(-Dtests=enabled -Dlibtorch=disabled)
read_build_arguments "$@"

cd "$ROOT"
install_packages "${BUILD_PACKAGES[@]}" "${RUN_PACKAGES[@]}" "${TEST_PACKAGES[@]}"
configure "$build" "${options[@]}"
check_configuration
compile "$build" gst-plugin/libgstpadim.so tools/padim/padim tests/dump_taps
say "testing"
meson test -C "$build" --no-rebuild --print-errorlogs --timeout-multiplier 3 \
  'check symbols' 'tool engines' 'tool fit_detect'
