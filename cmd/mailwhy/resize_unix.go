//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
)

// resized tells when the terminal gets another size, until end is called.
func resized() (sizes <-chan os.Signal, end func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGWINCH)
	return c, func() { signal.Stop(c) }
}
