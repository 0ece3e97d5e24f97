// Package certs keeps what the dashboard's TLS needs: a certificate from files,
// which is read again when they change, or one that it makes itself.
//
// It looks at the files when somebody connects, at most once a second, so that
// nothing wakes for it. What cannot be used (half of a new pair is there, a
// file is torn) changes nothing: the old certificate stays in use, an event
// says so once, and the next look tries again.
//
// No Strict-Transport-Security goes with it. That header is about a host and
// not a port, and lasts: on localhost it would lock a browser out of every
// other development server there, for months, and a self-signed certificate
// that is renewed would then leave no way to accept it.
package certs

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"tend/services"
)

// Options say where the certificate comes from: Cert and Key, or SelfSigned.
type Options struct {
	Cert, Key string // files in PEM

	// ClientCA is a file of authorities in PEM. Who connects has to show a
	// certificate by one of them, or, with Optional, may show none.
	ClientCA string
	Optional bool

	SelfSigned string   // the directory of a pair that is made here
	Hosts      []string // names and addresses that this pair is for

	Report func(services.Event)
	Now    func() time.Time // nil for the clock
}

// lookEvery is how often files are looked at while people connect.
const lookEvery = time.Second

// Keeper has the present certificate. Everybody may call its methods.
type Keeper struct {
	options Options
	current atomic.Pointer[material]
	looked  atomic.Int64 // when files were last looked at, unix nanoseconds

	mu     sync.Mutex // guards what follows, and keeps two looks apart
	failed string     // what was reported of a look
}

// material is what was made of the files at one time.
type material struct {
	config      *tls.Config
	leaf        *x509.Certificate
	fingerprint string
	seen        []fs.FileInfo
}

// Open reads the certificate, or makes it. Invalid, with a sentence that says
// what to mend.
func Open(o Options) (*Keeper, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	k := &Keeper{options: o}
	m, err := k.load()
	if err != nil {
		return nil, err
	}
	k.current.Store(m)
	return k, nil
}

// Fingerprint is the SHA-256 of the present certificate, as browsers show it.
func (k *Keeper) Fingerprint() string { return k.current.Load().fingerprint }

// Config is for a server. It follows the files.
func (k *Keeper) Config() *tls.Config {
	config := k.current.Load().config.Clone()
	config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		k.Look()
		return k.current.Load().config, nil
	}
	return config
}

// Look reads the files again if they have changed, or makes the pair anew if it
// is about to expire. It does nothing if that was done a moment ago.
func (k *Keeper) Look() {
	now := k.options.Now().UnixNano()
	before := k.looked.Load()
	if now-before < int64(lookEvery) && now >= before || !k.looked.CompareAndSwap(before, now) {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	old := k.current.Load()
	if !k.due(old) {
		return
	}
	m, err := k.load()
	if err != nil {
		if said := err.Error(); said != k.failed {
			k.failed = said
			k.report("the changed certificate is not used, the one before stays: " + said)
		}
		return
	}
	k.failed = ""
	k.current.Store(m)
	if m.fingerprint != old.fingerprint {
		k.report(fmt.Sprintf("the dashboard has another certificate, valid until %s, SHA-256 %s", m.leaf.NotAfter.Local().Format(time.DateOnly), m.fingerprint))
	}
}

func (k *Keeper) report(message string) {
	if k.options.Report != nil {
		k.options.Report(services.Event{Kind: services.EventManager, Message: message})
	}
}

// files are those that are read.
func (k *Keeper) files() []string {
	if k.options.SelfSigned != "" {
		return []string{k.pairPath()}
	}
	files := []string{k.options.Cert, k.options.Key}
	if k.options.ClientCA != "" {
		files = append(files, k.options.ClientCA)
	}
	return files
}

// due reports whether the material is out of date.
func (k *Keeper) due(m *material) bool {
	if k.options.SelfSigned != "" && k.ripe(m.leaf) {
		return true
	}
	for i, path := range k.files() {
		info, err := os.Stat(path)
		if err != nil {
			return true
		}
		if was := m.seen[i]; !os.SameFile(was, info) || was.Size() != info.Size() || !was.ModTime().Equal(info.ModTime()) {
			return true
		}
	}
	return false
}

// load makes material of the files as they are now.
func (k *Keeper) load() (*material, error) {
	o := k.options
	if o.SelfSigned != "" {
		if err := k.ensurePair(); err != nil {
			return nil, err
		}
		o.Cert, o.Key = k.pairPath(), k.pairPath()
	}
	m := &material{}
	for _, path := range k.files() { // before they are read: a change in between is seen later
		info, err := os.Stat(path)
		if err != nil {
			return nil, services.Errorf(services.Invalid, "tls: %v: check the path", err)
		}
		m.seen = append(m.seen, info)
	}
	if key := m.seen[min(1, len(m.seen)-1)]; key.Mode().Perm()&0o006 != 0 {
		return nil, services.Errorf(services.Invalid, "tls: the key %s is open to everybody: chmod o-rw %s", o.Key, o.Key)
	}
	pair, err := tls.LoadX509KeyPair(o.Cert, o.Key)
	if err != nil {
		return nil, services.Errorf(services.Invalid, "tls: %s and %s are no pair of a certificate and its key: %v", o.Cert, o.Key, err)
	}
	m.leaf = pair.Leaf
	sum := sha256.Sum256(pair.Certificate[0])
	m.fingerprint = strings.ReplaceAll(fmt.Sprintf("% X", sum), " ", ":")
	m.config = &tls.Config{
		Certificates: []tls.Certificate{pair},
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"h2", "http/1.1"}, // browsers ask for the latter alone for a websocket
	}
	if o.ClientCA == "" {
		return m, nil
	}
	text, err := os.ReadFile(o.ClientCA)
	if err != nil {
		return nil, services.Errorf(services.Invalid, "tls: client_ca cannot be read: %v", err)
	}
	m.config.ClientCAs = x509.NewCertPool()
	if !m.config.ClientCAs.AppendCertsFromPEM(text) {
		return nil, services.Errorf(services.Invalid, "tls: client_ca %s holds no certificate in PEM", o.ClientCA)
	}
	m.config.ClientAuth = tls.RequireAndVerifyClientCert
	if o.Optional {
		m.config.ClientAuth = tls.VerifyClientCertIfGiven
	}
	return m, nil
}
