#!/bin/sh
# Builds libkvmdb.so with a C compiler and kernel headers alone.
# usage: build.sh OUTPUT_DIR [extra compiler flags]
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
out=$1
shift
case "$(uname -s)-$(uname -m)" in
  Linux-x86_64) platform=linux-x86_64; arch_flags=-msse4.2 ;;
  *) echo "kvmdb: the shim supports Linux on x86_64; this is $(uname -s) on $(uname -m)" >&2; exit 1 ;;
esac
cc=${CC:-gcc}
command -v "$cc" >/dev/null || { echo "kvmdb: no C compiler '$cc' found; install gcc, or set CC" >&2; exit 1; }
mkdir -p "$out/$platform"
# A handler may use at most 16 KiB of stack with all that it calls; no single function gets near that.
# -z nodelete: a signal handler of ours is installed for the life of the process.
# -z now, initial-exec TLS: lazy binding and dynamic TLS allocate memory, which a signal handler must not.
exec "$cc" -std=gnu11 -O2 -g -fPIC -shared $arch_flags \
  -Wall -Wextra -Werror -Wshadow -Wstack-usage=4096 -Wno-missing-field-initializers \
  -fvisibility=hidden -ftls-model=initial-exec -fno-strict-aliasing \
  -Wl,-z,nodelete -Wl,-z,now -Wl,-z,defs -Wl,--version-script="$here/kvmdb.map" \
  "$@" -o "$out/$platform/libkvmdb.so" "$here"/*.c -ldl
