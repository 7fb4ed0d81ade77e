# Completion for bash: the program itself knows what can follow.
_sfmtls() {
    local line=${COMP_LINE:0:COMP_POINT} cur candidate
    local -a words=()
    read -ra words <<<"$line"
    [[ $line == *[[:space:]] ]] && words+=('')
    cur=${words[-1]}
    # What bash takes for words of their own stays: everything up to the last = or :
    local kept=${cur%"${cur##*[=:]}"}
    COMPREPLY=()
    while IFS=$'\t' read -r candidate _; do
        case $candidate in
            :files) compopt -o filenames; mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "${cur#"$kept"}") ;;
            :folders) compopt -o filenames; mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "${cur#"$kept"}") ;;
            *) COMPREPLY+=("${candidate#"$kept"}") ;;
        esac
    done < <(command "${words[0]}" complete -- "${words[@]:1}" 2>/dev/null)
    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=.] ]] && compopt -o nospace
    return 0
}
complete -F _sfmtls sfmtls
