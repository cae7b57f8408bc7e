#!/bin/bash
# Makes the picture of README.md from a real terminal: the hosts of "make demo"
# get another pool while one of them has lost its link.
#
#     testdata/capture.sh >testdata/terminal.svg
set -eu
. bin/demo/env
lost=miner-delta
dir=$(mktemp -d)
socket=$dir/tmux
trap 'tmux -S "$socket" kill-server 2>/dev/null || :; bin/labctl join demo $lost 2>/dev/null || :; rm -rf "$dir"' EXIT
xmrfleet apply --yes >&2
sed 's/pool\.hashvault\.pro/pool.supportxmr.com/' fleet.hcl >"$dir/fleet.hcl"

cat >"$dir/rc" <<'END'
PS1='\n$ '
END
tmux -S "$socket" new-session -d -x 112 -y 66 -c "$dir" bash --noprofile --rcfile "$dir/rc"

# type TEXT types a line. answer TEXT waits until the terminal shows TEXT.
type() { tmux -S "$socket" send-keys -l "$1" && tmux -S "$socket" send-keys Enter; }
answer() {
	for _ in $(seq 300); do
		if tmux -S "$socket" capture-pane -p | grep -q -- "$1"; then return; fi
		sleep 0.1
	done
	echo "never shown: $1" >&2
	exit 1
}
answer '^\$$'
type clear
bin/labctl cut demo $lost
type 'xmrfleet plan'
answer '1 host was not read'
type 'xmrfleet apply'
answer 'y/N'
type y
answer '^retry: '
bin/labctl join demo $lost
type "xmrfleet apply --yes -l $lost"
answer '^Apply: 1 of 1 host converged'
sleep 64 # until there is a hashrate of a minute
type 'xmrfleet status --watch'
answer '4 as described'
sleep 6
tmux -S "$socket" send-keys C-c
answer '^\$$'
tmux -S "$socket" capture-pane -pe | sed -e '/./,$!d' -e 's/^\$ *$//' | go run ./cmd/terminal-svg
