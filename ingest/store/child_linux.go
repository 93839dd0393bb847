package store

import (
	"os/exec"
	"runtime"
)

// startAndWait runs cmd on a thread of its own: the parent-death signal follows
// the thread that started the child.
func startAndWait(cmd *exec.Cmd, started func(pid int)) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		return err
	}
	started(cmd.Process.Pid)
	return cmd.Wait()
}
