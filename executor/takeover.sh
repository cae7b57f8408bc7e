pid=$1 start=$2
gone() {
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		[ "$(started "$pid")" = "$start" ] || return 0
		sleep 0.1
	done
	return 1
}
tree() (
	for f in /proc/[0-9]*/stat; do
		read -r st 2>/dev/null <"$f" || continue
		child=${st%% *}
		set -- "$1" ${st##*) }
		[ "$3" = "$1" ] || continue
		echo "$child"
		tree "$child"
	done
)
[ "$(started "$pid")" = "$start" ] || exit 0
kill -s USR1 "$pid"
gone && exit 0
[ "$3" = overdue ] || exit 1
for signal in TERM KILL; do
	kill -s "$signal" $(tree "$pid") 2>/dev/null
	gone && exit 0
done
kill -s KILL "$pid"
gone
