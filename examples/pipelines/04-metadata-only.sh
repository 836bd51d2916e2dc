#!/bin/bash
# Detects without drawing: frames pass untouched, no pixel is copied, and each frame's score, verdict and regions go to
# standard output as one line of JSON.
#
#   --input FILE   the video to inspect
#   --model FILE   the model
set -euo pipefail
# shellcheck source=examples/pipelines/common.sh
source "$(dirname "$0")/common.sh"

begin_detection "$@"

launch -q filesrc location="${option[input]}" ! decodebin ! videoconvert \
  ! padimfilter model-file="${option[model]}" overlay=0 json-location=- ! fakesink
