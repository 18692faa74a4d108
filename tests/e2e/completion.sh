# Completion in real shells: bash and zsh at a terminal of their own, fish by its own `complete -C`. What is
# offered comes from the plugins that are there: tests/abi/memory.c brings a choice, a switch and a secret.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
sr_env
mkdir "$T/plugins" "$T/bin"
cp "$(sr_plugin_path)/local.so" "$SR_BUILDDIR/tests/abi/.libs/memory.so" "$T/plugins/" && chmod go-w "$T/plugins"/*
ln -s "$SR_BUILDDIR/strongroom" "$SR_BUILDDIR/strongroom-plugin-check" "$T/bin/"
export BACKUP_PLUGIN_PATH=$T/plugins BACKUP_STORAGE_ADAPTER=local,dr=memory PATH=$T/bin:$PATH TERM=dumb
there=$SR_SRCDIR/contrib/completion

# typed SHELL LINE: LINE and a tab (twice) typed at an interactive SHELL; everything that the terminal shows.
cat >"$T/typed.zsh" <<'ZSH'
zmodload zsh/zpty zsh/zselect
case $1 in
bash) command='bash --norc --noprofile -i' ;;
zsh) command='zsh -f -i' ;;
esac
zpty t $command
expect() { # everything up to what matches the pattern
    local got= part
    local -i end=$(( SECONDS + 30 ))
    while [[ $got != ${~1} ]] && (( SECONDS < end )); do
        zpty -t t || break
        if zpty -r -t t part; then got+=$part; else zselect -t 2; fi
    done
    print -r -- $got
}
if [[ $1 == bash ]]; then
    zpty -w t "PS1='@@> '; bind 'set show-all-if-ambiguous on'; bind 'set page-completions off'; bind 'set completion-query-items 0'; bind 'set enable-bracketed-paste off'; bind 'set bell-style none'"
    zpty -w t "source ${(q)2}/strongroom.bash; bind -x '\"\C-g\": echo \"<\$READLINE_LINE>\"'"
else
    zpty -w t "PS1='@@> '; unsetopt zle_bracketed_paste beep prompt_cr; LISTMAX=0; fpath=(${(q)2} \$fpath); autoload -U compinit; compinit -u -D"
fi
zpty -w t "stty cols 400; cd ${(q)4}; print -r REA''DY 2>/dev/null || echo REA''DY"
# Not before the line editor is there: the terminal itself would take the keys.
expect '*READY*@@> *' >/dev/null
zpty -n -w t "$3"$'\t\t'
[[ $1 == bash ]] && zpty -n -w t $'\a'
zpty -n -w t $'\025'
zpty -w t "echo DO''NE"
expect '*DONE*'
zpty -d t
ZSH
mkdir "$T/empty" && : >"$T/empty/some.file"
typed() {
    case $1 in
    fish) (cd "$T/empty" && fish -N -c "source $there/strongroom.fish; source $there/strongroom-plugin-check.fish; complete -C '$2'") 2>&1 ;;
    *) zsh -f "$T/typed.zsh" "$1" "$there" "$2" "$T/empty" 2>&1 | sed 's/\x1b\[[0-9;?]*[a-zA-Z]//g' | tr -d '\r\a' ;;
    esac
}

offers() { # offers LINE WANTED... [-- UNWANTED...]: in each shell
    local line=$1 shell out word wrong
    shift
    for shell in bash zsh fish; do
        out=$(typed "$shell" "$line")
        wrong='' no=''
        for word in "$@"; do
            [ "$word" = -- ] && no=yes && continue
            if grep -qF -- "$word" <<<"$out"; then [ -z "$no" ] || wrong+="offered: $word; "; else [ -n "$no" ] || wrong+="missing: $word; "; fi
        done
        is "$shell: '$line'" "$wrong${wrong:+ in: $out}" ''
    done
}

offers 'strongroom rel' release
offers 'strongroom list --st' --store
offers 'strongroom list --store ' local dr
offers 'strongroom list --store l' local
offers 'strongroom backup --to local,d' local,dr
offers 'strongroom sync ' local dr
offers 'strongroom sync local d' dr
offers 'strongroom plugins ' local memory
offers 'strongroom config BACKUP_DR_' BACKUP_DR_HOW BACKUP_DR_TOKEN BACKUP_DR_PREFIX -- BACKUP_LOCAL_DIR
offers 'strongroom config BACKUP_LOCAL_D' BACKUP_LOCAL_DIR
# Secrets are not to be written on a command line; the values of choices and switches are offered.
offers 'strongroom list --set BACKUP_DR_' BACKUP_DR_HOW= -- BACKUP_DR_TOKEN
offers 'strongroom list --set BACKUP_DR_STYLE=' auto path virtual
offers 'strongroom list --set BACKUP_DR_STYLE=vir' virtual
offers 'strongroom list --set BACKUP_DR_LOUD=' on off
offers 'strongroom list --set BACKUP_STORAGE_ADAPTER=' local memory
offers 'strongroom list --set BACKUP_COMPRESSION=' gzip zstd none
offers 'strongroom-plugin-check mem' memory
offers 'strongroom-plugin-check memory ' how= style= -- token=
offers 'strongroom-plugin-check memory style=' auto path virtual
# Stores that a file names which the command line names.
printf 'BACKUP_STORAGE_ADAPTER=fromfile=local\n' >"$T/other.env"
unset BACKUP_STORAGE_ADAPTER
offers "strongroom list --env-file $T/other.env --store " fromfile

# A hostile table: what a shell could take apart or run is left out, and nothing is run.
export BACKUP_STORAGE_ADAPTER=dr=memory
exit_is 0 'the values of an odd choice' sr config --complete assignment -- BACKUP_DR_ODD=
is 'only the plain one is told' "$OUT" "BACKUP_DR_ODD=plain"$'\t'
offers 'strongroom list --set BACKUP_DR_ODD=' plain -- touch
no 'nothing was run' test -e "$T/empty/ran"
# Bounded and silent: nothing to say about what does not exist, what is broken or what hangs.
exit_is 2 'no such kind' sr config --complete nosuch
for shell in bash zsh fish; do
    out=$(with BACKUP_STORAGE_ADAPTER=nosuch BACKUP_RETENTION_DAYS=many typed "$shell" 'strongroom list --store ')
    lacks "$shell: an error in the settings is not told at the prompt" "$out" many
done
cat >"$T/hangs.c" <<'C'
#include <unistd.h>
__attribute__((constructor)) static void hang(void)
{
    for (;;)
        (void)pause();
}
C
${SR_CC:-cc} -shared -fPIC -o "$T/plugins/hangs.so" "$T/hangs.c"
start=$SECONDS
exit_is 0 'a plugin that hangs' with BACKUP_STORAGE_ADAPTER=hangs sr config --complete setting
ok 'does not hold up the prompt' test $((SECONDS - start)) -lt 8
is 'and nothing is said' "$OUT$ERR" ''
finish
