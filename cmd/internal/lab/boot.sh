# Runs one container until it powers off: boot.sh NETNS HOSTNAME ROOT CGROUP...
# Each host gets cgroups of its own, or all containers would share /payload.
netns=$1 hostname=$2 root=$3
shift 3
for cgroup; do
	echo 0 >"$cgroup/cgroup.procs" || exit 1
done
while :; do
	systemd-nspawn --quiet --directory="$root" --boot --register=no --keep-unit \
		--machine="$netns" --hostname="$hostname" \
		--network-namespace-path="/run/netns/$netns" \
		--link-journal=no --resolv-conf=off --timezone=off </dev/null
	[ $? -eq 133 ] || exit 0 # 133: the container asked for a reboot
done
