# What the benchmarks share; sourced.
#
#   bench_server             a private server with PostgreSQL's own defaults: fsync on, full WAL
#   measured NAME COMMAND..  runs it under tests/bench/measure, adds to the series NAME; fails loudly
#   median NAME              seconds          peak NAME    greatest KiB of the command's own process
#   cpu NAME                 seconds of processor time (median), with the children it waited for
#   ratio A B                A divided by B, three digits
#   bound NAME VALUE OP LIMIT     prints a line of the table, remembers a bound that does not hold
#   bench_end                exit status 1 when a bound did not hold (not in a smoke run)
. "${SR_SRCDIR:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}/tests/lib/env.sh"
. "$SR_SRCDIR/tests/lib/pg.sh"
. "$SR_SRCDIR/tests/lib/gpg.sh"
. "$SR_SRCDIR/tests/lib/data.sh"

bench_smoke= bench_missed=0 bench_runs=3
declare -A _series _peaks _cpus

bench_measure=$SR_BUILDDIR/tests/bench/measure
[ -x "$bench_measure" ] || make -C "$SR_BUILDDIR" tests/bench/measure >/dev/null || exit 1

die() {
    echo "$(basename "$0"): $*" >&2
    exit 1
}

bench_server() {
    pg_start 'fsync = on' 'synchronous_commit = on' 'full_page_writes = on' 'wal_level = replica' \
        'max_wal_senders = 10' 'shared_buffers = 128MB' 'max_connections = 100' || die 'no server'
    pg_env
}

measured() {
    local name=$1 seconds kib cpu
    shift
    "$bench_measure" "$T/measure" "$@" >"$T/measured.out" 2>"$T/measured.err" </dev/null || {
        tail -20 "$T/measured.err" >&2
        die "$name failed: $*"
    }
    read -r seconds kib cpu <"$T/measure"
    _series[$name]+="$seconds "
    _cpus[$name]+="$cpu "
    [ "${_peaks[$name]:-0}" -ge "$kib" ] || _peaks[$name]=$kib
    echo "  $name: $seconds s, $kib KiB, $cpu s of processor time" >&2
}

_median() {
    local -a values
    mapfile -t values < <(printf '%s\n' "$@" | sort -g)
    echo "${values[$((${#values[@]} / 2))]}"
}

median() {
    # shellcheck disable=SC2086
    _median ${_series[$1]}
}

cpu() {
    # shellcheck disable=SC2086
    _median ${_cpus[$1]}
}

peak() {
    echo "${_peaks[$1]}"
}

ratio() {
    awk -v a="$1" -v b="$2" 'BEGIN { printf "%.3f", a / b }'
}

row() {
    printf '%-52s %10s  %s\n' "$1" "$2" "${3:-}"
}

bound() {
    local verdict='holds'
    awk -v v="$2" -v l="$4" -v op="$3" 'BEGIN { exit !(op == "<=" ? v <= l : v >= l) }' || {
        verdict='DOES NOT HOLD'
        bench_missed=1
    }
    row "$1" "$2" "$3 $4: $verdict"
}

machine() {
    echo "$(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)," \
        "$(awk '/MemTotal/ {printf "%.0f GiB", $2 / 1048576}' /proc/meminfo), $("$PG_BIN/postgres" --version)"
}

bench_end() {
    [ -z "$bench_smoke" ] || exit 0
    exit $bench_missed
}
