//go:build unix

package source

import (
	"os"
	"os/exec"
	"syscall"
)

// identity returns the numbers that the system knows a file by.
func identity(info os.FileInfo) (device, inode uint64) {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(s.Dev), uint64(s.Ino)
	}
	return 0, 0
}

// apart keeps the interrupts of the terminal from cmd, which is ended by us.
func apart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
