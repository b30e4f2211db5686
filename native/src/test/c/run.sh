#!/bin/sh
# Builds the tests of the shim together with it, under sanitizers and without, and runs them.
# usage: run.sh OUTPUT_DIR [test name part...]
#        run.sh OUTPUT_DIR --bench [read deadline in ms] [directory of the device file]
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
shim=$here/../../main/c
out=$1
shift
cc=${CC:-gcc}
mkdir -p "$out"
warnings="-Wall -Wextra -Werror -Wshadow -Wno-missing-field-initializers"
common="-std=gnu11 -g -msse4.2 -fno-strict-aliasing -I$shim -I$here"
tests=$(ls "$here"/*.c | grep -v _bench.c)

# shellcheck disable=SC2086
build() {
  program=$1
  shift
  "$cc" $common $warnings "$@" -o "$out/$program" "$shim"/*.c $tests -ldl -pthread
}

if [ "${1-}" = --bench ]; then
  shift
  tests="$here/fault_bench.c $here/fake_store.c"
  build fault-bench -O2
  exec "$out/fault-bench" "$@"
fi

# Programs that tests of other modules run.
# shellcheck disable=SC2086
for tool in "$here"/tools/*.c; do
  "$cc" -std=gnu11 -O2 $warnings -o "$out/$(basename "$tool" .c)" "$tool"
done
build tests-plain -O2 &
plain=$!
build tests-sanitized -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
wait $plain

if "$out/tests-plain" canary >/dev/null 2>&1; then
  echo "the canary test passed: the harness cannot fail" >&2
  exit 1
fi
# SIGBUS is the shim's; the sanitizer would take it for a crash.
export ASAN_OPTIONS=handle_sigbus=0:detect_leaks=0:abort_on_error=1
export UBSAN_OPTIONS=print_stacktrace=1
echo "shim tests, address and undefined behaviour sanitizers"
"$out/tests-sanitized" "$@"
echo "shim tests, optimized"
"$out/tests-plain" "$@"
