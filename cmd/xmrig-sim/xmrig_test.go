//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"xmrfleet/cmd/internal/release"
)

var binary string // the built simulator

// limit bounds every wait for an event. It says nothing of how long anything should
// take.
const limit = 5 * time.Minute

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "xmrig")
	if err == nil {
		_, err = release.Simulator(context.Background(), dir, release.Version)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binary = filepath.Join(dir, "xmrig-"+release.Version)
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// A process is a running simulator.
type process struct {
	*exec.Cmd
	t       *testing.T
	control string // path of its control file
	address string // of its API
	stderr  *bytes.Buffer
	log     chan string // lines of stdout; closed at their end
}

// start runs the simulator with a control file and one configuration whose
// http object and other keys are given, and waits for its API.
func start(t *testing.T, control, http, more string) *process {
	t.Helper()
	config := fmt.Sprintf(`{"http": {"enabled": true, "host": "127.0.0.1", "port": 0, %s},
		"randomx": {"mode": "light"}, "cpu": {"huge-pages": false, "rx": [-1]}, %s
		"pools": [{"url": "127.0.0.1:33333", "user": "TESTWALLET"}]}`, http, more)
	p := launch(t, control, config)
	p.address = strings.Fields(p.await("HTTP API"))[3]
	return p
}

func launch(t *testing.T, control, config string) *process {
	t.Helper()
	dir := t.TempDir()
	p := &process{t: t, control: filepath.Join(dir, "control"), stderr: &bytes.Buffer{}, log: make(chan string, 1000)}
	p.write(control)
	file := write(t, filepath.Join(dir, "fleet.json"), config)
	p.Cmd = exec.Command(binary, "--config="+file, "--data-dir="+t.TempDir())
	p.Env = []string{"XMRIG_SIM_CONTROL=" + p.control, "HOME=" + dir}
	p.Stderr = p.stderr
	stdout, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.log)
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			p.log <- lines.Text()
		}
	}()
	t.Cleanup(func() {
		p.Process.Kill()
		p.Wait()
	})
	return p
}

// write replaces the control file in one step.
func (p *process) write(control string) {
	p.t.Helper()
	write(p.t, p.control+".new", control)
	if err := os.Rename(p.control+".new", p.control); err != nil {
		p.t.Fatal(err)
	}
}

// await returns the next line of the log that holds text.
func (p *process) await(text string) string {
	p.t.Helper()
	for timeout := time.After(limit); ; {
		select {
		case line, open := <-p.log:
			if strings.Contains(line, text) {
				return line
			}
			if !open {
				p.t.Fatalf("the log ended without %q; stderr: %s", text, p.stderr)
			}
		case <-timeout:
			p.t.Fatalf("no %q in the log within %v", text, limit)
		}
	}
}

// ended waits for the end and returns how it came.
func (p *process) ended() string {
	for range p.log {
	}
	p.Wait()
	return p.ProcessState.String()
}

// patient is how long a request waits for its answer.
const patient = 3 * time.Second

// get returns status and body of a GET.
func (p *process) get(path string, header ...string) (status, body string) {
	p.t.Helper()
	return p.request("GET", path, "", header...)
}

func (p *process) request(method, path, body string, header ...string) (status, answer string) {
	p.t.Helper()
	conn, err := net.DialTimeout("tcp", p.address, patient)
	if err != nil {
		return "refused", ""
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patient))
	fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n", method, path, len(body))
	for _, h := range header {
		fmt.Fprintf(conn, "%s\r\n", h)
	}
	fmt.Fprintf(conn, "\r\n%s", body)
	all, err := io.ReadAll(conn)
	if err != nil || len(all) == 0 {
		return "no answer", ""
	}
	head, answer, _ := strings.Cut(string(all), "\r\n\r\n")
	if len(head) < 12 || !strings.Contains(head, "Connection: close") ||
		!strings.Contains(head, "Access-Control-Allow-Origin: *") {
		p.t.Errorf("%s %s: head %q", method, path, head)
		return "", answer
	}
	return head[9:12], answer
}

// summary returns the parsed /2/summary.
func (p *process) summary() object {
	p.t.Helper()
	status, body := p.get("/2/summary")
	if status != "200" {
		p.t.Fatalf("summary: status %s", status)
	}
	return parseBody([]byte(body)).(object)
}

// until polls the summary for a condition.
func (p *process) until(what string, ok func(object) bool) object {
	p.t.Helper()
	var o object
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if o = p.summary(); ok(o) {
			return o
		}
	}
	p.t.Fatalf("never %s; last summary: %s", what, render(o))
	return nil
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
