# What was installed, used as somebody uses it who has nothing else: the header alone, the example built by
# its own Makefile in a folder of its own, held to the contract, and a database backed up into it, listed,
# verified and restored. Nothing of the build folder is touched. Run by `make installcheck`.
. "$SR_SRCDIR/tests/lib.sh"
unset SR_BUILDDIR
PATH=$SR_DESTDIR$SR_BINDIR:$PATH
header_dir=$SR_DESTDIR$SR_INCLUDEDIR

# pkg-config sees our file alone; below a DESTDIR its folders lie elsewhere than they will.
export PKG_CONFIG_LIBDIR=$SR_DESTDIR$SR_PKGCONFIGDIR
pkg=pkg-config
if [ -n "$SR_DESTDIR" ]; then
    for name in prefix bindir libdir includedir plugindir; do
        variable=SR_${name^^}
        pkg+=" --define-variable=$name=$SR_DESTDIR${!variable}"
    done
    export BACKUP_PLUGIN_PATH=$SR_DESTDIR$SR_PLUGINDIR
fi
is 'pkg-config gives plugindir' "$($pkg --variable=plugindir strongroom)" "$SR_DESTDIR$SR_PLUGINDIR"
is 'and the checker' "$($pkg --variable=plugincheck strongroom)" "$SR_DESTDIR$SR_BINDIR/strongroom-plugin-check"
is 'and the version' "$($pkg --modversion strongroom)" "$(strongroom --version | awk 'NR == 1 {print $2}')"
ok 'and flags that may be needed' $pkg --cflags strongroom

# --- the header ---
printf '#include <strongroom/storage.h>\nint x;\n' >"$T/alone.c"
cp "$T/alone.c" "$T/alone.cc"
compiles() { # compiles COMPILER ARGUMENT...: a compiler that is not here fails on CI alone
    if command -v "$1" >/dev/null || [ -n "${CI:-}" ]; then
        ok "the header compiles alone: $1 $2" "$@" -pedantic-errors -Wall -Wextra -Werror "-I$header_dir" -o "$T/alone.o"
    else
        echo "# $1 is not here"
    fi
}
compiles gcc -std=c11 -c "$T/alone.c"
compiles clang -std=c11 -c "$T/alone.c"
compiles g++ -std=c++17 -c "$T/alone.cc"
compiles clang++ -std=c++17 -c "$T/alone.cc"

# --- what is there ---
for adapter in $SR_ADAPTERS; do
    exit_is 0 "plugin $adapter is found" strongroom plugins "$adapter"
    contains 'where it was installed' "$OUT" "$SR_DESTDIR$SR_PLUGINDIR/$adapter.so"
done
for page in man1/strongroom.1 man1/strongroom-plugin-check.1 man3/strongroom-storage.3 \
    $(printf 'man7/strongroom-%s.7 ' $SR_ADAPTERS); do
    ok "the page $page is there, without a warning" man --warnings -l -Tutf8 "$SR_DESTDIR$SR_MANDIR/$page"
    is 'indeed' "$ERR" ''
done

# --- the example ---
cp -R "$SR_DESTDIR$SR_EXAMPLEDIR" "$T/example" && cd "$T/example" || exit 1
# shellcheck disable=SC2046
ok 'one line builds it' "${SR_CC%% *}" $($pkg --cflags strongroom) -shared -fPIC -o one.so example.c
make_it() {
    make -s CC="$SR_CC" PKG_CONFIG="$pkg" "$@"
}
ok 'so does its Makefile' make_it CFLAGS='-O2 -g -Wall -Wextra -Werror'
is 'it exports one name' "$(nm -D --defined-only example.so | awk '{print $3}')" sr_storage_plugin_entry
ok 'it is true to the interface' make_it check
lacks 'no promise is broken' "$OUT" 'not ok'
cp "$T/out" "$T/suite"
ok 'so is the one that one line built' strongroom-plugin-check --large 2MiB --keys 20 ./one.so file="$T/one.archive"
ok 'it goes where it is told' make_it install plugindir="$T/plugins"
export BACKUP_PLUGIN_PATH=$T/plugins${BACKUP_PLUGIN_PATH:+:$BACKUP_PLUGIN_PATH}
exit_is 0 'strongroom finds it' strongroom plugins example
contains 'with its settings' "$OUT" BACKUP_EXAMPLE_LIMIT

# --- a database into it ---
pg_start && pg_env && dataset shop 20 || exit 1
path=$BACKUP_PLUGIN_PATH
sr_env
export BACKUP_PLUGIN_PATH=$path PGDATABASE=shop BACKUP_STORAGE_ADAPTER=example BACKUP_EXAMPLE_FILE=$T/shop.archive
exit_is 0 'the doctor is content' strongroom doctor
exit_is 0 'a backup' strongroom backup --label installed --json
is 'went into the archive' "$(json '.stores[0].name')" example
is 'and nowhere else' "$(find "$BACKUP_DIR" -path "$BACKUP_DIR/.strongroom" -prune -o -type f -print 2>/dev/null)" ''
exit_is 0 'it is listed' strongroom list --json
is 'with its label' "$(json '.backups | length')" 1
exit_is 0 'and verified' strongroom verify latest
create_db copy
exit_is 0 'and restored' strongroom restore latest --into copy --yes
restored_equals shop copy 'every row'
exit_is 0 'nothing unfinished is left' strongroom sweep --older-than 0s
contains 'indeed nothing' "$OUT" 'nothing to sweep'

ok 'it can be uninstalled' make_it uninstall plugindir="$T/plugins"
no 'and is gone' test -e "$T/plugins/example.so"
ok 'and cleaned up' make_it clean
no 'with what was built' test -e example.so
finish
