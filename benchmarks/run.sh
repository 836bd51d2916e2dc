#!/bin/bash
# Builds the benchmarks and runs all of them; prints what they measured as Markdown.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/../scripts/lib.sh"

usage() {
  cat <<END
usage: benchmarks/run.sh [BUILD_DIR]

Builds in BUILD_DIR (build-benchmarks) and runs every benchmark: some five minutes, on a machine that does nothing
else. Progress goes to standard error, the report to standard output. The exit status is 0 where every result was
right; a missed budget is no failure.
END
}

# Peak memory of a fit, in MiB.
fit_memory() { "$build/benchmarks/fit_memory" "$1"; }

report_machine() {
  echo "Machine: $(lscpu | sed -n 's/^Model name: *//p'), $(nproc) cores, $(. /etc/os-release && echo "$PRETTY_NAME")," \
    "LibTorch $(dpkg-query -W -f='${Version}' libtorch-dev), oneDNN $(dpkg-query -W -f='${Version}' libdnnl-dev)," \
    "commit $(git rev-parse --short HEAD), $(date -u +%F), load $(cut -d' ' -f1 /proc/loadavg) before."
}

report_stages() {
  "$build/benchmarks/stages" --benchmark_repetitions=10 --benchmark_min_time=0.05 --benchmark_format=json |
    python3 benchmarks/report.py
}

# 12,800 frames end with as many calibration segments as 100 do, 10,000 with fewer.
report_memory() {
  local few frames memory
  few=$(fit_memory 100)
  echo "| fit of 640x480, default configuration | peak memory | ratio | budget |"
  echo "|---|---|---|---|"
  echo "| 100 frames | $few MiB | | |"
  for frames in 10000 12800; do
    memory=$(fit_memory "$frames")
    awk -v frames="$frames" -v few="$few" -v memory="$memory" 'BEGIN {
      ratio = memory / few
      verdict = (ratio > 1.02) ? ", missed" : ""
      printf "| %s frames | %s MiB | %.3f | 1.02%s |\n", frames, memory, ratio, verdict }'
  done
}

report_start_up() {
  "$build/benchmarks/start_up" | awk '{
    print "| READY to PLAYING, model of " $1 " MB | ms | budget |\n|---|---|---|"
    print "| state change | " $2 " | |"
    print "| until the first frame is out | " $3 " | 1500" ($3 > 1500 ? ", missed" : "") " |" }'
}

[[ $# -le 1 ]] || { usage >&2 && exit 2; }
case ${1:-} in -h | --help) usage && exit ;; esac
build=$(realpath -m "${1:-$ROOT/build-benchmarks}")

cd "$ROOT"
{
  install_packages "${BUILD_PACKAGES[@]}" "${RUN_PACKAGES[@]}" libbenchmark-dev
  configure "$build" -Dbenchmarks=enabled
  compile "$build"
  fetch_weights
  say "measuring"
} >&2
export PADIM_BACKBONES=$ROOT/models PADIM_ENGINES=$build/libpadim GST_PLUGIN_PATH=$build/gst-plugin
report_machine
for part in stages pipelines memory start_up evaluation; do
  echo
  case $part in
    pipelines) "$build/benchmarks/pipelines" ;;
    evaluation) "$build/benchmarks/evaluation" "$build/tools/padim/padim" ;;
    *) "report_$part" ;;
  esac
done
