package process

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"tend/services"
)

// environ returns the environment of a server as name=value, sorted: the
// manager's own without what speaks to the manager alone, then the user's
// identity, then env_file, then env, then secrets, then the mark. The error is of kind
// Invalid.
func environ(s services.Server, secrets map[string]string, who *identity, instance, run string) ([]string, error) {
	own := map[string]string{}
	if who != nil {
		own["HOME"], own["USER"], own["LOGNAME"] = who.home, who.name, who.name
	}
	if s.EnvFile != "" {
		fromFile, err := readEnvFile(s.EnvFile)
		if err != nil {
			return nil, err
		}
		maps.Copy(own, fromFile)
	}
	maps.Copy(own, s.Env)
	maps.Copy(own, secrets)
	maps.Copy(own, notifyEnv(s, instance))
	own[markRun] = instance + "." + run
	own[markServer] = s.Name
	inherited := os.Environ()
	out := make([]string, 0, len(inherited)+len(own))
	for _, entry := range inherited {
		name, _, ok := strings.Cut(entry, "=")
		if _, replaced := own[name]; ok && !replaced && !managersOwn(name) {
			out = append(out, entry)
		}
	}
	for name, value := range own {
		out = append(out, name+"="+value)
	}
	slices.Sort(out)
	return out, nil
}

// managersOwn reports whether a variable is meant for the manager: a server
// that obeyed it would speak to systemd, or to make, in the manager's name.
func managersOwn(name string) bool {
	switch name {
	case "NOTIFY_SOCKET", "INVOCATION_ID", "JOURNAL_STREAM", "MANAGERPID", "SYSTEMD_EXEC_PID", "MFLAGS", "MEMORY_PRESSURE_WATCH", "MEMORY_PRESSURE_WRITE":
		return true
	}
	for _, prefix := range []string{"LISTEN_", "WATCHDOG_", "MAKE", "TEND_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// lookup finds the program of a server as its shell would: by the PATH of its
// own environment, a path with a slash from its directory.
func lookup(program, dir string, env []string) (string, error) {
	if strings.Contains(program, "/") {
		path := program
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		return path, runnable(program, path)
	}
	search := "/usr/local/bin:/usr/bin:/bin"
	for _, entry := range env {
		if value, ok := strings.CutPrefix(entry, "PATH="); ok {
			search = value
		}
	}
	var denied error
	for _, folder := range filepath.SplitList(search) {
		if folder == "" || !filepath.IsAbs(folder) {
			folder = filepath.Join(dir, folder)
		}
		path := filepath.Join(folder, program)
		err := runnable(program, path)
		if err == nil {
			return path, nil
		}
		if _, statErr := os.Stat(path); statErr == nil && denied == nil {
			denied = err
		}
	}
	if denied != nil {
		return "", denied
	}
	return "", services.Errorf(services.Invalid, "command %q is not found in PATH (%s): install it, or write its full path", program, search)
}

// runnable checks what the kernel would refuse with less to say.
func runnable(program, path string) error {
	info, err := os.Stat(path)
	switch {
	case os.IsNotExist(err):
		return services.Errorf(services.Invalid, "command %q does not exist (looked for %s)", program, path)
	case os.IsPermission(err):
		return services.Errorf(services.Invalid, "command %q cannot be reached: permission denied for %s", program, path)
	case err != nil:
		return services.Errorf(services.Invalid, "command %q: %v", program, err)
	case info.IsDir():
		return services.Errorf(services.Invalid, "command %q is a directory (%s)", program, path)
	case info.Mode()&0o111 == 0:
		return services.Errorf(services.Invalid, "command %q is not executable: chmod +x %s", program, path)
	}
	return nil
}
