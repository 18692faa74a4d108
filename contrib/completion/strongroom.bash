# bash completion for strongroom(1). Verbs and options, stores, plugins, settings and their values are
# asked of the program itself, so that what is offered is what the installed version and the plugins
# that are really there accept. Candidates are never expanded by the shell.

# Adds to COMPREPLY each first field of standard input that begins with $1; $2 is cut off its front.
_strongroom_offer() {
    local word rest
    while IFS=$'\t' read -r word rest; do
        [[ $word == "$1"* ]] && COMPREPLY+=("${word#"$2"}")
    done
    [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
}

# Puts together what bash takes apart at "=": sets words, and cur, the one under the cursor.
_strongroom_words() {
    local i join=
    words=()
    for ((i = 0; i <= COMP_CWORD; i++)); do
        if [[ -n $join || (${COMP_WORDS[i]} == = && $i -gt 1) ]]; then
            words[${#words[@]} - 1]+=${COMP_WORDS[i]}
            join=
            [[ ${COMP_WORDS[i]} == = ]] && join=1
        else
            words+=("${COMP_WORDS[i]}")
        fi
    done
    cur=${words[${#words[@]} - 1]}
}

_strongroom() {
    local program=${COMP_WORDS[0]} words cur table verbs verb= argument= prev i files=() typed=
    COMPREPLY=()
    _strongroom_words
    prev=${words[${#words[@]} - 2]}
    table=$("$program" help --dump-options 2>/dev/null </dev/null) || return 0
    verbs=$(cut -f1 <<<"$table" | grep -vxF '*' | sort -u)
    for ((i = 1; i < ${#words[@]} - 1; i++)); do
        case ${words[i]} in
        --) return 0 ;;
        --config | --env-file) files+=("${words[i]}" "${words[i + 1]}") ;;
        --config=* | --env-file=*) files+=("${words[i]}") ;;
        esac
        [[ -z $verb ]] && grep -qxF -e "${words[i]}" <<<"$verbs" && verb=${words[i]}
    done
    if [[ $cur == --*=* ]]; then
        prev=${cur%%=*} cur=${cur#*=}
    fi
    argument=$(awk -F'\t' -v v="$verb" -v o="$prev" '($1 == v || $1 == "*") && $2 == o {print $3; exit}' <<<"$table")
    if [[ -z $argument && $cur == -* ]]; then
        _strongroom_offer "$cur" < <(awk -F'\t' -v v="$verb" '($1 == v || $1 == "*") && $2 != "" {print $2}' <<<"$table")
        return 0
    fi
    if [[ -z $argument && -z $verb ]]; then
        _strongroom_offer "$cur" <<<"$verbs"
        return 0
    fi
    [[ -n $argument ]] || argument=$(awk -F'\t' -v v="$verb" '$1 == v && $2 == "" {print $3; exit}' <<<"$table")
    asked() {
        "$program" config --complete "$@" "${files[@]}" 2>/dev/null </dev/null
    }
    case $argument in
    FORMAT) _strongroom_offer "$cur" < <(printf '%s\n' plain custom plain,custom) ;;
    STORE) _strongroom_offer "$cur" < <(asked store) ;;
    STORE,...)
        [[ $cur == *,* ]] && typed=${cur%,*},
        _strongroom_offer "$cur" < <(asked store | sed "s|^|$typed|")
        ;;
    PLUGIN) _strongroom_offer "$cur" < <(asked plugin) ;;
    SETTING) _strongroom_offer "$cur" < <(asked setting) ;;
    NAME=VALUE)
        # Bash replaces what is behind the "=" alone.
        [[ $cur == *=* ]] && typed=${cur%%=*}=
        _strongroom_offer "$cur" "$typed" < <(asked assignment -- "$cur")
        [[ -n $typed && ${#COMPREPLY[@]} == 0 ]] && mapfile -t COMPREPLY < <(compgen -f -- "${cur#*=}")
        ;;
    DIR) mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
    VERB) _strongroom_offer "$cur" <<<"$verbs" ;;
    *FILE*)
        _strongroom_offer "$cur" <<<latest
        mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$cur")
        ;;
    *BACKUP*) _strongroom_offer "$cur" <<<latest ;;
    esac
    return 0
}
complete -o filenames -F _strongroom strongroom

# strongroom-plugin-check PLUGIN [KEY=VALUE ...]
_strongroom_plugin_check() {
    local program=${COMP_WORDS[0]%-plugin-check} words cur plugin= i typed=
    COMPREPLY=()
    _strongroom_words
    for ((i = 1; i < ${#words[@]} - 1; i++)); do
        case ${words[i]} in
        --large | --keys) ((i++)) ;;
        -*) ;;
        *) [[ -n $plugin ]] || plugin=${words[i]} ;;
        esac
    done
    if [[ $cur == -* ]]; then
        _strongroom_offer "$cur" < <(printf '%s\n' --large --keys --help)
    elif [[ -z $plugin ]]; then
        _strongroom_offer "$cur" < <("$program" config --complete plugin 2>/dev/null </dev/null)
        mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$cur")
    else
        [[ $cur == *=* ]] && typed=${cur%%=*}=
        _strongroom_offer "$cur" "$typed" < <("$program" config --complete key -- "$plugin" "$cur" 2>/dev/null </dev/null)
        [[ -n $typed && ${#COMPREPLY[@]} == 0 ]] && mapfile -t COMPREPLY < <(compgen -f -- "${cur#*=}")
    fi
    return 0
}
complete -o filenames -F _strongroom_plugin_check strongroom-plugin-check
