#!/bin/bash
# Serves the annotated video of a file, an RTSP camera or a local camera as an RTSP stream, for VLC, ffplay, recorders or
#   gst-launch-1.0 rtspsrc location=rtsp://127.0.0.1:8554/padim ! decodebin ! videoconvert ! autovideosink
# It detects while somebody watches.
# Debian packages: python3-gi gir1.2-gst-rtsp-server-1.0
#
#   --input INPUT       video, rtsp:// or http:// address, camera (/dev/video0) or the beginning of a pipeline
#   --model FILE        the model
#   --overlay PARTS     what is drawn
#   --port PORT         where to listen; 0: any port that is free
set -euo pipefail
# shellcheck source=examples/pipelines/common.sh
source "$(dirname "$0")/common.sh"

option+=([overlay]=heatmap+contour+text [port]=8554)
begin_detection "$@"

open_source "${option[input]}"
launch_python "$examples/../programs/rtsp_server.py" --port "${option[port]}" -- \
  "${source[@]}" ! queue ! padimfilter model-file="${option[model]}" overlay="${option[overlay]}" ! queue ! videoconvert \
  ! x264enc tune=zerolatency speed-preset=faster key-int-max=30 ! rtph264pay name=pay0
