package modules

import (
	"errors"
	"fmt"

	"xmrfleet/modules/agent"
	"xmrfleet/modules/hint"
)

// A Control starts, stops or restarts a miner without changing its
// description. The agent does it, from its queue, or systemctl in its place.
type Control struct {
	Action Action // Start, Stop or Restart
	Reason string // kept in the agent's history
	NoWait bool   // do not wait until the agent has done it

	// Direct is by systemctl, also where the agent is dead.
	Direct bool
	// Desired is the miner's state by its description. With Direct, one that
	// should run is enabled again when it is started.
	Desired string
}

// enqueueScript gives the command $3 for the reason $4 to the agent, whose unit
// is $2. With $5 it waits until that is done.
const enqueueScript = `
agent=$1
` + askAgent + `
systemctl is-active --quiet "$2" || { echo 'the health agent is down' >&2; exit 69; }
case $(readlink "/proc/$(systemctl show -p MainPID --value "$2")/exe") in
"$agent" | "$agent (deleted)") ;;
*) echo "what runs as $2 is not the health agent" >&2; exit 69 ;;
esac
if [ "$5" = no ]; then exec "$agent" enqueue "$3" --reason "$4"; fi
exec "$agent" enqueue "$3" --reason "$4" --wait=2m`

// directScript does what the agent would: a miner that was stopped stays so over
// a reboot. It shows the journal of a unit that does not start.
const directScript = `
case $2 in
stop) systemctl --quiet disable "$1" ;;
*)
	[ "$3" != running ] || systemctl --quiet enable "$1"
	systemctl reset-failed "$1" 2>/dev/null
	;;
esac
systemctl "$2" "$1" && exit 0
journalctl --namespace=+xmrig -u "$1" -n 10 --no-pager -o short >&2
exit 1`

// Command is what the host runs. Err understands its result.
func (c Control) Command() Command {
	if c.Direct {
		return Command{Script: directScript, Args: []string{agent.MinerUnit, string(c.Action), c.Desired}}
	}
	return Command{Script: enqueueScript, Args: []string{agent.Binary, agent.Unit, string(c.Action), c.Reason, yes(!c.NoWait)}}
}

// Err says why the command was not carried out, or nil.
func (c Control) Err(r Result) error {
	if r.Status == 0 {
		return nil
	}
	text := agentComplaint(r)
	switch {
	case c.Direct:
		return fmt.Errorf("systemctl %s %s: %s", c.Action, agent.MinerUnit, text)
	case r.Status == statusNoAgent:
		return hint.With(errors.New(text), "pass --direct to use systemctl, or repair the agent: "+applyAgent)
	case r.Status == statusOldAgent:
		return hint.With(fmt.Errorf("the agent on the host is older than this xmrfleet: %s", text), applyAgent)
	}
	return errors.New(text)
}

// Contradicts reports whether the miner is not as desired after the action.
func (c Control) Contradicts(desired string) bool {
	if c.Action == Stop {
		return desired == StateRunning
	}
	return desired == StateStopped
}
