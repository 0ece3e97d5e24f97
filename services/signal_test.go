package services_test

import (
	"strconv"
	"strings"
	"syscall"
	"testing"

	"tend/services"
)

func TestEverySignalIsReadBackFromItsName(t *testing.T) {
	for n := 1; n <= 64; n++ {
		sig := syscall.Signal(n)
		name := services.SignalName(sig)
		short := strings.TrimPrefix(name, "SIG")
		for _, text := range []string{name, short, strings.ToLower(name), strings.ToLower(short), strconv.Itoa(n)} {
			if got, err := services.ParseSignal(text); err != nil || got != sig {
				t.Errorf("%q is read as %v, %v, want %v", text, got, err, sig)
			}
		}
	}
	for text, want := range map[string]syscall.Signal{"TERM": syscall.SIGTERM, "sigquit": syscall.SIGQUIT, "Usr1": syscall.SIGUSR1, "9": syscall.SIGKILL} {
		if got, err := services.ParseSignal(text); err != nil || got != want {
			t.Errorf("%q is read as %v, %v", text, got, err)
		}
	}
}

func TestWhatIsNoSignalIsRefusedWithAHint(t *testing.T) {
	for _, text := range []string{"", "SIG", "SIGSIGTERM", "TERMINATE", "0", "-9", "65", "1e1", "signal 0", "signal x", " TERM", "9999999999999999999999"} {
		got, err := services.ParseSignal(text)
		if services.KindOf(err) != services.Invalid || !strings.Contains(err.Error(), strconv.Quote(text)) || !strings.Contains(err.Error(), "such as TERM") {
			t.Errorf("%q is read as %v, %v", text, got, err)
		}
	}
}
