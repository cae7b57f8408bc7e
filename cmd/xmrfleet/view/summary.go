package view

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strings"
)

const (
	summaryLimit = 1 << 20 // of a step, from GitHub's documentation of job summaries
	foldedFrom   = 40      // lines
)

// A Summary is the page that a step of GitHub Actions leaves behind: what
// people read of a run, the total in sight and the rest folded if it is long.
type Summary struct {
	File string // Markdown is added at its end; empty: there is no page

	page bytes.Buffer
	text *Text
}

// Report adds what people read of e, but no progress.
func (s *Summary) Report(e Event) {
	if s.text == nil {
		s.text = &Text{Out: NewPrinter(&s.page, false, 0), Err: NewPrinter(io.Discard, false, 0)}
	}
	switch e := e.(type) {
	case Loaded:
		s.text.Out.Hide(e.Secrets)
		e.Diagnostics.Write(s.text.Out, 0, false)
	case Failed:
		s.text.Out.Error(e.Err)
	case Planned, Applied, Status, Why, Validated:
		e.text(s.text)
	}
}

// write adds the page to the file. Other commands of the step may have taken a
// part of the room.
func (s *Summary) write(e Finished) error {
	if s.File == "" {
		return nil
	}
	taken := int64(0)
	if info, err := os.Stat(s.File); err == nil {
		taken = info.Size()
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(s.File, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(markdown(e, s.page.String(), int(max(0, summaryLimit-taken))))
	return errors.Join(err, f.Close())
}

// markdown is a page of at most so many bytes, or nothing where not even its
// title has room.
func markdown(e Finished, text string, room int) string {
	title := fmt.Sprintf("### %s: %s\n\n", strings.TrimSpace("xmrfleet "+e.Command), e.Outcome)
	body, total := cutTotal(text)
	fence := strings.Repeat("`", max(3, longestTicks(text)+1))
	total = fmt.Sprintf("%stext\n%s%s\n\n", fence, total, fence)
	head, tail := "", ""
	if lines := strings.Count(body, "\n"); lines > foldedFrom {
		head, tail = fmt.Sprintf("<details><summary>%s</summary>\n\n", Plural(lines, "line")), "</details>\n\n"
	}
	const reserve = 200 // for the fences and for what is said of the rest
	left := room - len(title) - len(total) - len(head) - len(tail) - reserve
	switch {
	case left < 0 && room < len(title):
		return ""
	case left < 0:
		return title
	case body == "":
		return title + total
	}
	return title + total + head + fmt.Sprintf("%stext\n%s%s\n\n", fence, firstLines(body, left), fence) + tail
}

// cutTotal divides a text before its last paragraph.
func cutTotal(text string) (body, total string) {
	at := strings.LastIndex(strings.TrimRight(text, "\n"), "\n\n")
	if at < 0 {
		return "", text
	}
	return text[:at+1], text[at+2:]
}

// firstLines is as much of a text as fits into so many bytes, in whole lines.
func firstLines(text string, room int) string {
	if len(text) <= room {
		return text
	}
	end := strings.LastIndexByte(text[:room], '\n') + 1
	return text[:end] + fmt.Sprintf("... %d more lines are in the log\n", strings.Count(text[end:], "\n"))
}

var ticks = regexp.MustCompile("`+")

func longestTicks(text string) int {
	longest := 0
	for _, run := range ticks.FindAllString(text, -1) {
		longest = max(longest, len(run))
	}
	return longest
}
