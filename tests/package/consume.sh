#!/usr/bin/env bash
# Installs into a fresh directory and builds the program in consumer/ against it: with find_package() and with
# pkg-config, in C++ and in C, each with the archives and with the shared libraries; and once with the sources as a
# part of its own build. Runs them all.
set -euo pipefail
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
consumer=$PWD/tests/package/consumer

# Shows what a command printed only if it fails.
quietly() {
  "$@" >"$work/quiet.log" 2>&1 || {
    cat "$work/quiet.log"
    exit 1
  }
}

quietly make --no-print-directory install PREFIX="$work/first"
# Moved, so that nothing may rest on the place it was installed to.
mv "$work/first" "$work/installed"
prefix=$work/installed
libdir=$(dirname "$(find "$prefix" -name 'libworker_runtime_core.a')")
export LD_LIBRARY_PATH=$libdir

run() {
  echo "-- $1"
  local data=$work/data.$RANDOM
  mkdir "$data"
  "$2" "$data"
}

for component in fs_store c; do
  for shared in OFF ON; do
    build=$work/cmake.$component.$shared
    quietly cmake -S "$consumer" -B "$build" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" -DCOMPONENT=$component \
      -DBUILD_SHARED_LIBS=$shared
    quietly cmake --build "$build"
    run "find_package, $component, BUILD_SHARED_LIBS=$shared" "$build/consumer"
  done
done

export PKG_CONFIG_PATH=$libdir/pkgconfig
read -ra flags <<<"$(pkg-config --cflags --libs worker_runtime_fs_store)"
c++ -std=c++20 -Wall -Wextra -Wpedantic -Werror "$consumer/main.cpp" -o "$work/pc-shared" "${flags[@]}"
run "pkg-config, shared" "$work/pc-shared"
read -ra flags <<<"$(pkg-config --cflags --libs worker_runtime_c)"
cc -std=c99 -Wall -Wextra -Wpedantic -Werror "$consumer/main.c" -o "$work/pc-c-shared" "${flags[@]}"
run "pkg-config in C, shared" "$work/pc-c-shared"

# Both kinds stand in one directory and the linker prefers the shared one: ask for the archives by name.
read -ra flags <<<"$(pkg-config --static --cflags --libs worker_runtime_fs_store |
  sed -E 's/-l(worker_runtime_[a-z_]+)/-l:lib\1.a/g')"
c++ -std=c++20 -Wall -Wextra -Wpedantic -Werror "$consumer/main.cpp" -o "$work/pc-static" "${flags[@]}"
if readelf -d "$work/pc-static" | grep -q worker_runtime; then
  echo "consume.sh: the static program still needs a shared library of ours" >&2
  exit 1
fi
run "pkg-config, static" "$work/pc-static"
read -ra flags <<<"$(pkg-config --static --cflags --libs worker_runtime_c |
  sed -E 's/-l(worker_runtime_[a-z_]+)/-l:lib\1.a/g')"
cc -std=c99 -Wall -Wextra -Wpedantic -Werror "$consumer/main.c" -o "$work/pc-c-static" "${flags[@]}"
run "pkg-config in C, static" "$work/pc-c-static"

# With FetchContent, which adds the directory of the sources. No preset holds here: each source of the library is
# compiled by itself, so that one that misses an include is found. Nothing is optimised, which is quicker.
quietly cmake -S "$consumer" -B "$work/fetched" -G Ninja -DSOURCES="$PWD" -DCMAKE_CXX_FLAGS=-O0
if grep -q 'CMAKE_INSTALL_DOCDIR:PATH=.*worker-runtime' "$work/fetched/CMakeCache.txt"; then
  echo "consume.sh: as a part of another project it decides where that one's documents go" >&2
  exit 1
fi
quietly cmake --build "$work/fetched" --target consumer
run "FetchContent" "$work/fetched/consumer"

# A component that is not there must be named.
if cmake -S "$consumer" -B "$work/cmake.absent" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" -DCOMPONENT=absent \
  >"$work/absent.log" 2>&1 || ! grep -q "no component 'absent'" "$work/absent.log"; then
  cat "$work/absent.log"
  echo "consume.sh: a missing component was not reported" >&2
  exit 1
fi

"$prefix/bin/worker-runtime" --version
echo "consumed: find_package and pkg-config, static and shared; FetchContent"
