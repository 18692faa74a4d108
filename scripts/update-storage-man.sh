#!/bin/bash
# update-storage-man.sh: writes into docs/strongroom-storage.3 what include/strongroom/storage.h declares:
# each `.\" header: WHAT` is followed by a block that is made anew, up to `.\" end`. WHAT is `struct NAME`,
# `enum ENUMERATOR` or `define PREFIX`. To be run after a change of the header; tests/e2e/docs_storage.sh
# fails until it was. With `-` as argument the page goes to standard output.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
header=$top/include/strongroom/storage.h page=$top/docs/strongroom-storage.3
export LC_ALL=C.UTF-8

# The header without comments, empty lines, and backslashes that continue a line.
stripped() {
    awk '
        { text = text $0 "\n" }
        END {
            while ((from = index(text, "/*")) > 0) {
                rest = substr(text, from + 2)
                text = substr(text, 1, from - 1) substr(rest, index(rest, "*/") + 2)
            }
            gsub(/ *\\\n */, " ", text)
            printf "%s", text
        }' "$header" | sed -e 's/ *$//' -e '/^$/d' -e 's/  *\([^ ]\)/ \1/2g'
}

declaration() { # declaration KIND NAME
    stripped | awk -v kind="$1" -v name="$2" '
        kind == "define" { if ($1 == "#define" && index($2, name) == 1) print; next }
        /^(struct|enum)[^(]*\{$/ { on = 1; block = ""; want = kind == "struct" && $0 == "struct " name " {" }
        on { block = block $0 "\n"; if (kind == "enum" && $1 == name) want = 1 }
        on && /^};$/ { on = 0; if (want) printf "%s", block }'
}

roff() {
    sed -e 's/\\/\\e/g' -e 's/-/\\-/g' -e "s/^\([.']\)/\\\\\&\1/"
}

page() {
    local line kind name skip=
    while IFS= read -r line; do
        if [[ $line == '.\" header: '* ]]; then
            read -r _ _ kind name <<<"$line"
            printf '%s\n.PP\n.EX\n' "$line"
            declaration "$kind" "$name" | roff
            printf '.EE\n'
            skip=yes
        elif [ "$line" = '.\" end' ]; then
            skip=
        fi
        [ -n "$skip" ] || printf '%s\n' "$line"
    done <"$page"
}

if [ "${1:-}" = - ]; then
    page
elif [ "${1:-}" = --header ]; then
    stripped
else
    page >"$page.new"
    mv "$page.new" "$page"
fi
