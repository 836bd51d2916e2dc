#!/bin/bash
# Feeds hostile bytes to everything that reads what it has not written.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

usage() {
  cat <<END
usage: scripts/fuzz.sh [SECONDS [TARGET...]]

Builds the fuzz targets of tests/fuzz in build-sanitized with clang, AddressSanitizer and UndefinedBehaviorSanitizer, and
runs each, or the named ones, for SECONDS (60) from tests/fuzz/corpus, as many at a time as there are processors. What they
find is kept in build-sanitized/corpus for the next time, and an input that crashed, hung or took too much memory in
build-sanitized/TARGET-*. The exit status is 0 where there is none.
END
}

# Runs the target $1 for $2 seconds.
run_target() {
  local corpus=$build/corpus/$1
  mkdir -p "$corpus"
  G_DEBUG=fatal-criticals GST_REGISTRY=$build/registry.bin OMP_NUM_THREADS=1 \
    "$build/tests/fuzz/fuzz-$1" -max_total_time="$2" -timeout=20 -rss_limit_mb=3000 -print_final_stats=1 \
    -artifact_prefix="$build/$1-" "$corpus" "$ROOT/tests/fuzz/corpus/$1" >"$build/$1.log" 2>&1
}

# One row of the table: what libFuzzer wrote last of the target $1, and its outcome $2.
row() {
  local executions coverage
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$build/$1.log")
  coverage=$(grep -oE 'cov: [0-9]+' "$build/$1.log" | tail -n 1)
  printf '%-18s %12s %10s  %s\n' "$1" "${executions:-?}" "${coverage#cov: }" "$2"
}

case ${1:-} in
  -h | --help) usage && exit ;;
  '' | *[!0-9]*) [[ $# -eq 0 ]] || { usage >&2 && exit 2; } ;;
esac
seconds=${1:-60}
targets=("${@:2}")
[[ ${#targets[@]} -gt 0 ]] || mapfile -t targets < <(ls "$ROOT/tests/fuzz/corpus")
build=$ROOT/build-sanitized

cd "$ROOT"
install_packages "${BUILD_PACKAGES[@]}" "${RUN_PACKAGES[@]}" "${TEST_PACKAGES[@]}" "${CLANG_PACKAGES[@]}"
configure_sanitized "$build"
compile "$build" "${targets[@]/#/tests/fuzz/fuzz-}"
say "${targets[*]}, $seconds s each"
rm -f "$build"/*.outcome
running=0
for target in "${targets[@]}"; do
  if [[ $((running++)) -ge $(jobs) ]]; then wait -n || true; fi
  { run_target "$target" "$seconds" && echo ok || echo "FAILED, see build-sanitized/$target.log"; } >"$build/$target.outcome" &
done
wait
printf '\n%-18s %12s %10s\n' target executions coverage
for target in "${targets[@]}"; do row "$target" "$(cat "$build/$target.outcome")"; done
! grep -q FAILED "$build"/*.outcome
