package dashboard

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"

	"github.com/mailwhy/mailwhy/internal/report"
)

// style is how a text stands out. The colours are the terminal's own sixteen, which its
// user has made readable on its background.
type style uint8

const (
	normal style = iota
	bold
	dim
	bad
	warn
	good
	title  // of the pane that the keys are for
	chosen // the row that is chosen
	numStyles
)

const reset = "\x1b[m"

// palette are the styles' sequences.
type palette [numStyles]string

// paletteOf returns the styles for a background. Without colours, weight and reversal
// alone tell things apart. Yellow is unreadable on white, so there it is magenta.
func paletteOf(colour, light bool) palette {
	p := palette{bold: "\x1b[1m", dim: "\x1b[2m", title: "\x1b[1;7m", chosen: "\x1b[7m", bad: "\x1b[1m"}
	if colour {
		p[bad], p[warn], p[good] = "\x1b[31m", "\x1b[33m", "\x1b[32m"
	}
	if colour && light {
		p[warn] = "\x1b[35m"
	}
	return p
}

func (p *palette) paint(s string, st style) string {
	if p[st] == "" || s == "" {
		return s
	}
	return p[st] + s + reset
}

// foreign makes the text of a log harmless: besides what report takes out, the joiners
// and selectors for which every terminal counts other cells.
func foreign(s string) string {
	s = report.Printable(s)
	if !strings.ContainsFunc(s, uncertain) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if uncertain(r) {
			return -1
		}
		return r
	}, s)
}

func uncertain(r rune) bool {
	return r == 0x200D || 0xFE00 <= r && r <= 0xFE0F || 0xE0000 <= r && r <= 0xE0FFF || 0x1F3FB <= r && r <= 0x1F3FF
}

// cells is how many cells a text has: as many as its code points have by themselves.
func cells(s string) (n int) {
	for i := 0; i < len(s); {
		if s[i] < utf8.RuneSelf {
			n++
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		n += runeCells(r)
		i += size
	}
	return n
}

func runeCells(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Me, r) || unicode.Is(unicode.Cf, r):
		return 0
	case unicode.Is(unicode.Mc, r):
		return 1
	}
	return ansi.StringWidthWc(string(r))
}

// clip cuts a text to n cells.
func clip(s string, n int) string {
	if n <= 0 {
		return ""
	}
	if cells(s) <= n {
		return s
	}
	used := 0
	for i, r := range s {
		if used += runeCells(r); used > n-1 {
			return s[:i] + "…"
		}
	}
	return s
}

// fill clips or pads a text to n cells.
func fill(s string, n int, right bool) string {
	s = clip(s, n)
	blank := strings.Repeat(" ", max(0, n-cells(s)))
	if right {
		return blank + s
	}
	return s + blank
}

// wrapped breaks a text at blanks into lines of n cells; a longer word is cut through.
func wrapped(s string, n int) (lines []string) {
	if n <= 0 {
		return nil
	}
	line, used := "", 0
	for _, word := range strings.Fields(s) {
		for {
			k := cells(word)
			if used > 0 && used+1+k > n {
				lines = append(lines, line)
				line, used = "", 0
			}
			if k <= n {
				break
			}
			head := cut(word, n)
			lines = append(lines, head)
			word = word[len(head):]
		}
		if used > 0 {
			line += " "
			used++
		}
		line += word
		used += cells(word)
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// cut returns the beginning of a word that has at most n cells, and at least one code point.
func cut(word string, n int) string {
	used := 0
	for i, r := range word {
		if used += runeCells(r); used > n && i > 0 {
			return word[:i]
		}
	}
	return word
}

// seam is a sequence without meaning (SGR 10, the primary font) that no terminal gets to
// see: at it, the renderer begins a new cell.
const seam = "\x1b[10m"

// seamed puts a seam before each code point that has cells of its own.
func seamed(s string) string {
	if strings.IndexFunc(s, beyondLatin) < 0 {
		return s
	}
	var b strings.Builder
	b.Grow(2 * len(s))
	for _, r := range s {
		if beyondLatin(r) && runeCells(r) > 0 {
			b.WriteString(seam)
		}
		b.WriteRune(r)
	}
	return b.String()
}

// beyondLatin leaves out the scripts of which no cluster has more than one code point with
// cells, and what frames are drawn with.
func beyondLatin(r rune) bool { return r >= 0x300 && (r < 0x2010 || r > 0x25FF) }
