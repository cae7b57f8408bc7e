package view

import (
	"testing"
	"time"
)

func TestRemovals(t *testing.T) {
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.Local)
	e := Removals{Unnamed: []Unnamed{{"h4", "10.0.0.4", at}, {"h5", "", at}}, Bare: []string{"h6"}}
	out, _ := told(e)
	check(t, out)
	check(t, jsonOf(Removals{Unnamed: []Unnamed{{"h4", "10.0.0.4", time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}}, Bare: e.Bare}))
}
