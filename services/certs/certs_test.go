package certs

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tend/services"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is a time that a test sets.
type clock struct {
	mu  sync.Mutex // guards what follows
	now time.Time
}

func (c *clock) time() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// made is a pair that is written into files of its own.
func made(t *testing.T, dir string, hosts ...string) (cert, key string) {
	t.Helper()
	keyText, certText, err := (&Keeper{options: Options{Hosts: hosts, Now: time.Now}}).makePair()
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	write(t, cert, certText)
	write(t, key, keyText)
	return cert, key
}

func write(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := replace(path, text); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// shake makes one handshake with what the keeper has, and returns the
// fingerprint of the certificate that was shown.
func shake(t *testing.T, k *Keeper, client *tls.Config) (*tls.ConnectionState, error) {
	t.Helper()
	near, far := net.Pipe()
	defer near.Close()
	served := make(chan error, 1)
	go func() {
		defer far.Close()
		server := tls.Server(far, k.Config())
		err := server.Handshake()
		if err == nil {
			io.WriteString(server, "x")
		}
		served <- err
	}()
	conn := tls.Client(near, client)
	_, err := io.ReadFull(conn, make([]byte, 1))
	near.Close()
	if serverErr := <-served; err == nil {
		err = serverErr
	}
	state := conn.ConnectionState()
	return &state, err
}

func trusting(t *testing.T, path, name string) *tls.Config {
	t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(read(t, path)) {
		t.Fatal("no certificate")
	}
	return &tls.Config{RootCAs: pool, ServerName: name, NextProtos: []string{"h2"}}
}

func TestASelfSignedCertificateIsMadeOnceForAllNamesAndIsReadableByItsOwnerAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tls")
	o := Options{SelfSigned: dir, Hosts: append(Hosts("192.0.2.7:80"), "not a name!")}
	k, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"localhost", "127.0.0.1", "::1", "192.0.2.7"} {
		state, err := shake(t, k, trusting(t, filepath.Join(dir, "cert.pem"), name))
		if err != nil || state.NegotiatedProtocol != "h2" || state.Version != tls.VersionTLS13 {
			t.Errorf("%s: %v %+v", name, err, state)
		}
	}
	for _, name := range []string{"", "self-signed.pem", "cert.pem"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%q: %v %v", name, info.Mode(), err)
		}
	}
	again, err := Open(o)
	if err != nil || again.Fingerprint() != k.Fingerprint() || len(k.Fingerprint()) != 32*3-1 || strings.Trim(k.Fingerprint(), "0123456789ABCDEF:") != "" {
		t.Errorf("%v: %s and %s", err, again.Fingerprint(), k.Fingerprint())
	}
	o.Hosts = append(o.Hosts, "other.example")
	if other, err := Open(o); err != nil || other.Fingerprint() == k.Fingerprint() {
		t.Errorf("another name: %v", err)
	}
	if leaf := k.current.Load().leaf; leaf.IsCA || leaf.KeyUsage&x509.KeyUsageCertSign != 0 {
		t.Error("it could sign certificates of others")
	}
}

func TestASelfSignedCertificateIsMadeAnewWhereAConfiguredHostIsMissingAndStaysWhereNoneIs(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tls")
	last := ""
	for _, tt := range []struct {
		what  string
		hosts []string
		anew  bool
	}{
		{"no hosts", nil, true},
		{"a first one", []string{"tend.test"}, true},
		{"the same", []string{"tend.test"}, false},
		{"one that it is for anyway", []string{"tend.test", "localhost", "127.0.0.1"}, false},
		{"all that the configuration allows", []string{"tend.test", "_my_box", "xn--bcher-kva.example", "192.0.2.8", "2001:db8::1"}, true},
		{"fewer, in another order", []string{"2001:db8::1", "tend.test"}, false},
		{"what no certificate can be for", []string{"tend.test", "fe80::1%eth0"}, false},
	} {
		k, err := Open(Options{SelfSigned: dir, Hosts: Hosts("127.0.0.1:7777", tt.hosts...)})
		if err != nil {
			t.Fatalf("%s: %v", tt.what, err)
		}
		if anew := k.Fingerprint() != last; anew != tt.anew {
			t.Errorf("%s: made anew %v", tt.what, anew)
		}
		last = k.Fingerprint()
		for _, name := range append([]string{"localhost"}, tt.hosts...) {
			if _, err := shake(t, k, trusting(t, filepath.Join(dir, "cert.pem"), name)); (err == nil) != names(name) {
				t.Errorf("%s: %s: %v", tt.what, name, err)
			}
		}
		k.Look()
		if k.Fingerprint() != last {
			t.Errorf("%s: a look made it anew", tt.what)
		}
	}
}

func TestASelfSignedCertificateIsRenewedBeforeItExpiresAndAnEventSaysSo(t *testing.T) {
	c, said := &clock{now: time.Now()}, []string{}
	k, err := Open(Options{SelfSigned: t.TempDir(), Hosts: Hosts("127.0.0.1:1"), Now: c.time, Report: func(e services.Event) { said = append(said, e.Message) }})
	if err != nil {
		t.Fatal(err)
	}
	first := k.Fingerprint()
	c.add(validity - renewal - time.Hour)
	k.Look()
	if k.Fingerprint() != first || len(said) > 0 {
		t.Errorf("made anew too soon: %v", said)
	}
	c.add(2 * time.Hour)
	if _, err := shake(t, k, &tls.Config{InsecureSkipVerify: true}); err != nil {
		t.Fatal(err)
	}
	if k.Fingerprint() == first || len(said) != 1 || !strings.Contains(said[0], k.Fingerprint()) {
		t.Errorf("not renewed: %q", said)
	}
}

func TestFilesAreReadAgainWhenTheyChangeAndHalfAPairChangesNothing(t *testing.T) {
	c, said := &clock{now: time.Now()}, []string{}
	dir := t.TempDir()
	cert, key := made(t, dir, "localhost")
	k, err := Open(Options{Cert: cert, Key: key, Now: c.time, Report: func(e services.Event) { said = append(said, e.Message) }})
	if err != nil {
		t.Fatal(err)
	}
	first := k.Fingerprint()
	newCert, newKey := made(t, t.TempDir(), "localhost")

	write(t, cert, read(t, newCert))
	for range 3 {
		c.add(2 * time.Second)
		if _, err := shake(t, k, &tls.Config{InsecureSkipVerify: true}); err != nil {
			t.Fatal(err)
		}
	}
	if k.Fingerprint() != first || len(said) != 1 || !strings.Contains(said[0], "the one before stays") {
		t.Errorf("half a pair: %q", said)
	}
	write(t, key, read(t, newKey))
	k.Look()
	if k.Fingerprint() != first {
		t.Error("files are looked at more than once a second")
	}
	c.add(2 * time.Second)
	state, err := shake(t, k, trusting(t, newCert, "localhost"))
	if err != nil || k.Fingerprint() == first || len(said) != 2 {
		t.Errorf("the whole pair: %v %q %v", err, said, state)
	}
	os.Remove(cert)
	c.add(2 * time.Second)
	if _, err := shake(t, k, trusting(t, newCert, "localhost")); err != nil || len(said) != 3 {
		t.Errorf("without a file: %v %q", err, said)
	}
}

func TestClientCertificatesAreRequiredOrOptional(t *testing.T) {
	dir := t.TempDir()
	cert, key := made(t, dir, "localhost")
	client, foreign := authority(t), authority(t)
	ca := filepath.Join(dir, "clients.pem")
	write(t, ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: client.Certificate[0]}))
	for _, tt := range []struct {
		optional bool
		shown    []tls.Certificate
		let      bool
	}{{false, nil, false}, {true, nil, true}, {false, []tls.Certificate{client}, true}, {true, []tls.Certificate{client}, true}, {true, []tls.Certificate{foreign}, false}, {false, []tls.Certificate{foreign}, false}} {
		k, err := Open(Options{Cert: cert, Key: key, ClientCA: ca, Optional: tt.optional})
		if err != nil {
			t.Fatal(err)
		}
		config := trusting(t, cert, "localhost")
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			if len(tt.shown) == 0 {
				return new(tls.Certificate), nil
			}
			return &tt.shown[0], nil
		}
		if _, err := shake(t, k, config); (err == nil) != tt.let {
			t.Errorf("optional %v, %d shown: %v", tt.optional, len(tt.shown), err)
		}
	}
}

func TestOldProtocolsAreRefused(t *testing.T) {
	cert, key := made(t, t.TempDir(), "localhost")
	k, err := Open(Options{Cert: cert, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := shake(t, k, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}); err == nil {
		t.Error("TLS 1.1 was spoken")
	}
}

func TestWhatCannotBeUsedIsRefusedWithASentence(t *testing.T) {
	dir := t.TempDir()
	cert, key := made(t, dir, "localhost")
	empty := filepath.Join(dir, "empty.pem")
	write(t, empty, nil)
	open := filepath.Join(dir, "open.pem")
	write(t, open, read(t, key))
	os.Chmod(open, 0o644)
	for want, o := range map[string]Options{
		"no such file":               {Cert: "/no/cert", Key: key},
		"are no pair":                {Cert: cert, Key: empty},
		"chmod o-rw " + open:         {Cert: cert, Key: open},
		"holds no certificate":       {Cert: cert, Key: key, ClientCA: empty},
		"the certificate has no pla": {SelfSigned: cert + "/tls", Hosts: []string{"localhost"}},
	} {
		_, err := Open(o)
		if services.KindOf(err) != services.Invalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestTheNamesOfACertificateFollowTheAddress(t *testing.T) {
	if hosts := Hosts("0.0.0.0:80"); slices.Contains(hosts, "0.0.0.0") || !slices.Contains(hosts, "localhost") {
		t.Errorf("%v", hosts)
	}
	if hosts := Hosts("Box.example:80"); !slices.Contains(hosts, "box.example") {
		t.Errorf("%v", hosts)
	}
}
