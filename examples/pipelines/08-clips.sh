#!/bin/bash
# Writes a short clip around each anomaly and nothing else: some seconds before it begins to some after it ends.
# Debian packages: python3-gi python3-gst-1.0 gir1.2-gst-plugins-base-1.0
#
#   --input INPUT     video, rtsp:// or http:// address, camera (/dev/video0) or the beginning of a pipeline
#   --model FILE      the model
#   --folder FOLDER   where the clips go, named by date and time: those of earlier runs are kept
#   --before SECONDS  recorded before an anomaly
#   --after SECONDS   recorded after it
#   --gap SECONDS     anomalies that follow each other within that time are one
set -euo pipefail
# shellcheck source=examples/pipelines/common.sh
source "$(dirname "$0")/common.sh"

option+=([folder]=$RESULTS/clips [before]=2 [after]=2 [gap]=1)
begin_detection "$@"

open_source "${option[input]}"
gap_ns=$(awk "BEGIN { printf \"%.0f\", ${option[gap]} * 1e9 }")
launch_python "$examples/../programs/record_clips.py" --folder "${option[folder]}" --before "${option[before]}" \
  --after "${option[after]}" -- \
  "${source[@]}" ! queue ! padimfilter model-file="${option[model]}" overlay=heatmap+contour event-gap="$gap_ns" ! queue \
  ! videoconvert ! x264enc tune=zerolatency speed-preset=faster key-int-max=15 ! h264parse ! appsink name=sink sync=false
