package store

import (
	"os/exec"
	"runtime"
	"syscall"
)

// niceness of the store: when the processor is short, readings may reach the
// store later, because the log has them; acknowledgements, tickets and pages
// must not.
const niceness = 10

// startAndWait runs cmd on a thread of its own, which ends with it: the
// parent-death signal follows the thread that started the child, and so does
// its niceness.
func startAndWait(cmd *exec.Cmd, started func(pid int)) error {
	runtime.LockOSThread()                                     // never unlocked: nobody else shall get this thread
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, niceness) // forbidden, it is a store all the same
	if err := cmd.Start(); err != nil {
		return err
	}
	started(cmd.Process.Pid)
	return cmd.Wait()
}
