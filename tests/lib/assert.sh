# Assertions that print TAP lines; sourced after env.sh.
#
#   run COMMAND...              sets RC, OUT (standard output) and ERR (standard error); also in $T/out, $T/err
#   exit_is CODE NAME COMMAND.. runs it so and asserts the exit status
#   ok NAME COMMAND...          COMMAND succeeds          no NAME COMMAND...   COMMAND fails
#   is NAME GOT WANTED          equal strings             isnt NAME GOT OTHER
#   contains NAME TEXT PART     lacks NAME TEXT PART      matches NAME TEXT EXTENDED-REGEX
#   finish                      must be the last command of a script
#
# A failed assertion does not stop the script; the script exits 1 when one failed, when there was none,
# or when it ended before `finish`.

_tap_count=0 _tap_failed=0 _tap_finished=
_sr_exit_code=1

_tap() { # _tap STATUS NAME [DETAIL]
    _tap_count=$((_tap_count + 1))
    if [ "$1" = 0 ]; then
        echo "ok $_tap_count - $2"
        return 0
    fi
    _tap_failed=$((_tap_failed + 1))
    echo "not ok $_tap_count - $2"
    [ -z "${3:-}" ] || printf '%s\n' "$3" | head -c 4000 | sed 's/^/#   /'
    return 1
}

run() {
    "$@" >"$T/out" 2>"$T/err" </dev/null
    RC=$?
    # A NUL cannot be kept in a variable; tests that look for one read the file.
    OUT=$(tr -d '\0' <"$T/out") ERR=$(tr -d '\0' <"$T/err")
    return "$RC"
}

_tap_said() {
    printf 'exit %s\nstdout: %s\nstderr: %s' "$RC" "$OUT" "$ERR"
}

exit_is() {
    local want=$1 name=$2
    shift 2
    run "$@"
    [ "$RC" = "$want" ]
    _tap $? "$name" "wanted exit $want; $(_tap_said)"
}

ok() {
    local name=$1
    shift
    run "$@"
    _tap "$RC" "$name" "$* : $(_tap_said)"
}

no() {
    local name=$1
    shift
    run "$@"
    [ "$RC" != 0 ]
    _tap $? "$name" "$* : $(_tap_said)"
}

is() {
    [ "$2" = "$3" ]
    _tap $? "$1" "got    $2"$'\n'"wanted $3"
}

isnt() {
    [ "$2" != "$3" ]
    _tap $? "$1" "got $2"
}

contains() {
    [[ $2 == *"$3"* ]]
    _tap $? "$1" "no \"$3\" in: $2"
}

lacks() {
    [[ $2 != *"$3"* ]]
    _tap $? "$1" "\"$3\" is in: $2"
}

matches() {
    [[ $2 =~ $3 ]]
    _tap $? "$1" "no /$3/ in: $2"
}

finish() {
    _tap_finished=yes
    echo "1..$_tap_count"
    exit
}

_tap_end() {
    _sr_exit_code=1
    if [ -z "$_tap_finished" ]; then
        echo "Bail out! ended before its last line"
    elif [ "$_tap_count" = 0 ]; then
        echo "Bail out! no assertion ran"
    elif [ "$_tap_failed" = 0 ]; then
        _sr_exit_code=0
    fi
    echo "# $((_tap_count - _tap_failed)) passed, $_tap_failed failed"
}
at_exit _tap_end

# json FILTER: reads the last command's standard output with jq.
json() {
    jq -r "$1" <"$T/out" 2>&1
}
