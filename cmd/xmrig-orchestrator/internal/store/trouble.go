package store

import (
	"errors"
	"os"

	"modernc.org/sqlite"
)

// Result codes of SQLite: sqlite3.h. Their upper bytes are details.
const (
	codeBusy       = 5
	codeLocked     = 6
	codeReadOnly   = 8
	codeCorrupt    = 11
	codeFull       = 13
	codeCantOpen   = 14
	codeConstraint = 19
	codeMismatch   = 20
	codeNotADB     = 26
)

// code is the result code of an error, 0 if it is not SQLite's.
func code(err error) int {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return 0
	}
	return e.Code() & 0xff
}

// Busy tells whether the error is another program's lock. It is over when that
// program's transaction is.
func Busy(err error) bool { return code(err) == codeBusy || code(err) == codeLocked }

// Refused tells whether the error is of one row or one table only. The rest of
// the database can be used.
func Refused(err error) bool {
	var fault Fault
	return errors.As(err, &fault) || code(err) == codeConstraint || code(err) == codeMismatch
}

// Remedy is what a person can do about an error of a database, "" if nothing is
// known.
func Remedy(err error) string {
	if errors.Is(err, os.ErrNotExist) {
		return "it is waited for, until its application has made it; or name another one in fleet.hcl"
	}
	switch code(err) {
	case codeFull:
		return "make room on its disk"
	case codeReadOnly, codeCantOpen:
		return "let the agent write to it and to its directory"
	case codeCorrupt, codeNotADB:
		return "put back a copy of it, or name another one in fleet.hcl"
	}
	return ""
}
