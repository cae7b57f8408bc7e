watch() {
	while [ -n "$(timeout "$1" head -c 1)" ]; do :; done
	trap '' TERM
	kill -s TERM -- "-$2" "$2"
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		kill -s 0 -- "-$2" || return
		sleep 0.1
	done
	kill -s KILL -- "-$2"
} >/dev/null 2>&1
stream() {
	silence=$1 script=$2
	shift 2
	exec 8<&0
	setsid /bin/sh -c "$script" sh "$@" </dev/null 8<&- 9>&- &
	group=$!
	watch "$silence" "$group" <&8 8<&- 9>&- &
	exec 8<&-
	wait "$group" 2>/dev/null
	r=$? stop=1
	kill "$!"
	mark done "$r"
}
