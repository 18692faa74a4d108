# Plugins that break a promise before they are of any use: each refused, by a message that names the
# file, the promise and both numbers, in a process that goes on.
set -u
dir=$(mktemp -d "${TMPDIR:-/tmp}/sr-abi-XXXXXX") || exit 2
trap 'rm -rf "$dir"' EXIT
check="$SR_BUILDDIR/strongroom-plugin-check"
failed=0

build() { # VARIANT
    ${SR_CC:-cc} -std=c11 -D_GNU_SOURCE -shared -fPIC -I"$SR_SRCDIR/tests/abi/1.0" -D"VARIANT_$1" \
        -o "$dir/variant.so" "$SR_SRCDIR/tests/abi/variant.c" || exit 2
}

refused() { # VARIANT PATTERN [PLUGIN]
    local out status
    build "$1"
    out=$(BACKUP_PLUGIN_PATH="$dir" "$check" "${3:-$dir/variant.so}" 2>&1)
    status=$?
    if [ $status -ne 2 ] || ! grep -q "^Bail out! .*$dir/variant.so" <<<"$out" ||
        ! grep -qE "$2" <<<"$out"; then
        echo "not refused as it should be: $1 (status $status, wanted: $2)"
        echo "$out" | head -5
        failed=1
    else
        echo "refused: $1: ${out##*refused: }"
    fi
}

refused MISSING_SYMBOL 'does not export sr_storage_plugin_entry'
refused RETURNS_NULL 'sr_storage_plugin_entry returned nothing'
refused API_NEWER 'speaks version 7 .* speaks version 1'
refused API_ZERO 'speaks version 0 .* speaks version 1'
refused TOO_SMALL 'it is [0-9]+ bytes long; up to the last required slot it is [0-9]+'
refused TINY 'it is 4 bytes long'
refused HUGE 'it is 1099511627776 bytes long; .* more than 65536'
refused NO_NAME "name '' is not"
refused BAD_NAME "name '../variant' is not"
refused LONG_NAME 'of at most 32'
refused OTHER_NAME "calls itself 'other', but its file is named for 'variant'" variant
refused NO_DESCRIPTION 'gives no description'
refused CONTROL_CHARACTERS 'control character 0x1b'
refused NO_OPEN 'slot open is empty'
refused NO_CLOSE 'slot close is empty'
refused NO_SAVE 'slot save is empty'
refused NO_LIST 'slot list is empty'
refused NO_FETCH 'slot fetch is empty'
refused NO_DELETE 'slot delete_object is empty'
refused COPY_WITHOUT_SLOT 'capability copy but its slot is empty'
refused ROW_SIZES 'setting 1 says it is [0-9]+ bytes long, the first said [0-9]+'
refused ROW_TINY 'first setting says it is 8 bytes long, at least [0-9]+'
refused ROW_TWICE 'declares setting one twice'
refused ROW_KEY 'key of its setting 1 is not allowed'
refused ROW_PREFIX "not 'prefix'"
refused ROW_HOSTS "setting 1 is 'retention_days', which is the host's own"
refused ROW_TWIN 'settings one and one_file, but every setting can be read from the file'
refused ROW_LONG_KEY 'key of its setting 1 is not allowed .*at most 64 bytes'
refused ROW_HELP "setting two's help holds the control character 0x1b"
refused ROW_LONG_HELP "setting two's help is longer than 512 bytes"
refused ROW_CHOICES_LINES "setting two's choices holds the control character 0x0a"
refused ROWS_WITHOUT_END 'table of settings has no end within 256 rows'
refused ROW_CHOICE 'setting two is a choice of nothing'
refused CONSTRUCTOR_CRASHES 'did not come through its constructors: .*(signal 11|SEGV)'
refused CONSTRUCTOR_EXITS 'ended that process in its constructors'
refused CONSTRUCTOR_ABORTS 'did not come through its constructors: .*signal 6'
refused CONSTRUCTOR_PRINTS 'wrote 22 bytes to the standard output, 0 are allowed'
refused CONSTRUCTOR_CLOSES 'had closed the standard output'
refused CONSTRUCTOR_REPLACES 'had replaced the standard output'
refused CONSTRUCTOR_HANGS 'did not come through its constructors within 10000 ms'
refused ENTRY_CRASHES 'did not come through its entry: .*(signal 7|BUS)'
refused LOAD_CRASHES 'did not come through its load: .*signal 6'
refused LOAD_EXITS 'ended that process in its load'
refused LOAD_HANGS 'did not come through its load within 10000 ms'
refused LOAD_FAILS 'load failed: libexample is too old'
refused LOAD_ASKS 'load failed: libexample is too old'

# In C++17, every slot filled: it loads and is asked; and two such in one program, by names of their own.
cxx() {
    "$compiler" -std=c++17 -pedantic-errors -Wall -Wextra -Werror -fPIC -I"$SR_SRCDIR/tests/abi/1.0" "$@"
}
for compiler in g++ clang++; do
    if ! command -v $compiler >/dev/null; then
        [ -z "${CI:-}" ] || { echo "$compiler is missing"; failed=1; }
        continue
    fi
    cxx -shared -o "$dir/cxx.so" "$SR_SRCDIR/tests/abi/cxx.cc" || exit 2
    out=$(BACKUP_PLUGIN_PATH="$dir" "$check" cxx 2>&1)
    if grep -q '^Bail out! .*cannot be opened: this one can do nothing' <<<"$out"; then
        echo "loaded and asked: a plugin by $compiler"
    else
        echo "a plugin by $compiler does not load: $out"
        failed=1
    fi
    cat >"$dir/both.cc" <<'END'
#include <strongroom/storage.h>
#include <cstring>
extern "C" const sr_storage_plugin *sr_storage_plugin_entry_one(void);
extern "C" const sr_storage_plugin *sr_storage_plugin_entry_two(void);
int main()
{
    const sr_storage_plugin *one = sr_storage_plugin_entry_one(), *two = sr_storage_plugin_entry_two();
    return std::strcmp(one->name, "one") || std::strcmp(two->name, "two") ||
           one->size != sizeof *one || one->api_version != SR_STORAGE_API_VERSION || !one->delete_object;
}
END
    for name in one two; do
        cxx -DSR_STORAGE_STATIC -DNAME=$name -c -o "$dir/$name.o" "$SR_SRCDIR/tests/abi/cxx.cc" || exit 2
    done
    if cxx -o "$dir/both" "$dir/both.cc" "$dir/one.o" "$dir/two.o" && "$dir/both"; then
        echo "two plugins in one program: $compiler"
    else
        echo "two plugins do not go into one program: $compiler"
        failed=1
    fi
done
exit $failed
