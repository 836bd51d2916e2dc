#!/bin/bash
# Detects in a recorded video: writes an annotated video, and the score of each frame as one line of JSON.
#
#   --input FILE    the video to inspect
#   --model FILE    the model
#   --output FILE   the annotated video, H.264 in MP4; files of earlier runs are kept: then FILE gets a number
#   --json FILE     the scores, likewise
set -euo pipefail
# shellcheck source=examples/pipelines/common.sh
source "$(dirname "$0")/common.sh"

option+=([output]=$RESULTS/annotated.mp4 [json]=$RESULTS/scores.jsonl)
begin_detection "$@"
name_outputs output json

launch filesrc location="${option[input]}" ! decodebin ! videoconvert \
  ! padimfilter model-file="${option[model]}" overlay=heatmap+contour+text json-location="${option[json]}" \
  ! videoconvert ! x264enc speed-preset=faster bframes=0 ! h264parse ! mp4mux ! filesink location="${option[output]}"
