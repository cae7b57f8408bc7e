# Removes every trace of a lab, whole or half built: teardown.sh RUN SLOT NAME CGROUP...
# The caller holds the slot's lock. A slot that meanwhile belongs to another lab
# is left alone.
run=$1 slot=$2 name=$3
shift 3
[ "$(cat "$run/slots/$slot")" = "$name" ] || exit 0
dir=$run/$name

populated() {
	cat "$@" 2>/dev/null | grep -q '^populated 1'
}

# A systemd-nspawn whose container dies cleans up after itself; one that has no
# container yet would go on to boot it.
end_hosts() {
	for host in "$1"/*/; do
		if [ -e "${host}payload" ]; then
			echo 1 >"${host}payload/cgroup.kill"
		elif [ -e "$host" ]; then
			echo 1 >"${host}cgroup.kill"
		fi
	done 2>/dev/null
}

for cgroup; do
	tries=0
	while populated "$cgroup/$name/cgroup.events" && [ "$tries" -lt 3000 ]; do
		if [ "$tries" -lt 500 ]; then
			end_hosts "$cgroup/$name"
		else
			echo 1 >"$cgroup/$name/cgroup.kill"
		fi
		tries=$((tries + 1))
		sleep 0.02
	done
done

awk -v dir="$dir" '$2 == dir || index($2, dir "/") == 1 { print $2 }' /proc/mounts |
	sort -r | while IFS= read -r mount; do
	umount "$mount" || umount --lazy "$mount"
done
[ ! -d "$dir" ] || rmdir "$dir"

for link in "/sys/class/net/xlab$slot-"* "/sys/class/net/xlab$slot"; do
	[ ! -e "$link" ] || ip link delete "${link##*/}"
done
for netns in "/run/netns/xlab$slot-"*; do
	[ ! -e "$netns" ] || ip netns delete "${netns##*/}"
done
for propagate in "/run/systemd/nspawn/propagate/xlab$slot-"*; do
	[ ! -d "$propagate" ] || rmdir "$propagate"
done
for cgroup; do
	[ ! -d "$cgroup/$name" ] || find "$cgroup/$name" -depth -type d -exec rmdir {} + || exit 1
done
if [ -d "$dir" ] || [ -e "/sys/class/net/xlab$slot" ]; then
	exit 1 # the slot keeps its name, and the next sweep tries again
fi
: >"$run/slots/$slot"
