package hint

import (
	"errors"
	"fmt"
	"testing"
)

func TestHint(t *testing.T) {
	cause := errors.New("no such file")
	kinded := WithKind(cause, "config", "make one")
	for _, tt := range []struct {
		name string
		err  error
		text string
		hint string
		kind Kind
	}{
		{"plain", cause, "no such file", "", ""},
		{"with", With(cause, "make one"), "no such file", "make one", ""},
		{"kind", kinded, "no such file", "make one", "config"},
		{"wrapped", fmt.Errorf("mini-1: %w", fmt.Errorf("read: %w", kinded)), "mini-1: read: no such file", "make one", "config"},
		{"joined", errors.Join(errors.New("other"), kinded), "other\nno such file", "make one", "config"},
		{"another hint, same kind", With(kinded, "move it"), "no such file", "move it", "config"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.err.Error() != tt.text || Of(tt.err) != tt.hint || KindOf(tt.err) != tt.kind {
				t.Errorf("got %q, hint %q, kind %q", tt.err, Of(tt.err), KindOf(tt.err))
			}
			if !errors.Is(tt.err, cause) {
				t.Error("the cause is lost")
			}
		})
	}
	if Of(nil) != "" || KindOf(nil) != "" {
		t.Error("nil has a hint or a kind")
	}
}
