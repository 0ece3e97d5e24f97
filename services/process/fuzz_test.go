package process

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"tend/services"
)

// Whatever a server says by sd_notify, what is taken from it is one line of
// text that is no longer than what it said, and saying that again changes
// nothing.
func FuzzAnyNoticeIsOneLineOfText(f *testing.F) {
	for _, seed := range []string{
		"", "READY=1", "READY=1\nSTATUS=serving\n", "WATCHDOG=1\nWATCHDOG=trigger", "STATUS=a\x00\xff\r\nSTATUS=\u2028b", "STATUS=",
		"RELOADING=1\nMONOTONIC_USEC=1", "STOPPING=1\nREADY=0", "=\n==\nREADY", "\n\nREADY=1\r", "MAINPID=1\nFDSTORE=1\nBARRIER=1", "STATUS=\u202e\ufeff",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > mostNotice {
			return
		}
		n := parseNotice(text)
		for name, said := range map[string]bool{"READY": n.Ready, "STOPPING": n.Stopping, "RELOADING": n.Reloading, "WATCHDOG": n.Watchdog} {
			if said && !strings.Contains("\n"+text, "\n"+name+"=1") {
				t.Fatalf("%s is taken from %q", name, text)
			}
		}
		if n.Status == nil {
			return
		}
		s := *n.Status
		if !utf8.ValidString(s) || strings.ContainsAny(s, "\r\n") || len(s) > 3*len(text) {
			t.Fatalf("the status of %q is %q", text, s)
		}
		if again := parseNotice("STATUS=" + s); again.Status == nil || *again.Status != s {
			t.Fatalf("the status %q is read as %+v", s, again)
		}
	})
}

// Whatever is in an env_file, it is read, or refused by a sentence that names
// the file and a line of it.
func FuzzAnyEnvFileGivesVariablesOrTheLineThatIsWrong(f *testing.F) {
	for _, seed := range []string{
		"", "A=1\n# c\n\nexport B='x y' # c\nC=\"a\\nb\"\n", "A", "=1", "A='", "A=\"\\", "1A=2", "A=\x00", "\ufeffA=1", "A=1\r\nB=2\r\n", "A=${A} #x", "export =", "A='a'b",
	} {
		f.Add([]byte(seed))
	}
	path := filepath.Join(f.TempDir(), "env")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		env, err := readEnvFile(path)
		if err != nil {
			if services.KindOf(err) != services.Invalid || !strings.Contains(err.Error(), path) {
				t.Fatalf("%q: %v", data, err)
			}
			return
		}
		for name, value := range env {
			if !validVariable(name) || strings.ContainsRune(value, 0) || len(name)+len(value) > len(data) {
				t.Fatalf("%q gives %q=%q", data, name, value)
			}
		}
	})
}
