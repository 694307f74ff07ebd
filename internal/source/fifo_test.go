//go:build unix

package source

import (
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestFIFO(t *testing.T) {
	tree(t, "d/a")
	if err := syscall.Mkfifo("d/pipe", 0o600); err != nil {
		t.Fatal(err)
	}
	if inputs, errs := Find([]string{"d"}, nil); len(inputs) != 1 || len(errs) != 0 {
		t.Errorf("a pipe in a directory is not passed over: %d inputs, %v", len(inputs), errs)
	}
	text := strings.Repeat("a line through a pipe\n", 20_000)
	go os.WriteFile("d/pipe", []byte(text), 0o600)
	checkInput(t, findOne(t, "d/pipe", nil), "", "", []byte(text))
}
