#!/bin/bash
# Sounds the alarm: for each anomaly that begins or ends, a shell command runs, and a message goes to an MQTT broker where
# one is given. What they get is the element's message on the bus, as JSON. On request there is a picture of the frame with
# which an anomaly began: the element posts its message before it hands that frame on, so the alarm waits for it.
# Debian packages: mosquitto-clients, for MQTT
#
#   --input INPUT        video, rtsp:// or http:// address, camera (/dev/video0) or the beginning of a pipeline
#   --model FILE         the model
#   --threshold SCORE    score from which a frame is anomalous
#   --mask FILE          picture whose dark places are ignored
#   --min-frames N       anomalous frames in a row that begin an anomaly
#   --command COMMAND    run with the variable EVENT (begin or end) and the message on standard input
#   --pictures FOLDER    gets a picture at each beginning; the message then names it as "picture"
#   --mqtt HOST[:PORT]   broker
#   --topic TOPIC        begin and end are published below it
set -euo pipefail
# shellcheck source=examples/pipelines/common.sh
source "$(dirname "$0")/common.sh"

# shellcheck disable=SC2016
option+=([command]='echo "$EVENT: $(cat)"' [pictures]='' [mqtt]='' [topic]=padim [threshold]=0.5 [mask]='' [min-frames]=1)
begin_detection "$@"

# Reads what gst-launch-1.0 -m prints: of padim-anomaly-begin and -end "begin FIELDS" and "end FIELDS", of files that are
# written "file NUMBER NAME", one per line.
only_alarms() {
  sed -nu 's/^Got message .* (element): padim-anomaly-\([a-z]*\), \(.*\);$/\1 \2/p
    s/^Got message .* (element): GstMultiFileSink, filename=(string)\([^,]*\), index=(int)\([0-9]*\),.*$/file \2 \1/p'
}

# The value of a message's field.
field() { sed -E "s/(^|.*, )$1=\\([a-z0-9]+\\)\"?([^,\"]*).*/\\2/" <<<"$2"; }

# Holds the beginning of each anomaly back until its frame is written, keeps a copy of that file and names it. Files are
# numbered as the element numbers its frames: each becomes one.
with_pictures() {
  local event fields held='' frame='' picture
  while read -r event fields; do
    if [[ $event == begin && -n ${option[pictures]} ]]; then
      held=$fields frame=$(field frame "$fields")
    elif [[ $event != file ]]; then
      if [[ -n $held ]]; then echo "begin $held" && held=''; fi
      echo "$event $fields"
    elif [[ -n $held && ${fields%% *} == "$frame" ]]; then
      picture=${option[pictures]}/$(field wall-clock "$held" | tr : -).jpg
      if cp "${fields#* }" "$picture"; then held+=", picture=(string)$picture"; fi
      echo "begin $held" && held=''
    fi
  done
  if [[ -n $held ]]; then echo "begin $held"; fi
}

# The fields of a message, name=(type)value, as a JSON object.
to_json() {
  sed -E 's/\\//g; s/([a-z-]+)=\(string\)"?([^,"]*)"?/"\1": "\2"/g; s/([a-z-]+)=\([a-z0-9]+\)([^,]+)/"\1": \2/g
    s/^/{/; s/$/}/' <<<"$1"
}

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
view=0 sink=(fakesink)
if [[ -n ${option[pictures]} ]]; then
  mkdir -p "${option[pictures]}"
  recent=$(mktemp -d)
  trap 'rm -rf "$recent"' EXIT
  view=heatmap+contour sink=(queue ! videoconvert ! jpegenc ! multifilesink location="$recent/%d.jpg" max-files=100
    post-messages=true)
fi
(launch -m "${source[@]}" ! queue ! padimfilter model-file="${option[model]}" overlay="$view" \
  threshold="${option[threshold]}" min-anomalous-frames="${option[min-frames]}" ${option[mask]:+mask-file="${option[mask]}"} \
  ! "${sink[@]}") |
  only_alarms | with_pictures | while read -r event fields; do alarm "$event" "$fields"; done
