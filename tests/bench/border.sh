#!/bin/bash
# border.sh [--smoke]: what the border to a plugin costs: 1 GiB through one that keeps nothing beside a plain
# copy through the same pipeline, in one run, and a listing of a million keys that come in no order.
. "$(dirname "$0")/lib.sh"

mib=1024 keys=1000000
[ "${1:-}" != --smoke ] || bench_smoke=yes bench_runs=1 mib=16 keys=10000

make -C "$SR_BUILDDIR" tests/bench/bench_border tests/bench/null.la >/dev/null || exit 1
border() {
    measured "$1" "$SR_BUILDDIR/tests/bench/bench_border" "$SR_BUILDDIR/tests/bench/.libs" "$2" "$3"
}
figure() { # figure VARIABLE NAME: what the last run gave NAME; a figure that is missing is no figure
    local value
    value=$(awk -v n="$2" '$1 == n {print $2}' "$T/measured.out")
    [ -n "$value" ] || die "no figure for $2"
    printf -v "$1" %s "$value"
}

border copy copy "$mib"
figure save_plain save-plain
figure save save
figure fetch_plain fetch-plain
figure fetch fetch
for ((i = 0; i < bench_runs; i++)); do
    border list list "$keys"
    figure arrived keys
    [ "$arrived" = "$keys" ] || die "$arrived of $keys keys arrived in order"
    figure before before
    figure after after
done

echo
echo "the border to a plugin that keeps nothing: $mib MiB, $keys keys"
machine
row 'a plain copy through the pipeline' "$save_plain s"
row 'save through the plugin' "$save s"
row 'a plain copy to a writer' "$fetch_plain s"
row 'fetch through the plugin' "$fetch s"
row "listing $keys keys, filtered and sorted" "$(median list) s"
bound 'save against the plain copy' "$(ratio "$save" "$save_plain")" '<=' 1.10
bound 'fetch against the plain copy' "$(ratio "$fetch" "$fetch_plain")" '<=' 1.10
# A border that is faster than nothing was not measured: the machine was busy.
bound 'the same: save was measured undisturbed' "$(ratio "$save" "$save_plain")" '>=' 0.90
bound 'the same: fetch was measured undisturbed' "$(ratio "$fetch" "$fetch_plain")" '>=' 0.85
bound 'peak memory of save and fetch, MiB' "$(ratio "$(peak copy)" 1024)" '<=' 32
bound 'listing, microseconds for a key' "$(awk -v s="$(median list)" -v k="$keys" 'BEGIN {print s * 1e6 / k}')" '<=' 5
row 'peak memory of the listing, MiB' "$(ratio "$after" 1024)"
bound 'memory for a key of 40 bytes, bytes' $(((after - before) * 1024 / keys)) '<=' 160
bench_end
