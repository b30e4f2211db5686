#!/usr/bin/env bash
# tools/kvmdb from the outside: from another directory, over a symlink, with exit codes. Needs the built jar.
set -euo pipefail

tools=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ln -s "$tools/kvmdb" "$work/kvmdb"
cd "$work"

# Maven does not touch a jar whose content is the same; without this, the script would build again.
touch "$tools/target/kvmdb-tools.jar"

expect() {
    local wanted=$1 code=0
    shift
    "$@" >out 2>err || code=$?
    if [[ $code -ne $wanted ]]; then
        echo "smoke: '$*' exited with $code, not $wanted" >&2
        cat out err >&2
        exit 1
    fi
}

expect 0 ./kvmdb --version
grep -q '^kvmdb [0-9]' out
expect 2 ./kvmdb nonsense
expect 1 ./kvmdb info "$work/none"
[[ $(wc -l <err) -eq 1 ]]
expect 0 ./kvmdb create store
expect 0 ./kvmdb volume create store v --size 1M
head -c 1000000 /dev/urandom >data
expect 0 ./kvmdb import store v data
expect 0 ./kvmdb export store v - --length 1000000
cmp out data
expect 0 ./kvmdb check store

# Names are read as UTF-8 in the plain locale, and in one that is not installed.
for locale in C xx_XX.UTF-8; do
    expect 0 env LC_ALL="$locale" ./kvmdb volume create store "ñandú-$locale" --size 1M
    grep -q "ñandú-$locale" out
done

# A file in the place of the directory stands for a checkout that is not to be written to, also by root.
mkdir -p unbuilt/tools
cp "$tools/kvmdb" unbuilt/tools
touch unbuilt/tools/target
expect 1 unbuilt/tools/kvmdb --version
[[ $(wc -l <err) -eq 1 ]]
grep -q 'unbuilt/tools/target cannot be written' err

# Native libraries are unpacked where the user says.
expect 1 env TMPDIR=/proc ./kvmdb info store
[[ $(wc -l <err) -eq 1 ]]
grep -q 'TMPDIR=DIR' err
mkdir tmp
expect 0 env TMPDIR="$work/tmp" ./kvmdb info store
[[ -z $(ls tmp) ]]
expect 0 env TMPDIR="$work/nowhere" ./kvmdb info store

# The archive that the JVM starts with: of every command that is not long, damaged, missed by several at once, not to be made.
archive=$tools/target/kvmdb.aot
quietly() {
    expect 0 ./kvmdb info store
    [[ ! -s err ]]
}
quietly
[[ -s $archive && -s $archive.seal ]]
dd if=/dev/urandom of="$archive" bs=100 seek=100000 count=1 conv=notrunc 2>/dev/null
damaged=$(cksum <"$archive")
quietly
[[ $(cksum <"$archive") != "$damaged" ]]

rm "$archive" "$archive.seal"
children=()
for i in 1 2 3; do
    ./kvmdb --version >"out$i" 2>"err$i" &
    children+=($!)
done
for child in "${children[@]}"; do
    wait "$child"
done
[[ ! -s err1 && ! -s err2 && ! -s err3 && -s $archive ]]

# A directory in the place of its lock stands for a checkout that is not to be written to, also by root.
rm -f "$archive" "$archive.seal" "$tools/target/.archive.lock"
mkdir "$tools/target/.archive.lock"
trap 'rm -rf "$work" "$tools/target/.archive.lock"' EXIT
quietly
[[ ! -e $archive ]]
