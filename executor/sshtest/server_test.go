package sshtest_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"xmrfleet/executor"
	"xmrfleet/executor/sshtest"
	"xmrfleet/modules"
)

// Two hosts on one machine, each with its own lock and its own systemctl.
func TestMounts(t *testing.T) {
	if !sshtest.CanMount() {
		t.Skip("mounts take root or user namespaces")
	}
	hosts := map[string]*sshtest.Server{}
	for _, name := range []string{"one", "two"} {
		bin, run := t.TempDir(), t.TempDir()
		script := "#!/bin/sh\necho " + name + " \"$@\"\n"
		if err := os.WriteFile(filepath.Join(bin, "systemctl"), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
		hosts[name] = sshtest.Start(t, &sshtest.Server{Mounts: map[string]string{"/usr/local/sbin": bin, "/run/xmrfleet": run}})
	}
	d := &executor.Dialer{SSHConfig: sshtest.WriteConfig(t, hosts)}
	defer d.Close()
	for i, out := range executor.Each(t.Context(), []string{"one", "two"}, 0, func(ctx context.Context, name string) (string, error) {
		s, results, err := d.Open(ctx, executor.Target{Name: name}, executor.OpenOptions{
			Lock: &executor.Holder{User: "u"}, First: []modules.Command{{Script: `systemctl is-active`}}})
		if err != nil {
			return "", err
		}
		defer s.Close()
		return results[0].Stdout, nil
	}) {
		if want := []string{"one is-active\n", "two is-active\n"}[i]; out.Value != want {
			t.Errorf("got %q, %v, want %q", out.Value, out.Err, want)
		}
	}
	if _, err := os.Stat(filepath.Join(hosts["one"].Mounts["/run/xmrfleet"], "lock")); err != nil {
		t.Error(err)
	}
}
