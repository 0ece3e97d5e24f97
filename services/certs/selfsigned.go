package certs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tend/services"
)

const (
	// validity is below the 398 days beyond which some browsers refuse.
	validity = 365 * 24 * time.Hour
	// renewal is how long before its end a pair is made anew.
	renewal = 30 * 24 * time.Hour

	pairName = "self-signed.pem" // key and certificate in one file, so that they always fit
	certName = "cert.pem"        // the certificate alone, for those who are to trust it
)

func (k *Keeper) pairPath() string { return filepath.Join(k.options.SelfSigned, pairName) }

// Hosts returns what a certificate of a server that listens on an address is
// for: its host, the names of this machine, those of loopback, and more by which
// it is reached.
func Hosts(listen string, more ...string) []string {
	hosts := append([]string{"localhost", "127.0.0.1", "::1"}, more...)
	if name, err := os.Hostname(); err == nil {
		hosts = append(hosts, strings.ToLower(name))
	}
	host, _, err := net.SplitHostPort(listen)
	if ip := net.ParseIP(host); err == nil && host != "" && (ip == nil || !ip.IsUnspecified()) {
		hosts = append(hosts, strings.ToLower(host))
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

// ripe reports whether a pair that was made here has to be made anew: it is
// about to expire, is not valid yet, or is not for all hosts.
func (k *Keeper) ripe(leaf *x509.Certificate) bool {
	now := k.options.Now()
	if now.Add(renewal).After(leaf.NotAfter) || now.Before(leaf.NotBefore) {
		return true
	}
	return slices.ContainsFunc(k.options.Hosts, func(host string) bool { return names(host) && leaf.VerifyHostname(host) != nil })
}

// names reports whether a certificate can be for a host.
func names(host string) bool {
	return net.ParseIP(host) != nil || host != "" && len(host) < 254 && strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789.-_") == ""
}

// ensurePair makes a pair where there is none that can be used.
func (k *Keeper) ensurePair() error {
	if text, err := os.ReadFile(k.pairPath()); err == nil {
		for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
			if block.Type != "CERTIFICATE" {
				continue
			}
			if leaf, err := x509.ParseCertificate(block.Bytes); err == nil && !k.ripe(leaf) {
				return nil
			}
		}
	}
	key, cert, err := k.makePair()
	if err != nil {
		return fmt.Errorf("make a certificate: %w", err)
	}
	dir := k.options.SelfSigned
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return services.Errorf(services.Invalid, "tls: self-signed: the certificate has no place: %v", err)
	}
	for _, file := range []struct {
		name string
		text []byte
	}{{certName, cert}, {pairName, append(key, cert...)}} {
		if err := replace(filepath.Join(dir, file.name), file.text); err != nil {
			return services.Errorf(services.Invalid, "tls: self-signed: the certificate cannot be written: %v", err)
		}
	}
	return nil
}

// makePair returns a key and a certificate by it in PEM. The certificate is no
// authority: whoever trusts it trusts this one server and nothing else.
func (k *Keeper) makePair() (keyText, certText []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, nil, err
	}
	now := k.options.Now()
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "tend", Organization: []string{"made by tend for itself"}},
		NotBefore:    now.Add(-time.Hour), NotAfter: now.Add(validity),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	for _, host := range k.options.Hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else if names(host) {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, nil, err
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), nil
}

// replace writes a file that only its owner may read, from its first byte on.
func replace(path string, text []byte) error {
	temp := path + ".new"
	os.Remove(temp) //nolint:errcheck // mostly there is none
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if syncErr := f.Sync(); err == nil {
		err = syncErr
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		os.Remove(temp) //nolint:errcheck // the error that counts is there
		return err
	}
	return os.Rename(temp, path)
}
