# shellcheck shell=bash disable=SC2034
# What the examples share: options, environment, default files. Sourced by bash after `set -euo pipefail`; the caller
# then adds the defaults of its own options to the array `option`, or fills it anew.

examples=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
source "$examples/../../scripts/lib.sh"

RESULTS=${DEMO_DIR:-$ROOT/demo}
declare -A option=([input]=$RESULTS/sample/inspection.mp4 [model]=$RESULTS/model.padim)

# Prints the comment that heads the example, and the defaults.
usage() {
  local name
  sed -n '2,/^[^#]/s/^#$\|^# //p' "$0"
  echo
  echo "defaults:"
  for name in "${!option[@]}"; do printf '  --%s %s\n' "$name" "${option[$name]:-(none)}"; done | sort
}

unknown_option() {
  echo "error: there is no option $1; there are: $(printf '%s\n' "${!option[@]}" | sort | sed 's/^/--/' | paste -sd ' ')" >&2
  exit 2
}

# Overwrites defaults from the command line: --NAME VALUE for each NAME in `option`.
parse_options() {
  while [[ $# -gt 0 ]]; do
    local name=${1#--}
    if [[ $1 == -h || $1 == --help ]]; then usage && exit; fi
    [[ $1 == --* && -v option[$name] ]] || unknown_option "$1"
    [[ $# -ge 2 ]] || fail "$1 needs a value"
    option[$name]=$2
    shift 2
  done
}

# Uses the element and the tool of the build folder (PADIM_BUILD, build), or those that are installed where there is no
# such folder.
use_build() {
  local build=${PADIM_BUILD:-$ROOT/build}
  if [[ -e $build/gst-plugin/libgstpadim.so ]]; then
    export PATH=$build/tools/padim:$PATH PADIM_BACKBONES=${PADIM_BACKBONES:-$ROOT/models}
    export GST_PLUGIN_PATH=$build/gst-plugin${GST_PLUGIN_PATH:+:$GST_PLUGIN_PATH}
    export GI_TYPELIB_PATH=$build/gst-libs${GI_TYPELIB_PATH:+:$GI_TYPELIB_PATH}
    export LD_LIBRARY_PATH=$build/gst-libs${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
  fi
  gst-inspect-1.0 padimfilter >/dev/null 2>&1 || fail "GStreamer does not know padimfilter: build it with scripts/setup.sh"
}

# Renders the sample scene where a file of it is wanted and there is none yet.
need_footage() {
  if [[ $1 == "$RESULTS/sample/"* && ! -e $RESULTS/sample/sample.json ]]; then
    say "rendering the sample scene" >&2
    mkdir -p "$RESULTS"
    padim sample --output "$RESULTS/sample" >&2
  fi
}

# Fits the default model where it is wanted and there is none yet.
need_model() {
  if [[ $1 == "$RESULTS/model.padim" && ! -e $1 ]]; then "$examples/01-fit-recording.sh" --model "$1" >&2; fi
}

# The beginning of an example that detects in `input` with `model`: options, environment, and what is missing of both.
begin_detection() {
  parse_options "$@"
  use_build
  need_footage "${option[input]}"
  need_model "${option[model]}"
}

# Names the output files that the options $@ ask for: GStreamer would write over whatever lies there. What an earlier run
# wrote is kept: NAME-2.EXT, NAME-3.EXT and so on are taken in its place.
name_outputs() {
  local name file base extension number
  for name in "$@"; do
    file=${option[$name]}
    [[ ! -d $file && ! -b $file ]] || fail "--$name $file is no file; name another one"
    if [[ $file == /dev/* || -p $file ]]; then continue; fi # nothing is written over there
    base=${file%.*} extension=.${file##*.}
    if [[ $(basename "$file") != *.* ]]; then base=$file extension=''; fi
    for ((number = 2; ; ++number)); do
      [[ -e $file ]] || break
      file=$base-$number$extension
    done
    option[$name]=$file
  done
}

# Prints a pipeline as it can be typed, one element per line, and runs it. Standard output is the pipeline's own.
launch() {
  show gst-launch-1.0 "$@" >&2
  exec gst-launch-1.0 "$@"
}

# Fills the array `sink`: a window, or the elements given where there is no display.
window_or() {
  sink=("$@")
  if [[ -n ${DISPLAY:-}${WAYLAND_DISPLAY:-} ]]; then sink=(videoconvert ! autovideosink); fi
}

# True for the beginning of a pipeline: a line of elements, or an element with its properties.
is_line() { [[ $1 == *' ! '* ]] || gst-inspect-1.0 --exists "${1%% *}" 2>/dev/null; }

# Fills the array `source` with elements that hand out the decoded video of $1: a file, an address (rtsp://, http://), a
# camera (/dev/video0) or the beginning of a pipeline ("videotestsrc is-live=true ! video/x-raw,width=320").
open_source() {
  if [[ -c $1 ]]; then
    source=(v4l2src device="$1")
  elif [[ -e $1 ]]; then
    source=(filesrc location="$1")
  elif [[ -n $1 ]] && is_line "$1"; then
    mapfile -t source < <(xargs -n 1 <<<"$1")
  elif [[ $1 == rtsp*://* ]]; then
    source=(rtspsrc location="$1" protocols=tcp latency=200 ! application/x-rtp,media=video)
  elif [[ $1 == *://* ]]; then
    source=(uridecodebin uri="$1" caps=video/x-raw expose-all-streams=false)
  else
    fail "there is no source '$1': give a video, a camera (/dev/video0), an address (rtsp://, http://) or the beginning of a pipeline"
  fi
  source+=(! decodebin ! videoconvert)
}

# Prints and runs a Python program with its options, and a pipeline as its last argument: the arguments after --.
launch_python() {
  local program=$1 options=() pipeline='' word
  shift
  while [[ $1 != -- ]]; do options+=("$1") && shift; done
  shift
  for word in "$@"; do
    # A value with spaces is quoted for GStreamer's parser.
    if [[ $word == *=*' '* ]]; then word=${word%%=*}=\"${word#*=}\"; fi
    pipeline+=" $word"
  done
  { show "$program" "${options[@]}" && show "$@"; } >&2
  exec python3 "$program" "${options[@]}" "${pipeline# }"
}
