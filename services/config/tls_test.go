package config

import (
	"path/filepath"
	"testing"
)

func TestTheCertificateComesFromFilesOrIsMadeByTend(t *testing.T) {
	const servers = "servers: {a: {command: a}}\n"
	if c := good(t, servers); c.TLS.On() {
		t.Errorf("without the key: %+v", c.TLS)
	}
	if c := good(t, "tls: self-signed\n"+servers); c.TLS != (TLS{SelfSigned: true}) {
		t.Errorf("self-signed: %+v", c.TLS)
	}
	c := good(t, "tls: {cert: c.pem, key: /k.pem}\n"+servers)
	if want := (TLS{Cert: filepath.Join(c.Dir, "c.pem"), Key: "/k.pem"}); c.TLS != want {
		t.Errorf("files: %+v", c.TLS)
	}
	for client, optional := range map[string]bool{"": false, ", client: required": false, ", client: optional": true} {
		c := good(t, "tls: {cert: /c.pem, key: /k.pem, client_ca: ca.pem"+client+"}\n"+servers)
		if want := (TLS{Cert: "/c.pem", Key: "/k.pem", ClientCA: filepath.Join(c.Dir, "ca.pem"), Optional: optional}); c.TLS != want {
			t.Errorf("%q: %+v", client, c.TLS)
		}
	}
}
