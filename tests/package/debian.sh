#!/usr/bin/env bash
# Usage: tests/package/debian.sh DIRECTORY [MIRROR], as root.
# The three .debs in the directory: through lintian, and installed, used and removed again in a Debian 12 that
# debootstrap makes.
set -euo pipefail
packages=$(cd "$1" && pwd)
consumer=$(cd "$(dirname "$0")/consumer" && pwd)
mirror=${2:-$(awk '$1 == "deb" { for (i = 2; i <= NF; i++) if ($i ~ "^http") { print $i; exit } }' /etc/apt/sources.list \
  /etc/apt/sources.list.d/*.list 2>/dev/null || true)}
[ -n "$mirror" ] || mirror=$(awk '$1 == "URIs:" { print $2; exit }' /etc/apt/sources.list.d/*.sources)

debs=("$packages"/libworker-runtime[0-9]*.deb "$packages"/libworker-runtime-dev*.deb "$packages"/worker-runtime_*.deb)
# The tag is about uploads to Debian, which these are not.
lintian --allow-root --fail-on error,warning --suppress-tags initial-upload-closes-no-bugs "${debs[@]}"
echo "lintian: clean"

root=$(mktemp -d)
cleanup() {
  mountpoint -q "$root/proc" && umount "$root/proc"
  rm -rf --one-file-system "$root"
}
trap cleanup EXIT
debootstrap --variant=minbase bookworm "$root" "$mirror" >"$packages/debootstrap.log" 2>&1 || {
  tail -20 "$packages/debootstrap.log"
  exit 1
}
mount -t proc proc "$root/proc"
cp /etc/resolv.conf "$root/etc/resolv.conf"
[ ! -e /etc/apt/apt.conf.d ] || cp -r /etc/apt/apt.conf.d "$root/etc/apt/"
inside() { chroot "$root" env DEBIAN_FRONTEND=noninteractive LC_ALL=C "$@"; }

mkdir "$root/debs" "$root/program"
cp "${debs[@]}" "$root/debs"
cp "$consumer"/main.* "$root/program"
inside dpkg --get-selections | sort >"$root/before"

# The tool by itself.
inside sh -c 'apt-get -qq install --yes --no-install-recommends /debs/worker-runtime_*.deb' >"$packages/apt.log" 2>&1
inside worker-runtime --root /store create --id a --assistant >/dev/null
inside worker-runtime --root /store send a hello >/dev/null
inside worker-runtime --root /store verify
test -s "$root/usr/share/man/man1/worker-runtime-send.1.gz"

# A program in C++ and one in C, against the libraries.
inside sh -c 'apt-get -qq install --yes --no-install-recommends g++ pkg-config libsimdjson-dev libisal-dev \
  /debs/libworker-runtime*.deb' >"$packages/apt.log" 2>&1
inside sh -ec 'cd /program
c++ -std=c++20 -Wall -Wextra -Werror main.cpp -o in_cpp $(pkg-config --cflags --libs worker_runtime_fs_store)
cc -std=c99 -Wall -Wextra -Werror main.c -o in_c $(pkg-config --cflags --libs worker_runtime_c)
mkdir cpp c && ./in_cpp cpp && ./in_c c'
echo "used: the tool, a program in C++ and one in C"

names=$(for deb in "${debs[@]}"; do dpkg-deb --field "$deb" Package; done | tr '\n' ' ')
inside sh -c "apt-get -qq purge --yes $names"' && \
  apt-get -qq autoremove --purge --yes g++ pkg-config libsimdjson-dev libisal-dev' >"$packages/apt.log" 2>&1
inside dpkg --get-selections | sort >"$root/after"
if ! diff "$root/before" "$root/after" || find "$root/usr" -iname '*worker?runtime*' | grep .; then
  echo "debian.sh: something was left" >&2
  exit 1
fi
echo "removed: nothing is left"
