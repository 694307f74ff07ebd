package source

import (
	"errors"
	"io/fs"
)

// Error says what is wrong with one input, in words for its owner.
type Error struct {
	Path   string // as the user gave it or as found; "-" is stdin
	What   string // what is wrong
	Advice string // what to do about it; may be empty
	Err    error  // the cause, for errors.Is; may be nil. errors.ErrUnsupported: a kind of file that is not read here
}

// Error returns "path: what; advice".
func (e *Error) Error() string {
	path := e.Path
	if path == "-" {
		path = "stdin"
	}
	if e.Advice == "" {
		return path + ": " + e.What
	}
	return path + ": " + e.What + "; " + e.Advice
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// fileError puts an error of the file system in words.
func fileError(path string, err error) *Error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return missing(path, err)
	case errors.Is(err, fs.ErrPermission):
		return &Error{path, "permission denied", "try sudo, or join the group that may read logs (often adm)", err}
	}
	var pe *fs.PathError
	if errors.As(err, &pe) {
		// The path is named already; its second mention would only hide the reason.
		return &Error{path, "cannot " + pe.Op + ": " + pe.Err.Error(), "check the file and its disk; the other inputs are read", err}
	}
	return &Error{path, "cannot read: " + err.Error(), "check the file and its disk; the other inputs are read", err}
}
