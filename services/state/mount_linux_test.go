package state

import "syscall"

// mountTiny puts a file system of 64 kB on a directory.
func mountTiny(dir string) error {
	return syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k")
}

func unmount(dir string) error { return syscall.Unmount(dir, syscall.MNT_DETACH) }
