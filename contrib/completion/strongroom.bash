# bash completion for strongroom(1). Verbs and options are asked of the program itself, so that what is
# offered is what the installed version accepts.
_strongroom() {
    local program=${COMP_WORDS[0]} cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    local table verbs verb= word argument
    COMPREPLY=()
    table=$("$program" help --dump-options 2>/dev/null) || return 0
    verbs=$(printf '%s\n' "$table" | cut -f1 | grep -v '^\*$' | sort -u)
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        [ "$word" = -- ] && return 0
        if [ -z "$verb" ] && printf '%s\n' "$verbs" | grep -qxF -e "$word"; then
            verb=$word
        fi
    done
    argument=$(printf '%s\n' "$table" | awk -F'\t' -v v="$verb" -v o="$prev" '($1 == v || $1 == "*") && $2 == o {print $3; exit}')
    if [ -z "$argument" ] && [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(printf '%s\n' "$table" | awk -F'\t' -v v="$verb" '$1 == v || $1 == "*" {print $2}')" -- "$cur")
        return 0
    fi
    if [ -z "$argument" ]; then
        if [ -z "$verb" ]; then
            mapfile -t COMPREPLY < <(compgen -W "$verbs" -- "$cur")
            return 0
        fi
        argument=$(printf '%s\n' "$table" | awk -F'\t' -v v="$verb" '$1 == v && $2 == "" {print $3; exit}')
    fi
    case $argument in
    FORMAT) mapfile -t COMPREPLY < <(compgen -W 'plain custom plain,custom' -- "$cur") ;;
    DIR) mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
    VERB) mapfile -t COMPREPLY < <(compgen -W "$verbs" -- "$cur") ;;
    *FILE*) mapfile -t COMPREPLY < <(compgen -W latest -- "$cur"; compgen -f -- "$cur") ;;
    *BACKUP*) mapfile -t COMPREPLY < <(compgen -W latest -- "$cur") ;;
    esac
}
complete -o filenames -F _strongroom strongroom
