# fish completion for strongroom(1). Verbs and options are asked of the program itself, so that what is
# offered is what the installed version accepts.
function __strongroom_table
    set -l words (commandline -opc)
    command $words[1] help --dump-options 2>/dev/null
end

function __strongroom_verb
    set -l verbs (__strongroom_table | string split -f1 \t)
    for word in (commandline -opc)[2..]
        if test "$word" != '*'; and contains -- $word $verbs
            echo $word
            return
        end
    end
    return 1
end

function __strongroom_verbs
    __strongroom_table | string split -f1 \t | string match -v '\*' | sort -u
end

function __strongroom_options
    set -l verb (__strongroom_verb)
    for line in (__strongroom_table)
        set -l field (string split \t -- $line)
        if test "$field[1]" = '*' -o "$field[1]" = "$verb"; and test -n "$field[2]"
            printf '%s\t%s\n' $field[2] $field[3]
        end
    end
end

complete -c strongroom -f
complete -c strongroom -n 'not __strongroom_verb >/dev/null' -a '(__strongroom_verbs)'
complete -c strongroom -n 'string match -q -- "-*" (commandline -ct)' -a '(__strongroom_options)'
complete -c strongroom -n '__strongroom_verb >/dev/null; and not string match -q -- "-*" (commandline -ct)' -F -a latest
