package agent

// Version is the agent's own. It changes when, and only when, the agent's sources
// do: a release of xmrfleet that leaves the agent alone restarts none on the
// hosts. UPDATE_GOLDEN=1 raises it; TestVersion of the agent holds it.
const Version = "0.1.16"
