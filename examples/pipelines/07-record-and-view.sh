#!/bin/bash
# Records the video as it came and shows the annotated one beside it. Both share the decoded frames: what padimfilter draws
# on is copied, the recording stays clean. Shows a window where there is a display.
#
#   --input INPUT        video, rtsp:// or http:// address, camera (/dev/video0) or the beginning of a pipeline
#   --model FILE         the model
#   --recording FILE     the video without annotation, H.264 in Matroska; earlier ones are kept: then FILE gets a number
#   --json FILE          the scores, likewise
set -euo pipefail
# shellcheck source=examples/pipelines/common.sh
source "$(dirname "$0")/common.sh"

option+=([recording]=$RESULTS/recording.mkv [json]=$RESULTS/recording.jsonl)
begin_detection "$@"
name_outputs recording json

window_or fakesink
open_source "${option[input]}"
launch -e "${source[@]}" ! tee name=both \
  both. ! queue ! x264enc speed-preset=faster bframes=0 ! h264parse ! matroskamux ! filesink location="${option[recording]}" \
  both. ! queue ! padimfilter model-file="${option[model]}" overlay=heatmap+contour+text json-location="${option[json]}" \
  ! queue ! "${sink[@]}"
