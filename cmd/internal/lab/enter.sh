# Runs a command inside a container: enter.sh CGROUP PID COMMAND...
# The command has a cgroup of its own, so that it can be ended as a whole.
cgroup=$1 pid=$2
shift 2
mkdir "$cgroup" || exit 125
(
	echo 0 >"$cgroup/cgroup.procs" &&
		exec nsenter --target "$pid" --all --root --wd -- /usr/bin/env -i \
			PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
			HOME=/root USER=root LOGNAME=root SHELL=/bin/bash LANG=C.UTF-8 "$@"
)
code=$?
rmdir "$cgroup" 2>/dev/null # stays while a daemon that was started lives in it
exit "$code"
