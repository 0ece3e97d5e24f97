package process

import (
	"errors"
	"os"
	"syscall"

	"tend/services"
)

// launch is what a start needs once everything has been looked up.
type launch struct {
	program string
	argv    []string
	env     []string
	who     *identity
}

// prepare looks up and checks what a start needs, so that a mistake is
// answered by a sentence of our own. The error is of kind Invalid.
func prepare(spec Spec, instance string) (l launch, err error) {
	s := spec.Server
	if l.who, err = identityOf(s.User); err != nil {
		return l, err
	}
	if l.env, err = environ(s, spec.Secrets, l.who, instance, spec.ID); err != nil {
		return l, err
	}
	if err = checkDir(s.Dir); err != nil {
		return l, err
	}
	l.argv = s.Command.List()
	if l.program, err = lookup(l.argv[0], s.Dir, l.env); err != nil {
		return l, err
	}
	if s.Limits.NoFile > 0 {
		if err = checkNoFile(s.Limits.NoFile, l.who); err != nil {
			return l, err
		}
	}
	return l, nil
}

func checkDir(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case os.IsNotExist(err):
		return services.Errorf(services.Invalid, "its directory %s does not exist: make it, or change dir", dir)
	case err != nil:
		return services.Errorf(services.Invalid, "its directory %s cannot be used: %v", dir, reason(err))
	case !info.IsDir():
		return services.Errorf(services.Invalid, "its dir %s is not a directory", dir)
	}
	return nil
}

func checkNoFile(n uint64, who *identity) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return nil // the shell will say it
	}
	if n > uint64(limit.Max) && (os.Geteuid() != 0 || who != nil && who.uid != 0) {
		return services.Errorf(services.Invalid, "limits.nofile %d is more than the %d that the system allows here", n, limit.Max)
	}
	return nil
}

// startError makes a sentence of what the kernel said.
func startError(err error, s services.Server) error {
	program, as := s.Command.List()[0], ""
	if s.User != "" {
		as = " as user " + s.User
	}
	switch {
	case noRoom(err), errors.Is(err, syscall.ETXTBSY):
		return services.Errorf(services.Unavailable, "the system has no room for another process now: %v", err)
	case errors.Is(err, syscall.ENOENT):
		return services.Errorf(services.Invalid, "command %q cannot be run: its interpreter (the #! line, or the dynamic loader) does not exist", program)
	case errors.Is(err, syscall.ENOEXEC):
		return services.Errorf(services.Invalid, "command %q is neither a program nor a script with a #! line", program)
	case errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM):
		return services.Errorf(services.Invalid, "command %q cannot be run%s in %s: permission denied", program, as, s.Dir)
	}
	return services.Errorf(services.Invalid, "command %q cannot be run%s: %v", program, as, err)
}
