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

# A container whose processes are gone lets systemd-nspawn clean up after itself.
for cgroup; do
	for kill in "$cgroup/$name"/*/payload/cgroup.kill; do
		[ ! -e "$kill" ] || echo 1 >"$kill"
	done
done
tries=0
for cgroup; do
	while populated "$cgroup/$name/cgroup.events"; do
		tries=$((tries + 1))
		[ "$tries" -lt 100 ] || echo 1 >"$cgroup/$name/cgroup.kill"
		[ "$tries" -lt 500 ] || break
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
	[ ! -d "$cgroup/$name" ] || find "$cgroup/$name" -depth -type d -exec rmdir {} +
done

if [ -d "$dir" ] || [ -e "/sys/class/net/xlab$slot" ]; then
	exit 1
fi
: >"$run/slots/$slot"
