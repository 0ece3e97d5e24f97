//go:build linux

package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// describeMachine says where the figures come from.
func describeMachine(b *bench) string {
	var name unix.Utsname
	unix.Uname(&name) //nolint:errcheck // it cannot fail
	var info unix.Sysinfo_t
	unix.Sysinfo(&info) //nolint:errcheck // it cannot fail
	load, _ := os.ReadFile("/proc/loadavg")
	first, _, _ := strings.Cut(string(load), " ")
	memory := float64(info.Totalram) * float64(info.Unit) / (1 << 30)
	var out strings.Builder
	fmt.Fprintf(&out, "Linux %s %s, %d x %s, %.0f GB, %s\n",
		unix.ByteSliceToString(name.Release[:]), unix.ByteSliceToString(name.Machine[:]), runtime.NumCPU(), processor(), memory, runtime.Version())
	fmt.Fprintf(&out, "measured on %s in %s, servers are tiny programs in %s, sizes: %s, load before: %s\n\n",
		fileSystem(b.dir), b.dir, b.tiny.kind, b.size.name, first)
	return out.String()
}

func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if key, value, _ := strings.Cut(line, ":"); strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "processor"
}

// fileSystem names the file system of a directory.
func fileSystem(dir string) string {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return "an unknown file system"
	}
	switch fs.Type {
	case unix.EXT4_SUPER_MAGIC:
		return "ext4"
	case unix.XFS_SUPER_MAGIC:
		return "xfs"
	case unix.BTRFS_SUPER_MAGIC:
		return "btrfs"
	case unix.TMPFS_MAGIC:
		return "tmpfs"
	case unix.OVERLAYFS_SUPER_MAGIC:
		return "overlayfs"
	}
	return fmt.Sprintf("file system %#x", fs.Type)
}
