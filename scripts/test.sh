#!/bin/bash
# test.sh [PART...]: installs what is missing, builds, and runs everything, or only the parts named:
#
#   install configure format gcc local adapters clang coverage asan valgrind fuzz dist bench quickstart
#   check, unit, e2e: the optimised build's tests: all, the unit tests or the end-to-end tests alone
#
# Without a part everything is run but `check`: the whole suite then runs twice, instrumented for coverage
# and under the sanitizers, and the optimised build passes its unit tests (dist), the benchmarks at a
# small size, and the quick start.
#
# The last line is "N passed, N failed"; the exit status is 0 only when nothing failed. A missing server
# or tool is a failure, never a skip. Builds live in $SR_TEST_DIR (default: build/test), and stay there.
set -uo pipefail

coverage_bound=90   # per cent of lines
fuzz_seconds=12    # per target
all_parts='install configure format gcc local adapters clang coverage asan valgrind fuzz dist bench quickstart'

top=$(cd "$(dirname "$0")/.." && pwd)
work=${SR_TEST_DIR:-$top/build/test}
jobs=$(nproc)
tests_at_once=$((jobs * 2)) # much of a test is waiting for servers
passed=0 failed=0 failures=()
export LC_ALL=C.UTF-8 TZ=UTC MAKEFLAGS= SR_CACHE=$work/cache

say() {
    printf '== %s\n' "$*"
}

# The points that failed first: they are seldom at the end.
tell() { # tell LOG
    grep -h -A 6 '^not ok' "$1" | head -n 60
    tail -n 40 "$1"
}

count() { # count STATUS NAME [LOG]
    if [ "$1" = 0 ]; then
        passed=$((passed + 1))
        say "passed: $2"
    else
        failed=$((failed + 1))
        failures+=("$2")
        say "FAILED: $2"
        [ -z "${3:-}" ] || tell "$3"
    fi
}

step() { # step NAME COMMAND...: one result, its output shown only when it failed
    local name=$1 log
    log=$work/log/$(printf %s "$1" | tr -c 'A-Za-z0-9' '-').log
    shift
    "$@" >"$log" 2>&1 </dev/null
    count $? "$name" "$log"
}

# Every test that automake ran is one result; a run that tells no result is a failure of its own.
count_trs() { # count_trs NAME FOLDER LOG
    local name=$1 dir=$2 log=$3 trs test seen=0
    while read -r trs; do
        test=${trs#"$dir"/} test=${test%.trs} seen=1
        if grep -q '^:global-test-result: PASS' "$trs"; then
            passed=$((passed + 1))
        else
            count 1 "$name: $test" "${trs%.trs}.log"
        fi
    done < <(find "$dir/tests" -name '*.trs' -newer "$work/log/started" | sort)
    [ $seen = 1 ] || count 1 "$name: no test ran" "$log"
}

run_tests() { # run_tests NAME FOLDER MAKE-ARGUMENT...
    local name=$1 dir=$2 log=$work/log/$1.log
    shift 2
    touch "$work/log/started"
    find "$dir/tests" -name '*.trs' -delete 2>/dev/null
    make -C "$dir" -j"$tests_at_once" "$@" >"$log" 2>&1 </dev/null
    local rc=$?
    count_trs "$name" "$dir" "$log"
    [ $rc = 0 ] || [ $failed -gt 0 ] || count 1 "$name: make $*" "$log"
}

build() { # build NAME CONFIGURE-ARGUMENT...: out of tree
    local dir=$work/$1
    shift
    mkdir -p "$dir"
    (cd "$dir" && "$top/configure" --enable-werror "$@") && make -C "$dir" -j"$jobs" all
}

need() { # need NAME CONFIGURE-ARGUMENT...: builds once in this run
    [ -e "$work/$1/.built" ] || {
        step "build: $1" build "$@"
        touch "$work/$1/.built"
    }
}

part_install() {
    step 'install packages' "$top/scripts/install-packages.sh" build test
    step 'install Azurite' "$top/scripts/install-azurite.sh" "$SR_CACHE"
}

refuses() { # refuses WORDS CONFIGURE-ARGUMENT...: configure stops and says WORDS
    local words=$1 dir
    shift
    dir=$(mktemp -d "$work/refused.XXXXXX")
    (cd "$dir" && "$top/configure" "$@") >"$dir/said" 2>&1 && return 1
    tail -3 "$dir/said"
    grep -qF -- "$words" "$dir/said"
}

part_configure() {
    step 'configure refuses an unknown adapter' refuses "unknown adapter 'nosuch'" --with-adapters=nosuch
    step 'the refusal names the known adapters' refuses 'known: local' --with-adapters=local,nosuch
    step 'configure refuses no adapter at all' refuses 'at least one' --with-adapters=no
    # A missing library is told with its Debian package.
    step 'configure names the package of a missing library' \
        refuses 'apt-get install libzstd-dev' PKG_CONFIG="$work/log/no-zstd"
    step 'every subset of adapters has what it names and no more; one plugin is installed by itself' \
        env SR_SRCDIR="$top" bash "$top/tests/install/adapters.sh" "$work/adapters" s3 gcs azure
}

part_format() {
    step 'clang-format' bash -c 'git -C "$1" ls-files -z "*.c" "*.h" | (cd "$1" && xargs -0 clang-format --dry-run -Werror)' - "$top"
    step 'shell scripts parse' bash -c 'cd "$1" && git ls-files "*.sh" .ci/run | while read -r f; do bash -n "$f" || exit 1; done' - "$top"
}

part_gcc() {
    need gcc CC=gcc
}

links_no_cloud() { # links_no_cloud FOLDER: neither the programs nor the local plugin need what stores on networks need
    local needed
    needed=$(for f in "$1"/strongroom "$1"/strongroom-* "$1"/plugins/.libs/local.so; do
        [ ! -x "$f" ] || readelf -d "$f" | grep -F '(NEEDED)'
    done)
    grep -q libcrypto <<<"$needed" && ! grep -E 'libcurl|libxml2' <<<"$needed"
}

# A host without libcurl and libxml2 builds the local store, and what it builds passes.
part_local() {
    need local CC=gcc --with-adapters=local PKG_CONFIG="$work/log/no-cloud"
    run_tests local "$work/local" check-unit
    step 'the contract of the local plugin, without cloud libraries' \
        env SR_SRCDIR="$top" SR_BUILDDIR="$work/local" bash "$top/tests/contract/local.sh"
    step 'nothing of it is linked with cloud libraries' links_no_cloud "$work/local"
    part_gcc
    step 'core is linked with none where they are there' links_no_cloud "$work/gcc"
    step 'configure names the package of the library that a store on the network needs' \
        refuses 'apt-get install libcurl4-openssl-dev' --with-adapters=s3 PKG_CONFIG="$work/log/no-cloud"
}

part_clang() {
    need clang CC=clang
}

installs_only() { # installs_only NAME: of plugins and their pages nothing else
    local root=$work/only-$1/root
    rm -rf "$root"
    make -C "$work/only-$1" install DESTDIR="$root" >/dev/null 2>&1 &&
        [ "$(find "$root" -path '*strongroom/plugins/*' -type f -printf '%f\n')" = "$1.so" ]
}

# Each adapter of a network alone: what it names is built, passes, and is all that is installed.
part_adapters() {
    local name
    for name in s3 gcs azure; do
        need "only-$name" CC=gcc --with-adapters="$name"
        run_tests "only-$name" "$work/only-$name" check-unit
        step "--with-adapters=$name installs nothing else" installs_only "$name"
    done
}

part_check() {
    part_gcc
    run_tests check "$work/gcc" check
}

part_unit() {
    part_gcc
    run_tests unit "$work/gcc" check-unit
}

part_e2e() {
    part_gcc
    run_tests e2e "$work/gcc" check-e2e
}

part_asan() {
    need asan CC=gcc CFLAGS='-O1 -g' --enable-sanitizers
    # The sanitizer of gcc 12 trips over its own alternate signal stacks when a thread ends.
    export ASAN_OPTIONS=detect_leaks=1:use_sigaltstack=0 UBSAN_OPTIONS=print_stacktrace=1
    run_tests asan "$work/asan" check
    unset ASAN_OPTIONS UBSAN_OPTIONS
}

# Parsers, tables and threads under memcheck. What talks to servers and gpg, or works on megabytes, runs
# under ASan alone: memcheck would take minutes for each, and this one does not know openat2, which
# the local plugin needs.
valgrind_tests='audit aws_credentials aws_signer catalog cli cloud_creds cloud_retry cloud_text cloud_xml config filter manifest names pipeline progress report retention sigv4 source store store_promises toc util verbs'

part_valgrind() {
    local name results
    part_gcc
    step 'unit tests are built' make -C "$work/gcc" -j"$jobs" check TESTS=
    results=$work/log/valgrind
    rm -rf "$results" && mkdir -p "$results"
    # shellcheck disable=SC2016
    printf '%s\n' $valgrind_tests | SR_SRCDIR=$top SR_BUILDDIR=$work/gcc xargs -P "$jobs" -I NAME bash -c '
        valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite \
            --child-silent-after-fork=yes "$1/tests/unit/test_NAME" >"$2/NAME.log" 2>&1 </dev/null
        echo $? >"$2/NAME.rc"' - "$work/gcc" "$results"
    for name in $valgrind_tests; do
        count "$(cat "$results/$name.rc" 2>/dev/null || echo 1)" "valgrind: test_$name" "$results/$name.log"
    done
    # Its two threads wait for each other by turns, hence the fair scheduling.
    step 'valgrind: the contract suite on the example' valgrind --quiet --error-exitcode=99 --leak-check=full \
        --errors-for-leak-kinds=definite --fair-sched=yes \
        "$work/gcc/strongroom-plugin-check" --large 1MiB --keys 20 \
        "$work/gcc/plugins/example/.libs/example.so" file="$work/log/valgrind/example.archive"
}

part_fuzz() {
    local target name results=$work/log/fuzz seen=
    need fuzz CC=clang CFLAGS='-O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all' \
        LDFLAGS=-fsanitize=address,undefined --enable-fuzzers
    rm -rf "$results" && mkdir -p "$results"
    # From its seeds; new finds go into the build folder.
    # shellcheck disable=SC2016
    find "$work/fuzz/tests/fuzz" -maxdepth 1 -name 'fuzz_*' -type f -perm -u+x | sort |
        xargs -P "$jobs" -I TARGET bash -c '
            name=${1##*/fuzz_} found=$2/found-${1##*/fuzz_}
            mkdir -p "$found"
            cd "$found" && "$1" -max_total_time="$4" -timeout=10 -rss_limit_mb=2048 "$found" \
                $([ -d "$3/$name" ] && echo "$3/$name") >"$2/$name.log" 2>&1 </dev/null
            echo $? >"$2/$name.rc"' - TARGET "$results" "$top/tests/fuzz/corpus" "$fuzz_seconds"
    for target in "$top"/tests/fuzz/fuzz_*.c; do
        name=${target##*/fuzz_} name=${name%.c} seen=1
        count "$(cat "$results/$name.rc" 2>/dev/null || echo 1)" "fuzz: $name" "$results/$name.log"
    done
    [ -n "$seen" ] || count 1 'fuzz: there is no target'
}

part_coverage() {
    need coverage CC=gcc CFLAGS='-O0 -g' --enable-coverage
    find "$work/coverage" -name '*.gcda' -delete
    run_tests coverage "$work/coverage" check
    (cd "$work/coverage" && gcovr --root "$top" --filter "$top/core/" --filter "$top/plugins/" \
        --gcov-ignore-parse-errors --txt "$work/coverage.txt" --fail-under-line "$coverage_bound" .) >"$work/log/gcovr.log" 2>&1
    count $? "line coverage of at least $coverage_bound %" "$work/log/gcovr.log"
    cat "$work/coverage.txt"
}

# From the tarball alone: build, unit tests, and what is installed held against what it promises, in its
# prefix and below a DESTDIR.
dist_round() {
    local src=$work/dist/src bld=$work/dist/bld prefix=$work/dist/prefix root=$work/dist/root
    rm -rf "$work/dist"
    mkdir -p "$src" "$bld" "$prefix" "$root"
    make -C "$work/gcc" dist &&
        tar -xzf "$work"/gcc/strongroom-*.tar.gz -C "$src" --strip-components=1 &&
        chmod -R a-w "$src" &&
        (cd "$bld" && "$src/configure" --enable-werror --prefix="$prefix") &&
        make -C "$bld" -j"$jobs" all &&
        make -C "$bld" -j"$jobs" check-unit &&
        make -C "$bld" install DESTDIR="$root" &&
        make -C "$bld" installcheck DESTDIR="$root" &&
        make -C "$bld" install &&
        make -C "$bld" installcheck
    local rc=$?
    chmod -R u+w "$src"
    return $rc
}

part_dist() {
    part_gcc
    step 'make dist, build, install and installcheck from the tarball' dist_round
}

part_bench() {
    part_gcc
    SR_BUILDDIR=$work/gcc step 'bench: backup.sh runs at a small size' bash "$top/tests/bench/backup.sh" --smoke
    SR_BUILDDIR=$work/gcc step 'bench: restore.sh runs at a small size' bash "$top/tests/bench/restore.sh" --smoke
    SR_BUILDDIR=$work/gcc step 'bench: border.sh runs at a small size' bash "$top/tests/bench/border.sh" --smoke
    SR_BUILDDIR=$work/gcc step 'bench: s3.sh runs at a small size' bash "$top/tests/bench/s3.sh" --smoke
    SR_BUILDDIR=$work/gcc step 'bench: gcs.sh runs at a small size' bash "$top/tests/bench/gcs.sh" --smoke
    SR_BUILDDIR=$work/gcc step 'bench: azure.sh runs at a small size' bash "$top/tests/bench/azure.sh" --smoke
    SR_BUILDDIR=$work/gcc step 'bench: stores.sh runs at a small size' bash "$top/tests/bench/stores.sh" --smoke
    SR_BUILDDIR=$work/gcc step 'bench: catalog.sh runs at a small size' bash "$top/tests/bench/catalog.sh" --smoke
}

part_quickstart() {
    step 'quickstart.sh from end to end' "$top/scripts/quickstart.sh"
}

parts=("$@")
[ $# -gt 0 ] || read -ra parts <<<"$all_parts"
for part in "${parts[@]}"; do
    declare -F "part_$part" >/dev/null || {
        echo "test.sh: unknown part '$part'; known: check unit e2e $all_parts" >&2
        exit 2
    }
done

mkdir -p "$work/log"
find "$work" -maxdepth 2 -name .built -delete
# A pkg-config that knows everything but zstd, for the test of configure's message.
printf '#!/bin/sh\ncase "$*" in *libzstd*) exit 1 ;; esac\nexec pkg-config "$@"\n' >"$work/log/no-zstd"
printf '#!/bin/sh\ncase "$*" in *libcurl* | *libxml*) exit 1 ;; esac\nexec pkg-config "$@"\n' >"$work/log/no-cloud"
chmod 755 "$work/log/no-zstd" "$work/log/no-cloud"
case " ${parts[*]} " in *' install '*) part_install ;; esac
step 'autogen.sh' "$top/autogen.sh"
for part in "${parts[@]}"; do
    [ "$part" = install ] && continue
    began=$SECONDS
    "part_$part"
    say "$part took $((SECONDS - began)) s"
done
rm -rf "$work"/refused.*
[ $failed = 0 ] || printf '== failed: %s\n' "${failures[@]}"
echo "$passed passed, $failed failed"
[ $failed = 0 ]
