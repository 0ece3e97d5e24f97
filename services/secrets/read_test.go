package secrets

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"tend/services"
)

func key(t *testing.T, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func server(from services.Secret) services.Server {
	return services.Server{Name: "api", Secrets: map[string]services.Secret{"KEY": from}}
}

func shell(line string) services.Secret {
	return services.Secret{Command: []string{"sh", "-c", line}, Dir: "/"}
}

func TestAFileIsReadAnewAtEachStartAndLosesItsLastNewline(t *testing.T) {
	k, _ := keeper()
	path := key(t, "canary-1\n", 0o640)
	for text, want := range map[string]string{"canary-1\n": "canary-1", " canary 2 \r\n\n": " canary 2 ", "canary\n3": "canary\n3"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		values, err := k.Read(t.Context(), server(services.Secret{File: path}))
		if err != nil || values["KEY"] != want || k.Values("api")["KEY"] != want || k.Hide(want) == want {
			t.Errorf("%q: %q, %v", text, values, err)
		}
	}
}

func TestAFileThatIsNoSecretIsRefusedWithASentence(t *testing.T) {
	k, _ := keeper()
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		from services.Secret
		want string
	}{
		{services.Secret{File: "/no/such/file"}, "no such file"},
		{services.Secret{File: key(t, "canary-1", 0o604)}, "can be read by everybody, so it is no secret: chmod o-r /"},
		{services.Secret{File: key(t, "canary-1", 0o606), Shared: true}, "can be written by everybody: chmod o-w /"},
		{services.Secret{File: t.TempDir()}, "is not a plain file"},
		{services.Secret{File: fifo}, "is not a plain file"},
		{services.Secret{File: key(t, "\n", 0o600)}, "is empty"},
		{services.Secret{File: key(t, "can\x00ary-1", 0o600)}, "NUL byte"},
		{services.Secret{File: key(t, strings.Repeat("canary-1", most), 0o600)}, "longer than 64 kB"},
	} {
		_, err := k.Read(t.Context(), server(tt.from))
		if services.KindOf(err) != services.Invalid || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "the secret KEY (file "+tt.from.File+")") || strings.Contains(err.Error(), "ary-1") {
			t.Errorf("%s: %v", tt.want, err)
		}
	}
	if values, err := k.Read(t.Context(), server(services.Secret{File: key(t, "canary-1", 0o444), Shared: true})); err != nil || values["KEY"] != "canary-1" {
		t.Errorf("a shared file: %v %v", values, err)
	}
}

func TestACommandTellsTheValueInTheManagersNameWithoutItsOwnVariables(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "/run/x")
	t.Setenv("TEND_RUN", "x")
	t.Setenv("MINE", "mine")
	k, _ := keeper()
	values, err := k.Read(t.Context(), server(shell(`cat; echo "$MINE-$NOTIFY_SOCKET$TEND_RUN-$(pwd)"; echo noise >&2`)))
	if want := "mine--/"; err != nil || values["KEY"] != want {
		t.Errorf("%q %v", values, err)
	}
}

func TestACommandThatFailsSaysWhyAndNotWhat(t *testing.T) {
	k, _ := keeper()
	for line, want := range map[string]string{
		"echo canary-1; echo 'no: canary-1 is old' >&2; exit 3": `the secret KEY ("sh") cannot be had: the command exited with code 3: no: [secret] is old`,
		"kill -9 $$": "the command was killed by SIGKILL",
	} {
		_, err := k.Read(t.Context(), server(shell(line)))
		if services.KindOf(err) != services.Unavailable || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", line, err)
		}
	}
	if _, err := k.Read(t.Context(), server(services.Secret{Command: []string{"/no/such/program"}})); services.KindOf(err) != services.Unavailable || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("%v", err)
	}
	if _, err := k.Read(t.Context(), server(shell("yes"))); services.KindOf(err) != services.Invalid || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("a command that writes for ever: %v", err)
	}
}

func TestACommandIsNotWaitedForBeyondItsTime(t *testing.T) {
	k, _ := keeper()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err := k.Read(ctx, server(shell("sleep 1000 & sleep 1000")))
	if took := time.Since(began); services.KindOf(err) != services.Unavailable || !strings.Contains(err.Error(), "not answered") || took > 5*time.Second {
		t.Errorf("%v after %v", err, took)
	}
}

func TestOneSecretThatIsMissingYieldsNone(t *testing.T) {
	k, _ := keeper()
	s := server(services.Secret{File: "/no/such/file"})
	s.Secrets["A"] = services.Secret{File: key(t, "canary-1", 0o600)}
	if values, err := k.Read(t.Context(), s); err == nil || values != nil {
		t.Errorf("%v %v", values, err)
	}
	k.Foresee(s)
	if k.Hide("canary-1") != Hidden {
		t.Error("what can be foreseen is not hidden")
	}
}
