#!/bin/bash
# Boots four hosts on this machine and brings them to what fleet.hcl says, with
# a simulator in the miner's place or, with XMRIG_ARCHIVE, a real XMRig. The
# example is used as it is; what differs here comes from the environment.
set -eu
name=demo
hosts="mini-1 miner-beta miner-gamma miner-delta"
state=$PWD/bin/demo
mkdir -p "$state"

bin/labctl down $name 2>/dev/null || :
bin/labctl up $name $hosts
read -r archive sha256 < <(go run ./cmd/xmrig-pack "$state")

cat >"$state/env" <<END
# source this file to go on with the demo
export PATH=$PWD/bin:\$PATH
export XMRFLEET_SSH_CONFIG=/run/xmrfleet-lab/$name/ssh_config
export XMRFLEET_VAR_xmrig_source=$archive
export XMRFLEET_VAR_xmrig_sha256=$sha256
# The Monero project's donation address: nothing is mined here.
export MONERO_WALLET=44AFFq5kSiGBoZ4NMDwYtN18obc8AemS33DBLWs3H7otXft3XjrpDtQGv7SqSsaBYBb98uNbr2VBBEt7f2wfn3RVGQBEP3A
END
. "$state/env"

show() {
	printf '\n$ %s\n' "$*"
	"$@"
}
show xmrfleet plan
show xmrfleet apply --yes
sleep 12 # XMRig needs ten seconds for its first hashrate, the agent as long to read it
show xmrfleet status
show xmrfleet plan

cat <<END

The four hosts stay up. To go on:

    source bin/demo/env
    xmrfleet status
    bin/labctl exec $name mini-1 -- systemctl stop xmrig    # then: xmrfleet plan
    ssh -F \$XMRFLEET_SSH_CONFIG mini-1

To take them down: make demo-down
END
