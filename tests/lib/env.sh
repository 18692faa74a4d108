# A clean environment and a private folder; sourced, never run.
#
#   . tests/lib/env.sh     sets SR_SRCDIR, SR_BUILDDIR (given or found), T (private folder, mode 0711,
#                          removed at the end) and HOME inside it; unsets all else of the environment
#   at_exit COMMAND        one string, run at the end, last registered first; also on INT and TERM
#   poll SECONDS COMMAND.. until COMMAND succeeds, asked ten times a second; fails when time is up
#   sr ARGUMENT...         the program of the build tree with the build tree's plugins
#
# What a test starts is started through the functions here, so that nothing outlives the script.

SR_SRCDIR=${SR_SRCDIR:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
SR_BUILDDIR=${SR_BUILDDIR:-$SR_SRCDIR/build}

_sr_keep='PATH|TERM|CI|SR_[A-Z_]*|ASAN_OPTIONS|UBSAN_OPTIONS|LSAN_OPTIONS|LLVM_PROFILE_FILE|GCOV_[A-Z_]*'
while read -r _sr_name; do
    [[ $_sr_name =~ ^($_sr_keep)$ ]] || unset "$_sr_name" 2>/dev/null
done < <(compgen -e)
unset _sr_name
export LC_ALL=C.UTF-8 TZ=UTC SR_SRCDIR SR_BUILDDIR
umask 022

# Short, because a Unix socket's path may not be longer than 107 bytes.
T=$(mktemp -d /tmp/sr.XXXXXX) || exit 1
chmod 711 "$T"
mkdir -m 700 "$T/home"
export HOME=$T/home

_sr_exit_commands=()
at_exit() {
    _sr_exit_commands=("$1" "${_sr_exit_commands[@]}")
}

_sr_on_exit() {
    local rc=$? c
    trap '' INT TERM HUP
    for c in "${_sr_exit_commands[@]}"; do
        eval "$c"
    done
    [ -n "${SR_KEEP:-}" ] && echo "# kept $T" >&2 || rm -rf "$T"
    exit "${_sr_exit_code:-$rc}"
}
trap _sr_on_exit EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

poll() {
    local tenths=$(($1 * 10))
    shift
    until "$@"; do
        [ $((tenths -= 1)) -gt 0 ] || return 1
        sleep 0.1
    done
}

# The start time of a process, so that a recycled number is never mistaken for it; nothing when gone.
start_time() {
    local stat
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    # shellcheck disable=SC2086  # fields after the last parenthesis; the name before it may hold blanks
    set -- ${stat##*) }
    [ "$1" != Z ] && echo "${20}"
}

is_gone() { # is_gone PID START
    [ "$(start_time "$1")" != "$2" ]
}

sr_plugin_path() {
    local d
    for d in "$SR_BUILDDIR/plugins/.libs" "$SR_BUILDDIR"/plugins/*/.libs; do
        compgen -G "$d/*.so" >/dev/null && echo "$d" && return
    done
    echo "$SR_BUILDDIR/plugins"
}

sr() {
    BACKUP_PLUGIN_PATH=${BACKUP_PLUGIN_PATH-$(sr_plugin_path)} "$SR_BUILDDIR/strongroom" "$@"
}
