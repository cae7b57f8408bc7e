package view

// A Reporter shows what a run has to tell, to people or to programs. It decides
// nothing. [Text], [JSON] and [GitHub] are reporters; another one, in a package
// of its own, switches over the types of events, whose fields are all exported.
type Reporter interface {
	Report(Event)
}

// A Tee reports to several.
type Tee []Reporter

func (t Tee) Report(e Event) {
	for _, r := range t {
		r.Report(e)
	}
}

// An Event is something that a run has to tell. It is data: what it means was
// decided by the command, and each reporter shows it in its own way. Only the
// events between [Applying] and [Applied] come from several hosts at once, and
// [Heartbeat] while the hosts are read.
type Event interface {
	text(*Text)    // for people
	lines() []line // for programs
}
