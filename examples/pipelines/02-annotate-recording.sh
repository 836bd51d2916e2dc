#!/bin/bash
# Detects in a recorded video: writes an annotated video, and the score of each frame as one line of JSON.
#
#   --input INPUT   video, rtsp:// or http:// address, camera (/dev/video0) or the beginning of a pipeline
#   --model FILE    the model
#   --output FILE   the annotated video, H.264 in MP4; files of earlier runs are kept: then FILE gets a number
#   --json FILE     the scores, likewise
set -euo pipefail
# shellcheck source=examples/pipelines/common.sh
source "$(dirname "$0")/common.sh"

option+=([output]=$RESULTS/annotated.mp4 [json]=$RESULTS/scores.jsonl)
begin_detection "$@"
name_outputs output json

open_source "${option[input]}"
launch -e "${source[@]}" \
  ! padimfilter model-file="${option[model]}" overlay=heatmap+contour+text json-location="${option[json]}" \
  ! videoconvert ! x264enc speed-preset=faster bframes=0 ! h264parse ! mp4mux ! filesink location="${option[output]}"
