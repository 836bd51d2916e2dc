#!/bin/bash
# Reads the verdict of each frame in Python: the metadata that the frames carry, behind an appsink.
# Debian packages: python3-gi python3-gst-1.0 gir1.2-gst-plugins-base-1.0
#
#   --input INPUT   video, rtsp:// or http:// address, camera (/dev/video0) or the beginning of a pipeline
#   --model FILE    the model
set -euo pipefail
# shellcheck source=examples/pipelines/common.sh
source "$(dirname "$0")/common.sh"

begin_detection "$@"

open_source "${option[input]}"
launch_python "$examples/../programs/print_scores.py" -- \
  "${source[@]}" ! queue ! padimfilter model-file="${option[model]}" overlay=0 ! appsink name=sink sync=false
