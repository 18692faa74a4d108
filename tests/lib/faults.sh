# Every fault at every position of an upload, against a server that does as it is told; sourced after server.sh and
# the store's own library, which give `call`. The script that sources it has
#
#   positions      prints its table: NAME, METHOD and what the target has behind the key ($: nothing)
#   stored         prints, of all that the server holds: KEY and digest of each object
#   left_over      prints the keys under which it holds something unfinished that ought not to be there
#   place          the word for where objects lie, in messages of listings: bucket, container
#
# and then, for each row of its own tables,
#
#   fault_add NAME POSITION CODE TIMES RULE    a save under the key NAME.POSITION.TIMES must end with that code; RULE is
#                                              the rest of a rule of scripted.py, that strikes so often ('': always)
#   fault_rule RULE                            a rule as it stands
#   fault_case KEY CODE                        a save under that key, or with list-NAME a listing, must end so
#   faults_run SERVER FILE                     hands the rules to the server, makes all calls, several at once, and
#                                              checks of each its code, what is there then, and what is left
#
# Code 0: the object is there whole. Else: it is not there, nothing is left, and the message names it.

fault_rules=() fault_cases=()

fault_rule() {
    fault_rules+=("$1")
}

fault_case() {
    fault_cases+=("$1 $2")
}

fault_add() {
    local name=$1.$2.$4 method pattern
    read -r _ method pattern < <(positions | grep "^$2 ")
    case $pattern in '$') pattern="/$name\$" ;; *) pattern="/$name[?].*${pattern/\[?\]/}" ;; esac
    fault_rule "{\"match\": \"$method $pattern\", ${4:+\"times\": $4,} $5}"
    fault_case "$name" "$3"
}

_fault_one() {
    local name=${1% *}
    case $name in
    list-*) call list "$name" ;;
    *) call save "$name" "$2" ;;
    esac >"$T/$name.out" 2>"$T/$name.err"
    echo $? >"$T/$name.rc"
}

faults_run() {
    local server=$1 file=$2 sum case name code said want
    sum=$(sha256sum <"$file" | cut -d' ' -f1)
    ok 'the rules are taken' server_rules "$server" "${fault_rules[@]}"
    # Those that wait long, at the end of the tables, come first; each has a key of its own.
    export -f _fault_one call
    export T
    # shellcheck disable=SC2016
    printf '%s\n' "${fault_cases[@]}" | tac | xargs -d '\n' -P "${SR_AT_ONCE:-6}" -I{} bash -c '_fault_one "$1" "$2"' - {} "$file"
    stored >"$T/objects"
    left_over >"$T/left"
    for case in "${fault_cases[@]}"; do
        read -r name code <<<"$case"
        said=$(tail -n 1 "$T/$name.err")
        is "$name: what comes of it" "$(cat "$T/$name.rc")" "$code" || echo "#   $said"
        [ "$code" = 0 ] && want=$sum || want=
        is "$name: the object" "$(awk -v k="$name" '$1 == k {print $2}' "$T/objects")" "$want"
        is "$name: nothing is left" "$(grep -cFx "$name" "$T/left")" 0
        [ "$code" = 0 ] || is "$name: nothing is told to be there" "$(cat "$T/$name.out")" ''
        [ "$code" = 0 ] || contains "$name: the message names the object, or where it lies" "$said" "$([[ $name = list-* ]] && place || echo "$name")"
    done
}
