#!/bin/bash
# Shows padim at work, from a fresh clone to an annotated video.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

usage() {
  cat <<END
usage: scripts/demo.sh [--check] [--clean] [BUILD_DIR]

Installs the Debian packages that are missing, compiles in BUILD_DIR (build), fetches the weights of the default
backbone, renders a sample scene, fits on its normal footage and detects in its inspection footage. A second run skips
what is there and fresh.
  --check  fail where the result is worse than it should be
  --clean  delete earlier results first
The results lie in demo/, or in the folder that the variable DEMO_DIR names.
END
}

# True where the file $1 and all of $2... exist and none of them is newer.
fresh() {
  local file
  for file in "${@:2}"; do
    [[ -e $1 && -e $file && ! $file -nt $1 ]] || return 1
  done
}

# Prints and runs the command $2..., whose output goes into the file $1.
run_logged() {
  local log=$1
  shift
  show "$@"
  "$@" >"$log" 2>&1 </dev/null || { tail -n 20 "$log" >&2 && fail "failed; all it said is in $log"; }
}

# Compiles the tool and the element; a build folder that exists keeps its options.
build_tools() {
  [[ -f $build/build.ninja ]] || configure "$build" -Dtests=disabled
  compile "$build" tools/padim/padim gst-plugin/libgstpadim.so
}

# Lets gst-launch-1.0 and padim find the element and the weights, and says how.
set_environment() {
  export PATH=$build/tools/padim:$PATH GST_PLUGIN_PATH=$build/gst-plugin PADIM_BACKBONES=$ROOT/models
  say "the environment of what follows"
  printf "cd %q\nexport PATH=%q:\$PATH\nexport GST_PLUGIN_PATH=%q\nexport PADIM_BACKBONES=%q\n" \
    "$ROOT" "$build/tools/padim" "$GST_PLUGIN_PATH" "$PADIM_BACKBONES"
}

# Renders normal footage, inspection footage and ground truth.
render_sample() {
  if fresh "$demo/sample/sample.json" "$tool"; then return; fi
  say "rendering the sample scene"
  run_logged "$demo/sample.log" padim sample --output "$demo/sample"
}

# Fits the model with the element.
fit() {
  if fresh "$model" "$demo/sample/sample.json" "$plugin" "$library" "$WEIGHTS"; then return; fi
  say "fitting on the normal footage"
  run_logged "$demo/fit.log" gst-launch-1.0 filesrc "location=$demo/sample/normal.mp4" ! decodebin ! videoconvert \
    ! padimfilter mode=fit "model-file=$model" ! fakesink
}

# Detects with the element, into an annotated video and JSON lines.
detect() {
  if fresh "$demo/detected" "$demo/annotated.mp4" "$demo/scores.jsonl" "$model" "$plugin"; then return; fi
  say "detecting in the inspection footage"
  rm -f "$demo/scores.jsonl" # the element would go on in it
  run_logged "$demo/detect.log" gst-launch-1.0 filesrc "location=$demo/sample/inspection.mp4" ! decodebin \
    ! videoconvert ! padimfilter "model-file=$model" overlay=heatmap+contour+text "json-location=$demo/scores.jsonl" \
    ! videoconvert ! x264enc pass=qual quantizer=20 speed-preset=faster bframes=0 ! h264parse ! mp4mux \
    ! filesink "location=$demo/annotated.mp4"
  touch "$demo/detected"
}

# Measures the model against the ground truth with the tool.
measure() {
  if fresh "$demo/quality.txt" "$demo/detected"; then return; fi
  say "comparing with the ground truth"
  run_logged "$demo/quality.tmp" padim detect --model "$model" --input "$demo/sample/inspection.mp4" \
    --ground-truth "$demo/sample/truth"
  mv "$demo/quality.tmp" "$demo/quality.txt"
}

# Tiles a few annotated frames.
contact_sheet() {
  if fresh "$demo/contact-sheet.png" "$demo/detected" scripts/contact_sheet.py; then return; fi
  say "tiling annotated frames"
  python3 scripts/contact_sheet.py --sample "$demo/sample/sample.json" --scores "$demo/scores.jsonl" \
    --video "$demo/annotated.mp4" --output "$demo/contact-sheet.png"
}

# Deletes what an earlier run left, and nothing else that the folder may hold.
clean() {
  rm -rf "${demo:?}/sample"
  rm -f "$demo"/{annotated.mp4,contact-sheet.png,scores.jsonl,model.padim,quality.txt,detected} "$demo"/{sample,fit,detect}.log
}

# Says what came out and where it lies.
summarise() {
  say "result"
  python3 scripts/demo_report.py "$demo" "$@"
  echo
  printf '%-14s %s\n' \
    annotated "$demo/annotated.mp4" \
    'some of it' "$demo/contact-sheet.png" \
    'each frame' "$demo/scores.jsonl" \
    model "$demo/model.padim"
}

demo=$(realpath -m "${DEMO_DIR:-$ROOT/demo}")
build=$ROOT/build
check=()
start=resume
while [[ $# -gt 0 ]]; do
  case $1 in
    --check) check=(--check) ;;
    --clean) start=clean ;;
    -h | --help) usage && exit ;;
    -*) usage >&2 && exit 2 ;;
    *) build=$(realpath -m "$1") ;;
  esac
  shift
done

cd "$ROOT"
# Inside the repository the short names are the easier ones to read and to copy.
demo=${demo#"$ROOT"/}
tool=$build/tools/padim/padim
plugin=$build/gst-plugin/libgstpadim.so
library=$build/libpadim/libpadim.so
model=$demo/model.padim

install_packages "${BUILD_PACKAGES[@]}" "${RUN_PACKAGES[@]}"
build_tools
fetch_weights
if [[ $start == clean ]]; then clean; fi
mkdir -p "$demo"
set_environment
render_sample
fit
detect
measure
contact_sheet
summarise "${check[@]}"
