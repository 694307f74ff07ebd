package main

import (
	"io"
	"os"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/mailwhy/mailwhy/internal/source"
)

// progressAfter is how long work must last before a bar is worth the unrest.
const progressAfter = time.Second

// progress shows a bar on a terminal for what takes longer than a second.
type progress struct {
	out    io.Writer
	inputs []*source.Input
	total  int64
	start  time.Time
	bars   *mpb.Progress
	bar    *mpb.Bar
}

// newProgress returns a bar for inputs of known size; one that shows nothing when out
// is no terminal or a size is not known.
func newProgress(out io.Writer, inputs []*source.Input) *progress {
	p := &progress{start: time.Now(), inputs: inputs}
	if file, ok := out.(*os.File); !ok || !isTerminal(file) {
		return p
	}
	for _, in := range inputs {
		if in.Size < 0 {
			return p
		}
		p.total += in.Size
	}
	p.out = out
	return p
}

// show brings the bar up to date.
func (p *progress) show() {
	if p.out == nil || p.total == 0 {
		return
	}
	if p.bar == nil {
		if time.Since(p.start) < progressAfter {
			return
		}
		p.bars = mpb.New(mpb.WithOutput(p.out), mpb.WithWidth(60))
		p.bar = p.bars.New(p.total, mpb.BarStyle(), mpb.BarRemoveOnComplete(),
			mpb.PrependDecorators(decor.Name("reading ")),
			mpb.AppendDecorators(decor.Percentage(), decor.Name("  "), decor.AverageETA(decor.ET_STYLE_GO)))
	}
	var n int64
	for _, in := range p.inputs {
		n += in.Consumed()
	}
	p.bar.SetCurrent(min(n, p.total))
}

// done removes the bar.
func (p *progress) done() {
	if p.bar != nil {
		p.bar.Abort(true)
		p.bars.Wait()
	}
}
