# Every subset of --with-adapters is configured, and has the plugins, tests and pages that it names and no others; those of
# one adapter are built and installed whole as well. And one plugin is put into a host that has none:
#
#   adapters.sh FOLDER [ADAPTER...]    builds in FOLDER/NAME; the ADAPTERs (default: none) are built and installed whole
#
# Run by scripts/test.sh configure; it takes minutes.
. "$SR_SRCDIR/tests/lib.sh"
work=$1
shift
all='local s3 gcs azure'
configured() { # configured FOLDER LIST
    mkdir -p "$1" && (cd "$1" && "$SR_SRCDIR/configure" --with-adapters="$2" --prefix=/usr --enable-werror CFLAGS=-O1) >"$1.log" 2>&1
}
words() { tr ' ' '\n' <<<"$1" | sed '/^$/d' | sort | tr '\n' ' '; }
# The value of a variable of the Makefile in FOLDER, as make has it.
value() { # value FOLDER VARIABLE
    printf 'include Makefile\nvalue-of:\n\t@echo $(%s)\n' "$2" >"$1/value.mk"
    make -s -C "$1" -f value.mk value-of 2>"$1/value.err"
}
subset() { # subset LIST: with commas
    local dir=$work/subset want built pages name
    rm -rf "$dir"
    ok "$1: configure" configured "$dir" "$1" || return
    want=$(words "${1//,/ }")
    built=$(value "$dir" plugin_LTLIBRARIES | tr ' ' '\n' | sed -n 's,plugins/\(.*\)\.la,\1,p')
    is "$1: builds its plugins alone" "$(words "$built")" "$want"
    pages=$(value "$dir" dist_man_MANS | tr ' ' '\n' | sed -n 's,docs/strongroom-\(.*\)\.7$,\1,p')
    is "$1: installs their pages alone" "$(words "$pages")" "$want"
    for name in $all; do
        value "$dir" TESTS | tr ' ' '\n' | grep -E "tests/(contract/$name\.sh|e2e/${name}_|unit/test_$name)" >"$T/tests"
        [[ ,$1, = *,$name,* ]] && ok "$1: tests $name" grep -q "contract/$name" "$T/tests" ||
            is "$1: tests nothing of $name" "$(cat "$T/tests")" ''
    done
}
for n in {1..15}; do
    list=
    i=0
    for name in $all; do
        ((n >> i++ & 1)) && list=${list:+$list,}$name
    done
    subset "$list"
done
rm -rf "$work/subset"

for name; do
    dir=$work/$name
    ok "$name: configure" configured "$dir" "$name" || continue
    ok "$name: builds" make -C "$dir" -j2 all
    ok "$name: installs" make -C "$dir" install DESTDIR="$T/root-$name"
    plugins=$T/root-$name$(value "$dir" plugindir)
    is "$name: its plugin alone" "$(ls "$plugins")" "$name.so"
    is "$name: its page alone" "$(cd "$T/root-$name/usr/share/man/man7" && echo *)" "strongroom-$name.7"
    find "$T/root-$name" -type f | sort >"$T/all"
    grep -E "/plugins/$name\.so$|/man7/strongroom-$name\.7$|/doc/.*/$name(-[a-z]+)?\.md$" "$T/all" >"$T/own"
    xargs -d '\n' rm <"$T/own"
    ok "$name: make install-$name" make -C "$dir" "install-$name" DESTDIR="$T/root-$name"
    find "$T/root-$name" -type f | sort >"$T/again"
    is "$name: puts back the plugin and its pages, and nothing else" "$(diff "$T/all" "$T/again")" ''
    ok "$name: which are three files at least" [ "$(wc -l <"$T/own")" -ge 3 ]
    exit_is 0 "$name: the host finds it" with BACKUP_PLUGIN_PATH="$plugins" "$T/root-$name/usr/bin/strongroom" plugins "$name"
    for other in $all; do
        [ "$other" = "$name" ] || { exit_is 2 "$name: make install-$other is refused" make -C "$dir" "install-$other" DESTDIR="$T/root-$name" &&
            contains 'and what to do' "$ERR" "--with-adapters=$other"; }
    done
done
finish
