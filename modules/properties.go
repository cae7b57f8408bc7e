package modules

import "strings"

// properties reads lines of KEY=VALUE, as systemctl show prints them.
func properties(text string) map[string]string {
	p := make(map[string]string)
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		p[key] = value
	}
	return p
}
