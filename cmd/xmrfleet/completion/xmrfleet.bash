# Completion of xmrfleet for bash, from 3.2 on. In ~/.bashrc:
#   source <(xmrfleet completion bash)

_xmrfleet() {
	local line=${COMP_LINE:0:COMP_POINT} words=() current kept candidate file
	read -ra words <<<"$line"
	[[ $line != *[[:blank:]] ]] || words+=("")
	current=${words[${#words[@]}-1]}
	kept=${current%"$2"} # bash replaces only what follows a = or the like
	COMPREPLY=()
	while IFS=$'\t' read -r candidate _; do
		if [[ $candidate != :files ]]; then
			COMPREPLY+=("${candidate#"$kept"}")
			continue
		fi
		compopt -o filenames 2>/dev/null
		while IFS= read -r file; do
			COMPREPLY+=("$file")
		done < <(compgen -f -- "${current#"$kept"}")
	done < <("${1/#\~/$HOME}" complete -- "${words[@]:1}" 2>/dev/null)
}
complete -F _xmrfleet xmrfleet
