#!/bin/bash
# Compiles and tests this commit in a fresh Debian 13, beside whatever this machine runs.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

MIRROR=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
CANNOT=77

usage() {
  cat <<END
usage: scripts/debian13.sh [COMMAND ...]

Makes a Debian 13 in a temporary folder with debootstrap, clones the last commit into it and runs COMMAND there
(scripts/test.sh with warnings as errors and GstAnalytics, which Debian 12 lacks). Needs root; the exit status is
$CANNOT where it cannot be done. DEBIAN_MIRROR names another mirror than $MIRROR; TMPDIR another place for
6 GB of temporary files.
END
}

# Ends the script because this machine cannot make a Debian 13.
cannot() {
  echo "no Debian 13 here: $*"
  exit "$CANNOT"
}

# Checks what it takes.
check_machine() {
  [[ $(id -u) -eq 0 ]] || cannot "this needs root"
  grep -qs '^13' /etc/debian_version && cannot "this is one already"
  command -v debootstrap >/dev/null || (install_packages debootstrap) || cannot "debootstrap cannot be installed"
  unshare --mount true 2>/dev/null || cannot "mounting is not allowed"
  local free
  free=$(df --output=avail -k "${TMPDIR:-/tmp}" | tail -n 1)
  [[ $free -gt 8000000 ]] || cannot "less than 8 GB are free in ${TMPDIR:-/tmp}"
}

# Makes the bare system.
bootstrap() {
  say "Debian 13 in $system"
  quietly debootstrap --variant=minbase --include=ca-certificates trixie "$system" "$MIRROR" ||
    cannot "debootstrap could not reach $MIRROR"
}

# Gives the new system this machine's way to the network: name servers, proxies, certificates.
share_network() {
  cp /etc/resolv.conf "$system/etc/resolv.conf"
  find /etc/apt/apt.conf.d -name '99*' -exec cp {} "$system/etc/apt/apt.conf.d/" \;
  [[ ! -f /etc/pip.conf ]] || cp /etc/pip.conf "$system/etc/pip.conf"
  [[ ! -f /etc/ssl/certs/ca-certificates.crt ]] || cp /etc/ssl/certs/ca-certificates.crt "$system/etc/ssl/certs/"
}

# Runs a command in the clone, with this machine's test data beside it where there are any. The mounts are seen by
# nobody else and end with it.
enter() {
  local data=$ROOT/../shared
  [[ ! -d $data ]] || mkdir -p "$system/srv/shared"
  # shellcheck disable=SC2016
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 TERM=dumb CI=true \
    PIP_CERT=/etc/ssl/certs/ca-certificates.crt PADIM_JOBS="${PADIM_JOBS:-}" \
    unshare --mount bash -c '
      set -e
      mount --bind /proc "$0/proc"
      mount --rbind /dev "$0/dev"
      [[ ! -d $1 ]] || mount -o bind,ro "$1" "$0/srv/shared"
      exec chroot "$0" bash -c "cd /srv/padim && exec \"\$@\"" bash "${@:2}"' "$system" "$data" "$@"
}

if [[ ${1:-} == -h || ${1:-} == --help ]]; then usage && exit; fi
cd "$ROOT"
check_machine
temporary=$(mktemp -d -t padim-debian13.XXXXXX)
trap 'rm -rf --one-file-system "$temporary"' EXIT
system=$temporary/system
bootstrap
share_network
git clone -q . "$system/srv/padim"
if [[ $# -eq 0 ]]; then set -- scripts/test.sh -Dwerror=true -Danalytics=enabled; fi
enter "$@" </dev/null
