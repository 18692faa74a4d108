# The scripted server of tests/server/scripted.py, for shell tests; sourced after tests/lib/env.sh.
#
#   server_certs                     makes $T/certs (see tests/server/certs.sh), once
#   server_start NAME [OPTION...]    starts one, sets NAME_PORT and NAME_URL; options of scripted.py, or
#                                    --with-tls: with $T/certs (then https://localhost:PORT)
#   server_rules NAME RULE...        replaces the rules, each one JSON object, and begins to count anew
#   server_tell NAME JSON            prints the answer to one line of its standard input
#   server_requests NAME [FILTER]    prints what it got, one JSON line each; FILTER: of jq, on each
#   nobody_listens                   binds a port, so that nobody else takes it, and does not listen: nobody_PORT
#   server_stop NAME                 ends it; at the end of the test all are ended, by their process number
#
#   server_start store --handler "$SR_SRCDIR/tests/server/some_store.py"
#   server_rules store '{"match": "PUT partNumber=3", "times": 1, "reply": {"status": 503}}'
#   ... "$store_URL" ...
#   is 'the part was sent again' "$(server_requests store 'select(.target | test("partNumber=3")).rule' | wc -l)" 2

server_certs() {
    [ -e "$T/certs/server.pem" ] || bash "$SR_SRCDIR/tests/server/certs.sh" "$T/certs"
}

server_start() {
    local name=$1 option scheme=http options=()
    shift
    for option in "$@"; do
        if [ "$option" = --with-tls ]; then
            server_certs || return 1
            scheme=https
            options+=(--tls "$T/certs/server.pem" "$T/certs/server.key")
        else
            options+=("$option")
        fi
    done
    rm -f "$T/$name.port"
    mkfifo "$T/$name.in" "$T/$name.out" || return 1
    # Its own death, or ours, ends it: then nothing holds its standard input open.
    /usr/bin/python3 -B "$SR_SRCDIR/tests/server/scripted.py" --stdin --port-file "$T/$name.port" \
        "${options[@]}" <"$T/$name.in" >"$T/$name.out" 2>"$T/$name.err" &
    printf -v "${name}_PID" %s $!
    exec {_server_fd}>"$T/$name.in" && printf -v "${name}_IN" %s "$_server_fd"
    exec {_server_fd}<"$T/$name.out" && printf -v "${name}_OUT" %s "$_server_fd"
    at_exit "server_stop $name"
    poll 20 test -e "$T/$name.port" || {
        cat "$T/$name.err" >&2
        return 1
    }
    printf -v "${name}_PORT" %s "$(cat "$T/$name.port")"
    local port=${name}_PORT
    printf -v "${name}_URL" %s "$scheme://localhost:${!port}"
}

server_tell() {
    local in=${1}_IN out=${1}_OUT answer
    printf '%s\n' "$2" >&"${!in}"
    read -r -t 20 answer <&"${!out}" || return 1
    printf '%s\n' "$answer"
    [[ $answer != '{"error"'* ]]
}

server_rules() {
    local name=$1 IFS=,
    shift
    server_tell "$name" "{\"rules\": [$*]}" >"$T/$name.said" || {
        cat "$T/$name.said" >&2
        return 1
    }
}

server_requests() {
    server_tell "$1" '{"requests": true}' | jq -c ".requests[] | ${2:-.}"
}

server_stop() {
    local pid=${1}_PID in=${1}_IN out=${1}_OUT
    [ -n "${!pid:-}" ] || return 0
    kill "${!pid}" 2>/dev/null
    wait "${!pid}" 2>/dev/null
    eval "exec ${!in}>&- ${!out}<&-"
    rm -f "$T/$1.in" "$T/$1.out"
    printf -v "${1}_PID" %s ''
}

nobody_listens() {
    setpriv --pdeathsig TERM /usr/bin/python3 -c 'import signal, socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
signal.pause()' >"$T/nobody" &
    nobody_PID=$!
    at_exit 'kill $nobody_PID'
    poll 20 test -s "$T/nobody" && nobody_PORT=$(cat "$T/nobody")
}
