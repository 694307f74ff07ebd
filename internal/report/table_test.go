package report

import (
	"strings"
	"testing"

	"github.com/olekukonko/tablewriter/pkg/twwidth"
)

func causesTable(title, fix string) Table {
	return Table{
		Title:   "What went wrong",
		Columns: []Column{left(""), left("cause").min(8), right("count"), left("peers").min(6).drop(1), left("what to do").under()},
		Rows: [][]Cell{
			{{Text: "out"}, {Text: title, Style: Bad}, {Text: "1,210"}, {Text: "example.com, example.net"}, {Text: fix}},
			{{Text: "here"}, {Text: "loop"}, {Text: "3"}, {}, {}},
		},
	}
}

func printed(t *testing.T, term Terminal, tab Table) []string {
	t.Helper()
	var b strings.Builder
	if err := term.Text(&b, tab); err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.Trim(b.String(), "\n"), "\n")
}

// TestUnder: what to do is never cut off. It is a column where the width is known to hold
// it, and else stands below its row; nothing passes the width.
func TestUnder(t *testing.T) {
	const fix = "Ask Example List to remove 192.0.2.7, then send less for a week."
	for _, width := range []int{0, 40, 80, 120, 200} {
		for _, coloured := range []bool{false, true} {
			lines := printed(t, Terminal{Width: width, Colour: coloured}, causesTable("sending IP on a blocklist", fix))
			text := strings.Join(strings.Fields(strings.Join(lines[2:], " ")), " ")
			if !strings.Contains(text, fix) {
				t.Errorf("width %d: the fix is not whole:\n%s", width, strings.Join(lines, "\n"))
			}
			if below := strings.Contains(text, underMark); below != (width < 150) {
				t.Errorf("width %d: below its row is %v", width, below)
			}
			for _, l := range lines {
				if width > 0 && twwidth.Width(l) >= width {
					t.Errorf("width %d: %q is wider", width, l)
				}
			}
		}
	}
}

// TestCells: columns stand in line though Devanagari's marks take no cell of their own
// and an ideograph takes two.
func TestCells(t *testing.T) {
	for _, title := range []string{"plain words", "भेजने वाला IP प्रतिबंध सूची में है", "ऐसा कोई मेलबॉक्स नहीं", "kayıtlı değil, İstanbul'daki", "邮箱不存在"} {
		for _, width := range []int{0, 48, 200} {
			lines := printed(t, Terminal{Width: width}, causesTable(title, "फिर से कोशिश करें"))
			head, row := lines[1], lines[2]
			end := strings.Index(head, "count") + len("count")
			at := strings.Index(row, "1,210")
			if at < 0 || twwidth.Width(row[:at]+"1,210") != twwidth.Width(head[:end]) {
				t.Errorf("%q, width %d: columns out of line\n%s\n%s", title, width, head, row)
			}
		}
	}
}

// TestParts: a line is broken between what belongs together.
func TestParts(t *testing.T) {
	for width, want := range map[int]string{
		0:  "mail.log   Postfix   11 Mar 08:00 – 09:00\n",
		20: "mail.log   Postfix\n11 Mar 08:00 – 09:00\n",
		80: "mail.log   Postfix   11 Mar 08:00 – 09:00\n",
	} {
		var b strings.Builder
		Terminal{Width: width}.parts(&b, []string{"mail.log", "Postfix", "11 Mar 08:00 – 09:00"})
		if b.String() != want {
			t.Errorf("width %d: %q", width, b.String())
		}
	}
}
