# Today's header is a successor of the one that was released as version 1.0 (tests/abi/1.0, which is
# never edited again): every field where it was and of the same type, every constant with its value,
# and what is new behind the old end, not even in its padding. For every target that can be asked.
# Then the same comparison must find fault with headers that were changed in a way that breaks.
set -u
abi="$SR_SRCDIR/tests/abi"
dir=$(mktemp -d "${TMPDIR:-/tmp}/sr-layout-XXXXXX") || exit 2
trap 'rm -rf "$dir"' EXIT
cc=${SR_CC:-cc}
failed=0

say() { echo "$*"; failed=1; }

# what INCLUDE OUT [CC ARGS...]: fields with offset and size, structs with size
layout() {
    local include=$1 out=$2
    shift 2
    "$@" -I"$include" -E -P -dD -xc - <<<'#include <strongroom/storage.h>' >"$dir/text" 2>"$dir/err" &&
        awk -v part=layout -f "$abi/describe.awk" "$dir/text" >"$dir/layout.c" &&
        "$@" -I"$include" -S -o "$dir/layout.s" "$dir/layout.c" 2>>"$dir/err" || return 1
    sed -n 's/^[[:space:]]*\.size[[:space:]]*\([a-z_0-9]*\), *\([0-9]*\).*/\1 \2/p' "$dir/layout.s" | sort >"$out"
}

# the same for constants and the text of declarations, which no target changes
values() {
    local include=$1 out=$2
    $cc -std=c11 -I"$include" -E -P -dD -xc - <<<'#include <strongroom/storage.h>' >"$dir/text" &&
        awk -v part=values -f "$abi/describe.awk" "$dir/text" >"$dir/values.c" &&
        $cc -std=c11 -I"$include" -o "$dir/values" "$dir/values.c" && "$dir/values" | sort >"$out"
}

# OLD NEW: what of OLD's layout NEW breaks; nothing when it is a successor
breaks() {
    awk 'NR == FNR { old[$1] = $2 - 1; next }
         { new[$1] = $2 - 1 }
         END {
             for (k in old) {
                 if (!(k in new)) print "gone: " k
                 else if (k ~ /^in__/ ? new[k] < old[k] : new[k] != old[k])
                     print "changed: " k " was " old[k] ", is " new[k]
             }
             for (k in new) {
                 if (k in old || k !~ /^at__/) continue
                 owner = k; sub(/^at__/, "", owner); sub(/__.*/, "", owner)
                 if ("in__" owner in old && new[k] < old["in__" owner])
                     print "inserted: " k " at " new[k] ", before the old end " old["in__" owner]
             }
         }' "$1" "$2"
}

compare() { # NAME CC ARGS...
    local name=$1 found
    shift
    layout "$abi/1.0" "$dir/old" "$@" && layout "$SR_SRCDIR/include" "$dir/new" "$@" ||
        { say "$name: the headers do not compile"; cat "$dir/err"; return; }
    [ "$(grep -c ^at__ "$dir/old")" -ge 100 ] || say "$name: only $(grep -c ^at__ "$dir/old") fields were found"
    found=$(breaks "$dir/old" "$dir/new")
    [ -z "$found" ] && echo "a successor on $name: $(grep -c ^in__ "$dir/old") structs, $(grep -c ^at__ "$dir/old") fields" ||
        say "$name: not a successor of version 1.0: $found"
}

(cd "$abi" && sha256sum --quiet -c 1.0/SHA256) || say "the released header was edited"

compare "this machine" $cc -std=c11
if command -v clang >/dev/null; then
    for target in x86_64 i686 aarch64 armv7 riscv64 powerpc64le s390x mips; do
        compare $target clang --target=$target-linux-gnu -ffreestanding -nostdlibinc -std=c11
    done
elif [ -n "${CI:-}" ]; then
    say "clang is missing: other targets were not compared"
fi
values "$abi/1.0" "$dir/values.old" && values "$SR_SRCDIR/include" "$dir/values.new" ||
    say "the headers do not compile"
[ "$(grep -c ^const "$dir/values.old")" -ge 60 ] || say "only $(grep -c ^const "$dir/values.old") constants were found"
gone=$(comm -23 "$dir/values.old" "$dir/values.new")
[ -z "$gone" ] && echo "all $(wc -l <"$dir/values.old") constants and declarations are there" ||
    say "not as in version 1.0: $gone"

# A comparison that cannot fail shows nothing: each change must be found.
caught() { # WHAT SED-SCRIPT
    mkdir -p "$dir/bad/strongroom"
    sed -E "$2" "$abi/1.0/strongroom/storage.h" >"$dir/bad/strongroom/storage.h"
    if cmp -s "$abi/1.0/strongroom/storage.h" "$dir/bad/strongroom/storage.h"; then
        say "the change '$1' changes nothing"
        return
    fi
    layout "$abi/1.0" "$dir/old" $cc -std=c11 && layout "$dir/bad" "$dir/new" $cc -std=c11 &&
        values "$dir/bad" "$dir/values.new" || { say "the header with '$1' does not compile"; cat "$dir/err"; return; }
    if [ -n "$(breaks "$dir/old" "$dir/new")$(comm -23 "$dir/values.old" "$dir/values.new")" ]; then
        [ "${3:-bad}" = bad ] && echo "caught: $1" || say "a harmless change is taken for a break: $1"
    else
        [ "${3:-bad}" = bad ] && say "not caught: $1" || echo "allowed: $1"
    fi
}
caught 'a field inserted' 's/^    uint64_t size_hint;/    uint64_t other;\n&/'
caught 'two fields swapped' 's/may_write, may_list/may_list, may_write/'
caught 'a field gone' '/^    int64_t locked_until;   /d'
caught 'a struct shrunk at its end' 's/may_read, may_delete;/may_read;/'
caught 'a field narrower' 's/^    uint64_t outcome;/    uint32_t outcome;/'
caught 'a field of another sign' 's/^    uint64_t older_than;/    int64_t older_than;/'
caught 'a slot with another parameter' 's/void \(\*close\)\(void \*handle\)/void (*close)(const void *handle)/'
caught 'an array shorter' 's/(SR_STORAGE_VERSION_MAX) 1032/\1 1024/'
caught 'a constant changed' 's/(SR_STORAGE_READ_AGAIN) \(-1\)/\1 (-3)/'
caught 'an enum value changed' 's/SR_STORAGE_E_LOCKED = 100/SR_STORAGE_E_LOCKED = 101/'
caught 'an enum value gone' '/^    SR_STORAGE_SUM_SHA1 = 4,/d'
caught 'a flag moved' 's/(SR_CAP_COPY) \(UINT64_C\(1\) << 5/\1 (UINT64_C(1) << 6/'
caught 'another API version' 's/(SR_STORAGE_API_VERSION) 1/\1 2/'
# Against a release whose struct ended in padding, which today's fills.
sed -E 's/may_read, may_delete;/may_read;/' "$abi/1.0/strongroom/storage.h" >"$dir/bad/strongroom/storage.h"
layout "$dir/bad" "$dir/old" $cc -std=c11 && layout "$abi/1.0" "$dir/new" $cc -std=c11
breaks "$dir/old" "$dir/new" | grep -q '^inserted: at__sr_storage_rights__may_delete at 20, before the old end 24' &&
    echo 'caught: a field in what was padding' || say 'not caught: a field in what was padding'
caught 'a field added at the end' 's/^    int64_t retain_until;$/&\n    uint64_t added;/' good
caught 'a constant added' 's/^#define SR_STORAGE_API_VERSION 1/&\n#define SR_STORAGE_ADDED 7/' good
exit $failed
