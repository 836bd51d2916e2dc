#!/bin/bash
# Four cameras, four models, one picture of all. Each camera fits on its first frames where it has no model yet, and
# detects with the one it has otherwise. The elements share one set of the network's weights. A camera that is not given is
# replaced by a test picture. Shows a window where there is a display.
#
#   --camera1 INPUT    video, rtsp:// or http:// address, camera (/dev/video0) or the beginning of a pipeline; up to
#                      --camera4
#   --models FOLDER    holds camera1.padim to camera4.padim
#   --fit-frames N     normal frames that a camera without a model fits on
#   --json FOLDER      gets camera1.jsonl to camera4.jsonl
#   --frames N         frames of each camera after which it ends by itself (-1: never)
set -euo pipefail
# shellcheck source=examples/pipelines/common.sh
source "$(dirname "$0")/common.sh"

option=(
  [camera1]='' [camera2]='' [camera3]='' [camera4]=''
  [models]=$RESULTS/cameras
  [fit-frames]=100
  [json]=$RESULTS/cameras
  [frames]=-1
)
parse_options "$@"
use_build
mkdir -p "${option[models]}" "${option[json]}"

patterns=(smpte smpte75 circular pinwheel)
size=video/x-raw,width=320,height=240
cameras=()
for number in 1 2 3 4; do
  if [[ -n ${option[camera$number]} ]]; then
    open_source "${option[camera$number]}"
  else
    source=(videotestsrc is-live=true pattern="${patterns[number - 1]}")
  fi
  cameras+=("${source[@]}" ! identity eos-after="${option[frames]}" ! videoscale ! "$size" ! queue
    ! padimfilter name="camera$number" mode=fit-then-detect fit-frames="${option[fit-frames]}"
    model-file="${option[models]}/camera$number.padim"
    json-location="${option[json]}/camera$number.jsonl"
    ! queue ! "all.sink_$((number - 1))")
done

window_or fakesink sync=true
launch -e compositor name=all sink_1::xpos=320 sink_2::ypos=240 sink_3::xpos=320 sink_3::ypos=240 \
  ! "${sink[@]}" "${cameras[@]}"
