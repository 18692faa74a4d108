# The man page, help, completions and documents tell what the program accepts, no more and no less.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
sr_env
man=$SR_SRCDIR/docs/strongroom.1
ok 'the man page can be made anew' with BACKUP_PLUGIN_PATH="$(sr_plugin_path)" "$SR_SRCDIR/scripts/update-man.sh" "$SR_BUILDDIR/strongroom" -
is 'and is the one that is there (else: run scripts/update-man.sh)' "$(diff "$T/out" "$man")" ''
ok 'that of the contract suite can be made anew' "$SR_SRCDIR/scripts/update-man.sh" "$SR_BUILDDIR/strongroom" - plugin-check
is 'and is the one that is there (else: run scripts/update-man.sh)' "$(diff "$T/out" "$SR_SRCDIR/docs/strongroom-plugin-check.1")" ''
exit_is 0 'it is well formed' man --warnings -l -Tutf8 "$SR_SRCDIR/docs/strongroom-plugin-check.1"
is 'without a warning' "$ERR" ''
ok 'the options are told' sr help --dump-options
cp "$T/out" "$T/table"
ok 'the table is no stub' test "$(wc -l <"$T/table")" -gt 40
# In the man page's text: "\-" is a dash.
sed 's/\\-/-/g; s/\\fB//g; s/\\fI//g; s/\\fR//g; s/\\&//g' "$man" >"$T/man"
section() { # section VERB: the verb's part of the man page
    awk -v v=".SS $1" '$0 == v || index($0, v " ") == 1 {on = 1; next} /^\.S[SH]/ {on = 0} on' "$T/man"
}
missing=''
tr '\t' '\037' <"$T/table" >"$T/fields" # a tab would swallow empty fields
while IFS=$'\037' read -r verb option argument; do
    if [ "$verb" = '*' ]; then where=$(awk '/^\.SH "?COMMON OPTIONS/ {on = 1; next} /^\.SH/ {on = 0} on' "$T/man"); else where=$(section "$verb"); fi
    [ -n "$where" ] || missing+="section of $verb; "
    [ -z "$option" ] || grep -qE -- "(^|[ ,])$option( |,|\$)" <<<"$where" || missing+="$verb $option; "
    [ -z "$option$argument" ] || [ -z "$option" ] || grep -qF -- "$option${argument:+ $argument}" <<<"$where" || missing+="$verb $option $argument; "
done <"$T/fields"
is 'the man page has every verb and option' "$missing" ''
for verb in $(cut -f1 "$T/table" | grep -v '\*' | sort -u); do
    exit_is 0 "help $verb" sr help "$verb"
    told=''
    while IFS=$'\037' read -r _ option _; do
        [[ -z $option || $OUT == *"$option"* ]] || told+="$option "
    done < <(grep "^$verb"$'\037' "$T/fields")
    is "help $verb tells its options" "$told" ''
done

exit_is 0 'the settings are told' with BACKUP_PLUGIN_PATH= sr config --json
missing=''
for name in $(json '.settings[].name'); do
    grep -q "^\.BR $name \"  (" "$T/man" || missing+="$name "
done
is 'the man page has every setting' "$missing" ''
missing=''
for name in $(json '.settings[].name'); do
    grep -qw -- "$name" "$SR_SRCDIR/docs/settings.md" || missing+="$name "
done
is 'docs/settings.md has every setting' "$missing" ''
missing=''
for code in 0 1 2 3 4 10 11 12 13 14 15 130 143; do
    { grep -qx "\.B $code" "$T/man" && grep -q "^| $code |" "$SR_SRCDIR/docs/exit-codes.md"; } || missing+="$code "
done
is 'every exit code is in the man page and in docs/exit-codes.md' "$missing" ''
exit_is 0 'the man page is well formed' man --warnings -l -Tutf8 "$man"
is 'without a warning' "$ERR" ''

PATH=$SR_BUILDDIR:$PATH
. "$SR_SRCDIR/contrib/completion/strongroom.bash"
wrong='' fish_wrong='' zsh_wrong=''
zsh_offers() { # zsh_offers WORD...: what the function hands to zsh, by stand-ins for zsh's own parts
    zsh -f -c '
        _call_program() { shift; eval "$@" }
        compadd() { shift; print -l -- "$@" }
        _files() { : }
        body=$1; shift
        words=("$@") CURRENT=$#words PREFIX=${words[-1]}
        eval "$(grep -v "^_strongroom \"\$@\"" $body)"; _strongroom' zsh "$SR_SRCDIR/contrib/completion/_strongroom" "$@"
}
for verb in $(cut -f1 "$T/table" | grep -v '\*' | sort -u); do
    want=$(awk -F'\t' -v v="$verb" '($1 == v || $1 == "*") && $2 != "" {print $2}' "$T/table" | sort -u)
    COMP_WORDS=(strongroom "$verb" --) COMP_CWORD=2
    _strongroom
    [ "$(printf '%s\n' "${COMPREPLY[@]}" | sort -u)" = "$want" ] || wrong+="$verb "
    [ "$(fish -N -c "source $SR_SRCDIR/contrib/completion/strongroom.fish; complete -C 'strongroom $verb --'" | cut -f1 | sort -u)" = "$want" ] || fish_wrong+="$verb "
    [ "$(zsh_offers strongroom "$verb" -- | sort -u)" = "$want" ] || zsh_wrong+="$verb "
done
is 'bash offers every option' "$wrong" ''
is 'fish offers every option' "$fish_wrong" ''
is 'zsh offers every option' "$zsh_wrong" ''
COMP_WORDS=(strongroom re) COMP_CWORD=1
_strongroom
is 'bash offers verbs' "${COMPREPLY[*]}" 'release restore restore-test'

# What is linked from a document exists.
broken=''
for doc in "$SR_SRCDIR"/README.md "$SR_SRCDIR"/docs/*.md; do
    for link in $(grep -oE '\]\([^)#]+' "$doc" | cut -c3- | grep -v '^https\?:'); do
        [ -e "$(dirname "$doc")/$link" ] || broken+="${doc##*/}: $link; "
    done
done
is 'links between documents lead somewhere' "$broken" ''
finish
