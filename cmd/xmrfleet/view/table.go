package view

import "reflect"

// table lists every type of line, with the struct of the fields that it has
// beyond those of all lines. It is what README.md's reference is held to: to
// add a type, add a variable below and a row there.
var table []tableRow

type tableRow struct {
	name   string
	fields reflect.Type
}

// A lineType makes the lines of one type, with B for their fields.
type lineType[B any] string

func lineOf[B any](name string) lineType[B] {
	table = append(table, tableRow{name, reflect.TypeFor[B]()})
	return lineType[B](name)
}

// line makes a line about a host, or about the run if host is empty.
// message is what a person would be told.
func (t lineType[B]) line(host, message string, fields B) line {
	return line{kind: string(t), host: host, message: message, fields: fields}
}

// noFields is for lines whose message says all.
type noFields struct{}

var (
	versionLine    = lineOf[versionFields]("version")
	logLine        = lineOf[noFields]("log")
	errorLine      = lineOf[runError]("error")
	runSummaryLine = lineOf[runSummary]("run_summary")

	diagnosticLine = lineOf[diagnosticFields]("diagnostic")
	validationLine = lineOf[validation]("validation")

	hostUnreachableLine = lineOf[trouble]("host_unreachable")
	hostStaleLine       = lineOf[trouble]("host_stale")
	hostWarningLine     = lineOf[hostWarning]("host_warning")
	hostUnnamedLine     = lineOf[hostUnnamed]("host_unnamed")
	hostBareLine        = lineOf[noFields]("host_bare")
	plannedChangeLine   = lineOf[plannedChange]("planned_change")
	planSummaryLine     = lineOf[planSummary]("plan_summary")
	planSavedLine       = lineOf[planSaved]("plan_saved")

	applyStartLine    = lineOf[applyStart]("apply_start")
	applyProgressLine = lineOf[applyProgress]("apply_progress")
	applyCompleteLine = lineOf[applyEnd]("apply_complete")
	applyErroredLine  = lineOf[applyEnd]("apply_errored")
	lockWaitLine      = lineOf[lockWait]("lock_wait")
	heartbeatLine     = lineOf[heartbeatFields]("heartbeat")
	interruptedLine   = lineOf[noFields]("interrupted")
	hostSummaryLine   = lineOf[hostSummary]("host_summary")
	applySummaryLine  = lineOf[applySummary]("apply_summary")

	hostStatusLine    = lineOf[hostStatusFields]("host_status")
	hostWhyLine       = lineOf[hostWhyFields]("host_why")
	statusSummaryLine = lineOf[statusSummary]("status_summary")

	commandCompleteLine = lineOf[commandEnd]("command_complete")
	commandErroredLine  = lineOf[commandEnd]("command_errored")
	commandSummaryLine  = lineOf[commandSummary]("command_summary")

	outputLine      = lineOf[outputFields]("output")
	hostExecLine    = lineOf[hostExecFields]("host_exec")
	execSummaryLine = lineOf[execSummary]("exec_summary")

	logEntryLine = lineOf[logEntry]("log_entry")
	hostLostLine = lineOf[hostLost]("host_lost")
	hostBackLine = lineOf[noFields]("host_back")

	auditEntryLine     = lineOf[auditEntry]("audit_entry")
	historyEventLine   = lineOf[historyEvent]("history_event")
	historySummaryLine = lineOf[historySummary]("history_summary")
	hostFactsLine      = lineOf[hostFactsFields]("host_facts")
	factsSummaryLine   = lineOf[factsSummary]("facts_summary")
	sshCheckLine       = lineOf[sshCheckFields]("ssh_check")
	sshCheckSumLine    = lineOf[sshCheckSummary]("ssh_check_summary")
	fileLine           = lineOf[fileFields]("file")
)
