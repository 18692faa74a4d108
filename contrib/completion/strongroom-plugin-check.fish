# fish completion for strongroom-plugin-check(1): plugins, and what the one that was named can be told.
function __strongroom_check_plugin
    set -l skip
    for word in (commandline -opc)[2..]
        if test -n "$skip"
            set skip
        else if contains -- $word --large --keys
            set skip 1
        else if not string match -q -- '-*' $word
            echo $word
            return
        end
    end
    return 1
end

function __strongroom_check_asked
    set -l words (commandline -opc)
    set -l program (string replace -r -- '-plugin-check$' '' $words[1])
    command $program config --complete $argv 2>/dev/null </dev/null
end

complete -c strongroom-plugin-check -f
complete -c strongroom-plugin-check -l large -x -d 'size of the object of unknown length'
complete -c strongroom-plugin-check -l keys -x -d 'keys of the long listing'
complete -c strongroom-plugin-check -l help -d 'tell about the program'
complete -c strongroom-plugin-check -n 'not __strongroom_check_plugin >/dev/null' -a '(__strongroom_check_asked plugin; __fish_complete_path (commandline -ct))'
complete -c strongroom-plugin-check -n '__strongroom_check_plugin >/dev/null' -a '(__strongroom_check_asked key -- (__strongroom_check_plugin) (commandline -ct))'
