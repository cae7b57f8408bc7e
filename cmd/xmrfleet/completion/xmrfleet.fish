# Completion of xmrfleet for fish:
#   xmrfleet completion fish >~/.config/fish/completions/xmrfleet.fish

function __xmrfleet_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in ($words[1] complete -- $words[2..-1] "$current" 2>/dev/null)
        if test "$line" != :files
            printf '%s\n' $line
            continue
        end
        set -l option (string match -r -- '^-[^=]*=' $current)
        for file in (__fish_complete_path (string replace -r -- '^-[^=]*=' '' $current))
            printf '%s%s\n' "$option" $file
        end
    end
end
complete -c xmrfleet -f -a '(__xmrfleet_complete)'
