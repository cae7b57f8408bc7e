package executor

import (
	"os"
	"path/filepath"
	"testing"

	"xmrfleet/executor/sshtest"
)

// Both files have a line to be skipped, and the same base name.
func TestKnownHostsOfTheSameName(t *testing.T) {
	t.Parallel()
	server := sshtest.Start(t, nil)
	dir := t.TempDir()
	var files []string
	for _, host := range []string{"a", "b"} {
		os.Mkdir(filepath.Join(dir, host), 0o700)
		file := filepath.Join(dir, host, "known_hosts")
		os.WriteFile(file, []byte("@nonsense x y z\n"+host+" "+server.HostKeyLine()+"\n"), 0o600)
		files = append(files, file)
	}
	var known knownHosts
	db, err := known.open(files)
	if err != nil {
		t.Fatal(err)
	}
	for i, address := range []string{"a:22", "b:22"} {
		if places := db.places(address); len(places) != 1 || places[0] != files[i]+":2" {
			t.Errorf("%s is known from %q, want %s:2", address, places, files[i])
		}
	}
	if err := known.close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(known.dir); !os.IsNotExist(err) {
		t.Errorf("the copies are left behind: %v", err)
	}
}
