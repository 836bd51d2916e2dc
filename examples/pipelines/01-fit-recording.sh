#!/bin/bash
# Fits a model on a video of normal frames: the more of what is normal it shows (light, position, specimen), the
# better. Each frame counts, whatever the speed of the machine. What the model is, `padim info MODEL` tells.
#
#   --input INPUT   video, rtsp:// or http:// address, camera (/dev/video0) or the beginning of a pipeline
#   --model FILE    the model to write
#   --frames N      frames after which it ends (-1: with the video, or by Ctrl-C)
set -euo pipefail
# shellcheck source=examples/pipelines/common.sh
source "$(dirname "$0")/common.sh"

option=(
  [input]=$RESULTS/sample/normal.mp4
  [model]=$RESULTS/model.padim
  [frames]=-1
)
parse_options "$@"
use_build
need_footage "${option[input]}"

open_source "${option[input]}"
launch -e "${source[@]}" ! identity eos-after="${option[frames]}" \
  ! padimfilter mode=fit model-file="${option[model]}" ! fakesink
