#compdef xmrfleet
# Completion of xmrfleet for zsh, after compinit. In ~/.zshrc:
#   source <(xmrfleet completion zsh)
# or as the file _xmrfleet in a directory of $fpath.

_xmrfleet() {
	local line value
	local -a candidates
	for line in ${(f)"$(${~words[1]} complete -- "${(@)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)"}; do
		value=${line%%$'\t'*}
		if [[ $value == :files ]]; then
			compset -P '-*='
			_files
			return
		fi
		candidates+=("${value//:/\\:}${${line#$value}/$'\t'/:}")
	done
	_describe -t xmrfleet xmrfleet candidates
}

if [[ $funcstack[1] == _xmrfleet ]]; then
	_xmrfleet "$@"
else
	compdef _xmrfleet xmrfleet
fi
