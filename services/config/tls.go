package config

// TLS says how the dashboard proves who it is. The zero value is plain HTTP.
type TLS struct {
	SelfSigned bool
	Cert, Key  string // absolute; files in PEM
	ClientCA   string // absolute; who connects has to show a certificate by it, empty for nobody
	Optional   bool   // or may show none
}

// On reports whether the dashboard speaks HTTPS.
func (t TLS) On() bool { return t != TLS{} }

const selfSigned = "self-signed"

// tls reads the word self-signed, or the files of a certificate.
func (d *decoder) tls(n *node, into *TLS) {
	const what = "{cert: ./cert.pem, key: ./key.pem}, or self-signed"
	if n.kind == text {
		value, ok := d.expand(n, "tls")
		switch {
		case !ok:
		case value == selfSigned:
			*into = TLS{SelfSigned: true}
		default:
			d.add(n.at, "tls", "wants %s, not %s", what, quoteCut(value, `"`))
		}
		return
	}
	if n.kind != object {
		d.wants(n, "tls", what)
		return
	}
	before := d.noted()
	var t TLS
	var clientAt place
	d.object(n, "tls", fields{
		"cert":      func(n *node) { d.path(n, "tls.cert", "./cert.pem", &t.Cert) },
		"key":       func(n *node) { d.path(n, "tls.key", "./key.pem", &t.Key) },
		"client_ca": func(n *node) { d.path(n, "tls.client_ca", "./clients.pem", &t.ClientCA) },
		"client": func(n *node) {
			clientAt = n.at
			var word clientAuth
			choice(d, n, "tls.client", &word, clientRequired, clientOptional)
			t.Optional = word == clientOptional
		},
	})
	switch {
	case d.noted() > before: // reported
	case t.Cert == "" || t.Key == "":
		d.add(n.at, "tls", "wants a certificate and its key: write %s", what)
	case clientAt != place{} && t.ClientCA == "":
		d.add(clientAt, "tls.client", "needs client_ca: the authority whose certificates are taken")
	default:
		*into = t
	}
}

// clientAuth says what who connects has to show.
type clientAuth string

const (
	clientRequired clientAuth = "required"
	clientOptional clientAuth = "optional"
)
