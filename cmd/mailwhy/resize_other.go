//go:build !unix

package main

import "os"

// resized tells nothing: there is no signal for it.
func resized() (sizes <-chan os.Signal, end func()) { return nil, func() {} }
