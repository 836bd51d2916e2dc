#!/bin/bash
# Puts the video as it came and the heat map alone side by side, into one video. Both share the decoded frames, and each
# frame is scored once. To build a view of your own, place the compositor's inputs as you like.
#
#   --input INPUT    video, rtsp:// or http:// address, camera (/dev/video0) or the beginning of a pipeline
#   --model FILE     the model
#   --right OUTPUT   what stands on the right: map, or overlay for the annotated video
#   --width PIXELS   of each side
#   --height PIXELS  of both
#   --output FILE    the video, H.264 in MP4; earlier ones are kept: then FILE gets a number
set -euo pipefail
# shellcheck source=examples/pipelines/common.sh
source "$(dirname "$0")/common.sh"

option+=(
  [right]=map
  [width]=480
  [height]=360
  [output]=$RESULTS/side-by-side.mp4
)
begin_detection "$@"
name_outputs output

open_source "${option[input]}"
width=${option[width]} height=${option[height]}
launch -e compositor name=both background=black \
  sink_0::width="$width" sink_0::height="$height" sink_0::sizing-policy=keep-aspect-ratio \
  sink_1::width="$width" sink_1::height="$height" sink_1::sizing-policy=keep-aspect-ratio sink_1::xpos="$width" \
  ! "video/x-raw,width=$((2 * width)),height=$height" ! videoconvert ! x264enc speed-preset=faster bframes=0 ! h264parse \
  ! mp4mux ! filesink location="${option[output]}" \
  "${source[@]}" ! tee name=video \
  video. ! queue ! both.sink_0 \
  video. ! queue ! padimfilter model-file="${option[model]}" output="${option[right]}" overlay=heatmap+contour+text ! queue \
  ! both.sink_1
