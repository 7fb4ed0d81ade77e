# Completion for fish: the program itself knows what can follow.
function __sfmtls_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l typed $words[-1]
    for line in (command $words[1] complete -- $words[2..-1] 2>/dev/null)
        switch $line
            case :files :folders
                set -l kept (string match -r '^.*=' -- $typed)
                for path in (__fish_complete_path (string replace -r '^.*=' '' -- $typed))
                    printf '%s%s\n' "$kept" $path
                end
            case '*'
                printf '%s\n' $line
        end
    end
end
complete -c sfmtls -f -a '(__sfmtls_complete)'
