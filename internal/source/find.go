package source

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	// MaxDepth is how deep below a named directory files are looked for. The deepest tree
	// that log servers commonly write is HOST/YEAR/MONTH/DAY/FILE.
	MaxDepth = 8
	// MaxFiles is how many files one run reads. More are a slip ("mailwhy /"), and each
	// new file is compared with all the others to read it once.
	MaxFiles = 10_000
)

// errTooMany ends a search that went beyond MaxFiles.
var errTooMany = errors.New("too many files")

// Find expands args into inputs, in the order given: files, directories with what is in
// them, patterns that the shell left alone (path/filepath.Match), and "-" for stdin.
// A file that is reached twice, by whatever name or link, is one input, the first. An
// argument that leads nowhere is an error, of type *Error, and the others are returned.
//
// In a directory, regular files and links to them are taken, sorted by name, down to
// MaxDepth; names that begin with a dot are passed over, as are sockets, pipes and devices,
// which might never end. Outside of a directory, a pipe or a device is read as a stream.
// Nothing is opened yet, so a file that may not be read fails in Head or Open.
func Find(args []string, stdin io.Reader) (inputs []*Input, errs []error) {
	f := finder{stdin: stdin}
	for _, arg := range args {
		if err := f.argument(arg); errors.Is(err, errTooMany) {
			f.errs = append(f.errs, err)
			break
		} else if err != nil {
			f.errs = append(f.errs, err)
		}
	}
	return f.inputs, f.errs
}

// finder collects what Find finds.
type finder struct {
	stdin  io.Reader
	inputs []*Input
	files  []os.FileInfo // of inputs
	dirs   []os.FileInfo // walked, or being walked
	met    int           // files met, those met again too
	errs   []error
}

// argument takes one argument of the command line.
func (f *finder) argument(arg string) error {
	if arg == "-" {
		return f.addStdin()
	}
	info, err := os.Stat(arg)
	if err == nil {
		return f.add(arg, info)
	}
	if !errors.Is(err, fs.ErrNotExist) || !strings.ContainsAny(arg, "*?[") {
		return fileError(arg, err)
	}
	paths, err := filepath.Glob(arg)
	if err != nil {
		return &Error{arg, "not a pattern that can be followed: " + err.Error(), "close the bracket, or quote the name's own with a backslash", err}
	}
	if len(paths) == 0 {
		return &Error{arg, "no file matches", "check the pattern and the directory", fs.ErrNotExist}
	}
	for _, path := range paths {
		if err := f.path(path); errors.Is(err, errTooMany) {
			return err
		} else if err != nil {
			f.errs = append(f.errs, err)
		}
	}
	return nil
}

// path takes one path that a pattern led to.
func (f *finder) path(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return linkError(path, err)
	}
	return f.add(path, info)
}

// add takes what the user pointed at: a file, a stream or a directory.
func (f *finder) add(path string, info os.FileInfo) error {
	mode := info.Mode()
	switch {
	case mode.IsDir():
		return f.directory(path, info)
	case mode.IsRegular():
		return f.addFile(&Input{Path: path, ModTime: info.ModTime(), Size: info.Size()}, info)
	case mode&fs.ModeNamedPipe != 0, mode&fs.ModeCharDevice != 0:
		return f.addFile(&Input{Path: path, ModTime: info.ModTime(), Size: -1, stream: true}, info)
	}
	return &Error{path, "a socket or a disk, not a file", "name a file, a directory or a pipe", errors.ErrUnsupported}
}

// addStdin takes stdin. Where it is a file ("mailwhy - < mail.log"), its size and time are
// known and it is told from the same file given by name.
func (f *finder) addStdin() error {
	if f.stdin == nil {
		return &Error{"-", "there is no stdin", "name a file", nil}
	}
	for _, in := range f.inputs {
		if in.stdin != nil {
			return nil
		}
	}
	in := &Input{Path: "-", Size: -1, stream: true, stdin: f.stdin}
	if file, ok := f.stdin.(interface{ Stat() (os.FileInfo, error) }); ok {
		if info, err := file.Stat(); err == nil {
			if info.Mode().IsRegular() {
				in.Size, in.ModTime = info.Size(), info.ModTime()
			}
			return f.addFile(in, info)
		}
	}
	return f.addFile(in, nil)
}

// addFile takes an input unless it is one that is here already. info is nil where nothing
// is known of it.
func (f *finder) addFile(in *Input, info os.FileInfo) error {
	f.met++
	if info != nil && contains(f.files, info) {
		return nil
	}
	if len(f.inputs) >= MaxFiles {
		return &Error{in.Path, fmt.Sprintf("more than %d files, this and all that follow are not read", MaxFiles), "name the files or the directory that you mean", errTooMany}
	}
	f.inputs = append(f.inputs, in)
	if info != nil {
		f.files = append(f.files, info)
	}
	return nil
}

// directory takes the files of a directory that the user pointed at. One without any is an
// error, or nobody would know why it counts for nothing.
func (f *finder) directory(path string, info os.FileInfo) error {
	if contains(f.dirs, info) {
		return nil
	}
	met, errs := f.met, len(f.errs)
	err := f.walk(path, info, nil)
	if err == nil && f.met == met && len(f.errs) == errs {
		return &Error{path, "a directory without files", "name the one that the logs are in", nil}
	}
	return err
}

// walk takes the files below a directory. above holds the directories that lead to it, so
// that a link back to one of them is known for the loop it is.
func (f *finder) walk(dir string, info os.FileInfo, above []os.FileInfo) error {
	if contains(above, info) {
		return &Error{dir, "a link that leads back to a directory above it", "it is passed over and nothing is lost; remove the link to be rid of this message", nil}
	}
	if contains(f.dirs, info) {
		return nil
	}
	if len(above) > MaxDepth {
		return &Error{dir, "lies too deep below the directory given, its files are not read", "name it as an argument of its own", nil}
	}
	f.dirs = append(f.dirs, info)
	names, err := os.ReadDir(dir)
	if err != nil {
		f.errs = append(f.errs, fileError(dir, err)) // and what could be listed is taken
	}
	above = append(slices.Clip(above), info)
	for _, entry := range names {
		if strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		if err := f.entry(filepath.Join(dir, entry.Name()), above); errors.Is(err, errTooMany) {
			return err
		} else if err != nil {
			f.errs = append(f.errs, err)
		}
	}
	return nil
}

// entry takes one entry of a directory.
func (f *finder) entry(path string, above []os.FileInfo) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return linkError(path, err)
	case info.IsDir():
		return f.walk(path, info, above)
	case info.Mode().IsRegular():
		return f.addFile(&Input{Path: path, ModTime: info.ModTime(), Size: info.Size(), Found: true}, info)
	}
	return nil
}

// linkError is the error of a path that exists and yet cannot be followed: a link whose
// target is gone, or a circle of links. One that vanished since its directory was listed, as
// files do while logs are rotated, is simply missing.
func linkError(path string, err error) error {
	if info, lerr := os.Lstat(path); lerr == nil && info.Mode()&fs.ModeSymlink != 0 && !errors.Is(err, fs.ErrPermission) {
		return &Error{path, "a link that leads nowhere", "it is passed over; remove it or mend its target", err}
	}
	return fileError(path, err)
}

// contains reports whether info is one of list, by identity and not by name.
func contains(list []os.FileInfo, info os.FileInfo) bool {
	return slices.ContainsFunc(list, func(other os.FileInfo) bool { return os.SameFile(other, info) })
}

// sorted sorts names in place and returns them.
func sorted(names []string) []string {
	slices.Sort(names)
	return names
}
