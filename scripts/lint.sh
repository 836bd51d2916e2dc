#!/bin/bash
# Compiles with clang, warnings being errors, and lets clang-tidy look at what it compiled.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

usage() {
  cat <<END
usage: scripts/lint.sh [BUILD_DIR]

Compiles library, tool and element in BUILD_DIR (build-clang) with clang, tries that both start, and runs clang-tidy with
the checks of .clang-tidy over their sources. The exit status is 0 where neither has anything to say.
END
}

# What was compiled can be loaded.
try_out() {
  say "trying"
  "$build/tools/padim/padim" --version
  GST_REGISTRY=$build/registry.bin GST_PLUGIN_PATH=$build/gst-plugin quietly gst-inspect-1.0 padimfilter
}

# The sources that the build compiles.
sources() {
  local file
  git ls-files 'libpadim/*.cpp' 'gst-*.cpp' 'tools/*.cpp' | while read -r file; do
    if grep -qF "/$file\"" "$build/compile_commands.json"; then echo "$file"; fi
  done
}

# Prints what clang-tidy finds, without its counts of what it left out.
look() {
  say "looking, $(jobs) files at a time"
  sources | xargs -P "$(jobs)" -n 1 clang-tidy --quiet -p "$build" 2>/dev/null
}

case ${1:-} in -h | --help) usage && exit ;; esac
[[ $# -le 1 ]] || { usage >&2 && exit 2; }
build=$(realpath -m "${1:-$ROOT/build-clang}")

cd "$ROOT"
install_packages "${BUILD_PACKAGES[@]}" "${RUN_PACKAGES[@]}" "${CLANG_PACKAGES[@]}"
# clang 14 cannot compile LibTorch's headers as C++20.
CXX=clang++ configure "$build" -Dlibtorch=disabled -Dtests=disabled -Dwerror=true
compile "$build"
try_out
look
