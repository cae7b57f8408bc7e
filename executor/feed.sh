PATH=$4 LC_ALL=C
export PATH LC_ALL
unset ENV BASH_ENV CDPATH
cd /
loader='LC_ALL=C;stop=;trap stop=1 USR1;while [ -z "$stop" ]&&IFS= read -r n;do s=$(head -c "$n";printf x);[ "${#s}" -gt "$n" ]&&eval "${s%x}";done'
feed() {
	[ -z "$1" ] || printf %s "$1" | base64 -d | gzip -dc
	exec cat
}
become() {
	if [ "$5" = login ] || [ "$(id -u)" = 0 ]; then
		/bin/sh -c "$loader"
	else
		sudo -n /bin/sh -c "$loader"
	fi
	status=$?
	printf '%s%s end %s\n' "$1" "$2" "$status"
	printf '%s%s end %s\n' "$1" "$2" "$status" >&2
}
drain() {
	cat
	exec cat >/dev/null
}
feed "$3" | {
	become "$@" 2>&1 >&3 3>&- | drain >&2 3>&-
} 3>&1 | drain
