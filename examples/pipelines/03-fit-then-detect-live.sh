#!/bin/bash
# Fits on the first frames of a live camera, then detects, in one go: start it while everything is normal. Later runs detect
# with the model that is there by then. The input "test" is a picture on which a foreign body appears a few seconds after
# the fit. Shows a window where there is a display. Ctrl-C ends it.
#
#   --input INPUT       video, rtsp:// or http:// address, camera (/dev/video0), the beginning of a pipeline, or test
#   --fit-frames N      normal frames to fit on
#   --model FILE        the fitted model is saved there
#   --refit true        fit again where there is a model
#   --json FILE         the scores, one line of JSON per frame, behind those of earlier runs
#   --frames N          frames after which it ends by itself (-1: never)
set -euo pipefail
# shellcheck source=examples/pipelines/common.sh
source "$(dirname "$0")/common.sh"

option=(
  [input]=test
  [fit-frames]=200
  [model]=$RESULTS/live.padim
  [refit]=false
  [json]=$RESULTS/live.jsonl
  [frames]=-1
)
parse_options "$@"
use_build
mkdir -p "$RESULTS"

window_or fakesink sync=true

# padimfilter draws on what cameras and decoders hand out: where nothing needs converting, videoconvert does nothing.
filter=(videoconvert ! queue ! padimfilter mode=fit-then-detect fit-frames="${option[fit-frames]}"
  model-file="${option[model]}" refit="${option[refit]}" json-location="${option[json]}" overlay=heatmap+contour+text ! queue)

if [[ ${option[input]} != test ]]; then
  open_source "${option[input]}"
  launch -e "${source[@]}" ! identity eos-after="${option[frames]}" ! "${filter[@]}" ! "${sink[@]}"
fi

size=video/x-raw,width=320,height=240,framerate=30/1
appears_ns=$(((option[fit-frames] / 30 + 3) * 1000000000))
launch -e compositor name=scene sink_1::xpos=120 sink_1::ypos=80 ! "$size" ! identity eos-after="${option[frames]}" \
  ! "${filter[@]}" ! "${sink[@]}" \
  videotestsrc is-live=true pattern=smpte ! "$size" ! scene.sink_0 \
  videotestsrc pattern=ball timestamp-offset="$appears_ns" ! video/x-raw,width=64,height=64 ! scene.sink_1
