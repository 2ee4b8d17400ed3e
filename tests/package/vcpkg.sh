#!/usr/bin/env bash
# Runs the vcpkg port with stand-ins for vcpkg's functions, in both kinds of linkage, and builds the program in
# consumer/ against what it would install.
set -euo pipefail
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for linkage in static dynamic; do
  cmake -DPORT="$PWD/packaging/vcpkg/worker-runtime" -DOUT="$work/$linkage" -DLINKAGE=$linkage \
    "-DFEATURES=core;fs-store;tool" -P tests/package/vcpkg_functions.cmake
  packages=$work/$linkage/packages
  kinds=$(cd "$packages/lib" && ls -d libworker_runtime_*)
  case $linkage in
    static) wrong=$(grep '\.so' <<<"$kinds" || true) ;;
    dynamic) wrong=$(grep '\.a$' <<<"$kinds" || true) ;;
  esac
  if [ -n "$wrong" ]; then
    echo "vcpkg.sh: $linkage, and yet there is $wrong" >&2
    exit 1
  fi
  LD_LIBRARY_PATH=$packages/lib "$packages/tools/worker-runtime/worker-runtime" --version
  for component in fs_store c; do
    build=$work/$linkage/$component
    cmake -S tests/package/consumer -B "$build" -G Ninja -DCMAKE_PREFIX_PATH="$packages" -DCOMPONENT=$component \
      >"$work/log" && cmake --build "$build" >>"$work/log" || { cat "$work/log"; exit 1; }
    mkdir "$build/data"
    LD_LIBRARY_PATH=$packages/lib "$build/consumer" "$build/data"
  done
done
echo "the port builds and is consumed, static and dynamic"
