#!/bin/bash
# Sounds the alarm: for each anomaly that begins or ends, a shell command runs, and a message goes to an MQTT broker where
# one is given. What they get is the element's message on the bus, as JSON.
# Debian packages: mosquitto-clients, for MQTT
#
#   --input INPUT        video, rtsp:// or http:// address, camera (/dev/video0) or the beginning of a pipeline
#   --model FILE         the model
#   --threshold SCORE    score from which a frame is anomalous
#   --mask FILE          picture whose dark places are ignored
#   --min-frames N       anomalous frames in a row that begin an anomaly
#   --command COMMAND    run with the variable EVENT (begin or end) and the message on standard input
#   --mqtt HOST[:PORT]   broker
#   --topic TOPIC        begin and end are published below it
set -euo pipefail
# shellcheck source=examples/pipelines/common.sh
source "$(dirname "$0")/common.sh"

# shellcheck disable=SC2016
option+=([command]='echo "$EVENT: $(cat)"' [mqtt]='' [topic]=padim [threshold]=0.5 [mask]='' [min-frames]=1)
begin_detection "$@"

# Reads what gst-launch-1.0 -m prints of padim-anomaly-begin and -end: "begin FIELDS" and "end FIELDS", one per line.
only_anomalies() { sed -nu 's/^Got message .* (element): padim-anomaly-\([a-z]*\), \(.*\);$/\1 \2/p'; }

# The fields of a message, name=(type)value, as a JSON object.
to_json() { sed -E 's/([a-z-]+)=\([a-z0-9]+\)([^,]+)/"\1": \2/g; s/^/{/; s/$/}/' <<<"$1"; }

alarm() {
  local event=$1 json
  json=$(to_json "$2")
  EVENT=$event bash -c "${option[command]}" <<<"$json" || echo "the command failed: ${option[command]}" >&2
  if [[ -n ${option[mqtt]} ]]; then
    local host=${option[mqtt]%:*} port=1883
    if [[ ${option[mqtt]} == *:* ]]; then port=${option[mqtt]##*:}; fi
    mosquitto_pub -h "$host" -p "$port" -t "${option[topic]}/$event" -q 1 -m "$json" || echo "cannot reach the broker" >&2
  fi
}

open_source "${option[input]}"
(launch -m "${source[@]}" ! queue ! padimfilter model-file="${option[model]}" overlay=0 \
  threshold="${option[threshold]}" min-anomalous-frames="${option[min-frames]}" ${option[mask]:+mask-file="${option[mask]}"} \
  ! fakesink) | only_anomalies |
  while read -r event fields; do alarm "$event" "$fields"; done
