# docs/security.md: each threat names what meets it and a test, and that test exists, by the name that is told, and is
# one that runs.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
doc=$SR_SRCDIR/docs/security.md
rows=0 told=0 wrong=''
while IFS= read -r line; do
    [[ $line == '| '* && $line != '| threat |'* ]] || continue
    rows=$((rows + 1))
    cell=${line% |}
    cell=${cell##* | }
    threat=${line:2:40}
    file='' any=''
    # `tests/unit/x.c` "name", "other name", `tests/e2e/y.sh`
    while [[ $cell =~ ^[,\ ]*(\`([^\`]+)\`|\"([^\"]+)\")(.*)$ ]]; do
        path=${BASH_REMATCH[2]} name=${BASH_REMATCH[3]} cell=${BASH_REMATCH[4]} any=yes told=$((told + 1))
        if [ -n "$path" ]; then
            file=$SR_SRCDIR/$path
            [[ $path == tests/* && -f $file ]] || { wrong+="$threat: no $path; " && continue; }
            base=$(basename "${path%.*}")
            grep -qF -- "$base" "$SR_SRCDIR/$(dirname "$path")/Makefile.inc" || wrong+="$path is run by nobody; "
        else
            [ -f "$file" ] && grep -qF -- "{\"$name\"," "$file" || wrong+="$threat: no \"$name\" in ${file##*/}; "
        fi
    done
    [[ -n $any && -z $cell ]] || wrong+="$threat: no test is told (left: $cell); "
done <"$doc"
is 'each threat has a test that exists and runs' "$wrong" ''
ok 'the tables were read' test "$rows" -gt 25 -a "$told" -gt 35
ok 'what nothing meets is said' test "$(grep -c '^Not met: ' "$doc")" -ge 3
finish
