package report

import (
	"github.com/mailwhy/mailwhy/internal/knowledge"
)

// Page is something to hand on: a report as people get it in a mail, in a ticket or on a
// terminal. It holds text as it was found; HTML, Markdown and Text print it, each in its
// own way, and make it harmless for that.
type Page struct {
	Words    *knowledge.Words
	Kicker   string   // a line above the title
	Title    string   // of few words
	About    []string // what it is about, in parts
	Lead     string   // the answer, in a sentence
	Style    Style    // of the lead
	Sections []Section
	Foot     []string
}

// Section is a part of a page under a heading of its own. One without a title goes on
// with what stands before it.
type Section struct {
	Title  string
	Sub    bool // it is a part of the section before it that is none
	Blocks []Block
}

// Block is a piece of a section: one of its fields is set.
type Block struct {
	Lead  string // the answer, in a sentence
	Style Style  // of the lead
	Para  string
	Dim   bool // the paragraph is a remark
	Tiles []Tile
	Facts []Fact
	List  *List
	Table *Table
	Lines *Lines
	Chart *Chart
	Cards []Card
}

// Tile is a figure that counts.
type Tile struct {
	Label, Value string
	Note         string // what it is of, or more exactly
	Style        Style
}

// Fact is a text and what it is about.
type Fact struct {
	Name, Text string
	Raw        bool // the text is somebody else's, verbatim
}

// List is a list of sentences.
type List struct {
	Ordered bool // steps
	Items   []string
	Links   []Link // at its end
}

// Link is where to read on. Its URL is of our own knowledge, never of a log.
type Link struct{ Text, URL string }

// Lines are lines of a log or of a shell, verbatim.
type Lines struct {
	Title string
	All   []Line
}

// Line is one of them.
type Line struct {
	Place string // file:line; "" for none
	Text  string
}

// Card tells of one thing among others that are like it.
type Card struct {
	Title  string
	Style  Style
	Badge  string // how bad it is, in a word
	Value  string // how often
	Text   string // what it means
	Facts  []Fact // short ones
	Advice string
	Steps  []string
	Lines  *Lines
}

// section returns a section with the blocks that are not empty.
func section(title string, blocks ...Block) Section {
	s := Section{Title: title}
	for _, b := range blocks {
		if !b.empty() {
			s.Blocks = append(s.Blocks, b)
		}
	}
	return s
}

// empty reports that a block shows nothing.
func (b *Block) empty() bool {
	return b.Lead == "" && b.Para == "" && len(b.Tiles) == 0 && len(b.Facts) == 0 && b.List == nil && b.Table == nil && b.Lines == nil && b.Chart == nil && len(b.Cards) == 0
}

// paras returns paragraphs for texts.
func paras(texts ...string) (all []Block) {
	for _, s := range texts {
		all = append(all, Block{Para: s})
	}
	return all
}
