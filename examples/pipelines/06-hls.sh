#!/bin/bash
# Writes the annotated video of a file, an RTSP camera or a local camera as HTTP live stream: a playlist and segments that
# any web server can hand to browsers and players (python3 -m http.server --directory FOLDER is enough to try).
#
#   --input INPUT     video, rtsp:// or http:// address, camera (/dev/video0) or the beginning of a pipeline
#   --model FILE      the model
#   --folder FOLDER   where playlist.m3u8 and the segments go
#   --keep N          segments of two seconds that are kept; 0: all, of earlier runs, too
set -euo pipefail
# shellcheck source=examples/pipelines/common.sh
source "$(dirname "$0")/common.sh"

option+=([folder]=$RESULTS/hls [keep]=10)
begin_detection "$@"
mkdir -p "${option[folder]}"

segment=segment
if [[ ${option[keep]} -eq 0 ]]; then segment=segment-$(date +%Y%m%d-%H%M%S); fi

open_source "${option[input]}"
launch -e "${source[@]}" ! queue ! padimfilter model-file="${option[model]}" overlay=heatmap+contour+text ! queue \
  ! videoconvert ! x264enc speed-preset=faster key-int-max=30 bframes=0 ! h264parse \
  ! hlssink2 location="${option[folder]}/$segment-%05d.ts" playlist-location="${option[folder]}/playlist.m3u8" \
  target-duration=2 max-files="${option[keep]}" playlist-length="${option[keep]}"
