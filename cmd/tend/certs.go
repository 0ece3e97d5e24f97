package main

import (
	"crypto/tls"
	"path/filepath"

	"tend/handlers"
	"tend/services/certs"
)

// openCerts reads or makes the certificate of the dashboard, where it is to
// have one.
func (m *manager) openCerts() (err error) {
	given := m.cfg.TLS
	if !given.On() {
		return nil
	}
	o := certs.Options{
		Cert: given.Cert, Key: given.Key, ClientCA: given.ClientCA, Optional: given.Optional,
		Hosts: certs.Hosts(m.cfg.Listen, m.cfg.Hosts...), Report: m.bus.Publish,
	}
	if given.SelfSigned {
		o.SelfSigned = filepath.Join(m.cfg.Data, "tls")
	}
	m.certs, err = certs.Open(o)
	return err
}

// url is the address of the dashboard.
func (m *manager) url() string {
	if m.certs != nil {
		return "https://" + m.address()
	}
	return "http://" + m.address()
}

func (m *manager) tlsConfig() *tls.Config {
	if m.certs == nil {
		return nil
	}
	return m.certs.Config()
}

// fingerprint tells the present certificate's, which may change.
func (m *manager) fingerprint() handlers.Fingerprint {
	if m.certs == nil {
		return nil
	}
	return m.certs.Fingerprint
}

// tellFingerprint logs what a browser shows of the certificate, so that the one
// that it warns of can be told from another.
func (m *manager) tellFingerprint() {
	if m.certs != nil {
		m.log.Info("the dashboard's certificate", "SHA-256", m.certs.Fingerprint(), "self-signed", m.cfg.TLS.SelfSigned)
	}
}
