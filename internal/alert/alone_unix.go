//go:build unix

package alert

import (
	"os/exec"
	"syscall"
)

// alone gives a program a process group of its own: Ctrl-C at the terminal is not for it,
// and when its time is over its children end with it.
func alone(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
