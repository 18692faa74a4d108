# fish completion for strongroom(1). Verbs and options, stores, plugins, settings and their values are
# asked of the program itself, so that what is offered is what the installed version and the plugins
# that are really there accept.
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

# What `config --complete` says, with the files of settings that the command line names.
function __strongroom_asked
    set -l words (commandline -opc)
    set -l files
    for i in (seq 2 (count $words))
        if contains -- $words[$i] --config --env-file; and set -q words[(math $i + 1)]
            set -a files $words[$i] $words[(math $i + 1)]
        else if string match -qr -- '^--(config|env-file)=' $words[$i]
            set -a files $words[$i]
        end
    end
    command $words[1] config $files --complete $argv 2>/dev/null </dev/null
end

# What the argument under the cursor is called: of the option before it, else the verb's operand.
function __strongroom_argument
    set -l words (commandline -opc)
    set -l verb (__strongroom_verb)
    set -l operand
    for line in (__strongroom_table)
        set -l field (string split \t -- $line)
        test "$field[1]" = '*' -o "$field[1]" = "$verb"; or continue
        if test -n "$field[2]" -a "$field[2]" = "$words[-1]" -a -n "$field[3]"
            echo $field[3]
            return
        end
        test -z "$field[2]" -a -n "$verb"; and set operand $field[3]
    end
    test -n "$operand"; and echo $operand
end

function __strongroom_values
    set -l typed (commandline -ct)
    switch (__strongroom_argument)
        case FORMAT
            printf '%s\n' plain custom plain,custom
        case STORE
            __strongroom_asked store
        case 'STORE,...'
            set -l before (string match -r -- '^.*,' $typed)
            for line in (__strongroom_asked store)
                echo $before$line
            end
        case PLUGIN
            __strongroom_asked plugin
        case SETTING
            __strongroom_asked setting
        case 'NAME=VALUE'
            __strongroom_asked assignment -- $typed
        case VERB
            __strongroom_verbs
        case '*BACKUP*'
            echo latest
            __fish_complete_path $typed
        case '*'
            __fish_complete_path $typed
    end
end

function __strongroom_has_place
    not string match -q -- '-*' (commandline -ct); and begin
        __strongroom_verb >/dev/null; or test -n "$(__strongroom_argument)"
    end
end

complete -c strongroom -f
complete -c strongroom -n 'not __strongroom_has_place; and not string match -q -- "-*" (commandline -ct)' -a '(__strongroom_verbs)'
complete -c strongroom -n 'string match -q -- "-*" (commandline -ct)' -a '(__strongroom_options)'
complete -c strongroom -n __strongroom_has_place -a '(__strongroom_values)'
