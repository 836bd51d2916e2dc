#!/bin/bash
# Detects without drawing: frames pass untouched, no pixel is copied, and each frame's score, verdict and regions go to
# standard output as one line of JSON.
#
#   --input INPUT   video, rtsp:// or http:// address, camera (/dev/video0) or the beginning of a pipeline
#   --model FILE    the model
set -euo pipefail
# shellcheck source=examples/pipelines/common.sh
source "$(dirname "$0")/common.sh"

begin_detection "$@"

open_source "${option[input]}"
launch -q "${source[@]}" \
  ! padimfilter model-file="${option[model]}" overlay=0 json-location=- ! fakesink
