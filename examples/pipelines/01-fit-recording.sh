#!/bin/bash
# Fits a model on a recorded video of normal frames: the more of what is normal it shows (light, position, specimen), the
# better. Each frame counts, whatever the speed of the machine. What the model is, `padim info MODEL` tells.
#
#   --input FILE   the video
#   --model FILE   the model to write
set -euo pipefail
# shellcheck source=examples/pipelines/common.sh
source "$(dirname "$0")/common.sh"

option=(
  [input]=$RESULTS/sample/normal.mp4
  [model]=$RESULTS/model.padim
)
parse_options "$@"
use_build
need_footage "${option[input]}"

launch filesrc location="${option[input]}" ! decodebin ! videoconvert \
  ! padimfilter mode=fit model-file="${option[model]}" ! fakesink
