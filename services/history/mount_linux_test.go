package history

import "syscall"

// mountSmall puts a file system of 1 MB on a directory.
func mountSmall(dir string) error { return syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m") }

// protect makes it read-only, or writable again.
func protect(dir string, on bool) error {
	flags := uintptr(syscall.MS_REMOUNT)
	if on {
		flags |= syscall.MS_RDONLY
	}
	return syscall.Mount("tmpfs", dir, "tmpfs", flags, "size=1m")
}

func unmount(dir string) error { return syscall.Unmount(dir, syscall.MNT_DETACH) }
