package health

// A Decision is what follows from one poll.
type Decision struct {
	State string // one of those of package agent
	Cause Cause

	// Problem says what is wrong, "" where nothing is. While the same thing
	// is wrong, it is the same text.
	Problem string

	// Evidence says from which figures that was decided, in one line for
	// people. It is "" while a healthy miner stays healthy.
	Evidence string

	Action Action
	Alert  bool // it has been wrong for long enough to call somebody
}

// A Cause is a stable word for why a miner is in its state.
type Cause string

const (
	CauseHealthy    Cause = "healthy"
	CauseStopped    Cause = "stopped"     // on purpose, or not installed
	CauseStopping   Cause = "stopping"    // by whoever stops it
	CauseStarting   Cause = "starting"    // no hash yet, in its grace
	CauseCrashed    Cause = "crashed"     // systemd starts it again
	CauseConfig     Cause = "config"      // it finds no valid configuration
	CauseCrashLoop  Cause = "crash-loop"  // the circuit breaker is open
	CauseUnit       Cause = "unit"        // systemd cannot be asked
	CausePoolDown   Cause = "pool-down"   // not connected
	CauseNoJob      Cause = "no-job"      // connected, but the pool sends no work
	CausePaused     Cause = "paused"      // by somebody
	CauseDataset    Cause = "dataset"     // computes without hashes, as it should
	CauseHashless   Cause = "hashless"    // as dataset, but for far too long
	CauseWedged     Cause = "wedged"      // has work, uses no CPU time
	CauseAPIDead    Cause = "api-dead"    // the API is silent
	CauseAPIGarbled Cause = "api-garbled" // the API answers, but nothing of use
	CausePortTaken  Cause = "port-taken"  // another process has the API's port
	CauseThreadDead Cause = "thread-dead" // a thread stands still
	CauseStale      Cause = "stale"       // hashes, but finds no share
	CauseRejects    Cause = "rejects"     // the pool refuses its shares
	CauseDegraded   Cause = "degraded"    // far below its usual hashrate
)

// An Action is what is to be done to the miner's unit.
type Action string

const (
	None    Action = ""
	Restart Action = "restart"
	Stop    Action = "stop" // the circuit breaker
)
