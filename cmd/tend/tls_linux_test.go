package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"tend/services"
)

func TestOverTLSPagesRESTStreamsAndWebsocketsWorkAndPlainHTTPIsToldSo(t *testing.T) {
	w := newWard(t, 0, nil)
	w.configure("tls: self-signed\nservers:\n  a: {command: [sh, -c, 'echo hello; exec sleep 1000']}\n")
	w.open()
	w.waitFor("a", services.Running)
	info, err := w.client.Info(t.Context())
	if err != nil || !strings.HasPrefix(info.URL, "https://") {
		t.Fatalf("%+v %v", info, err)
	}
	pool := x509.NewCertPool()
	text, err := os.ReadFile(filepath.Join(w.dir, ".tend", "tls", "cert.pem"))
	if err != nil || !pool.AppendCertsFromPEM(text) {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	for path, want := range map[string]string{"/": `id="server-a"`, "/api/servers": `"name":"a"`, "/api/servers/a/logs": "hello"} {
		res, err := client.Get(info.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.ProtoMajor != 2 || res.StatusCode != 200 || !strings.Contains(string(body), want) || res.Header.Get("Strict-Transport-Security") != "" {
			t.Errorf("%s: %s %d", path, res.Proto, res.StatusCode)
		}
	}

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, "GET", info.URL+"/api/events", nil)
	res, err := client.Do(req)
	if err != nil || res.ProtoMajor != 2 {
		t.Fatalf("%v %v", res, err)
	}
	defer res.Body.Close()
	if code, _, errs := w.tend("restart", "a"); code != 0 {
		t.Error(errs)
	}
	for lines := bufio.NewScanner(res.Body); ; {
		if !lines.Scan() {
			t.Fatalf("the stream ended: %v", lines.Err())
		}
		if lines.Text() == "event: started" {
			break
		}
	}
	cancel()

	dialer := &websocket.Dialer{TLSClientConfig: &tls.Config{RootCAs: pool}}
	socket := strings.Replace(info.URL, "https", "wss", 1) + "/ws?topic=overview"
	conn, _, err := dialer.DialContext(t.Context(), socket, http.Header{"Origin": {info.URL}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, _, err := conn.ReadMessage(); err != nil {
		t.Error(err)
	}
	insecure := strings.Replace(info.URL, "https", "http", 1)
	if _, _, err := dialer.DialContext(t.Context(), socket, http.Header{"Origin": {insecure}}); err == nil {
		t.Error("the same name without a certificate counts as the same origin")
	}

	res, err = http.Get(insecure + "/servers/a")
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(res.Body)
	res.Body.Close()
	if res.StatusCode != 400 || !strings.Contains(string(body), "open "+info.URL) {
		t.Errorf("plain HTTP got %d %s", res.StatusCode, body)
	}
	if _, out, errs := w.tend("open"); !strings.Contains(out, info.URL) || !strings.Contains(errs, info.Certificate) || info.Certificate == "" || !strings.Contains(w.output.String(), info.Certificate) {
		t.Errorf("open says %q and %q; the log %s", out, errs, w.output.String())
	}
}

func TestAReloadSaysThatAnotherCertificateNeedsARestart(t *testing.T) {
	w := newWard(t, 0, nil)
	const servers = "servers:\n  a: {command: [sleep, '1000']}\n"
	w.configure(servers)
	w.open()
	w.configure("tls: self-signed\n" + servers)
	if code, out, errs := w.tend("reload", "--dry-run"); code != 0 || !strings.Contains(out+errs, "tls: the next tend serve uses it") {
		t.Errorf("%d %s %s", code, out, errs)
	}
}

func TestACertificateThatIsNotThereIsRefusedBeforeAnythingStarts(t *testing.T) {
	w := newWard(t, 0, nil)
	w.configure("tls: {cert: none.pem, key: none.pem}\nservers:\n  a: {command: [sleep, '1000']}\n")
	if code, _, errs := w.tend("serve"); code == 0 || !strings.Contains(errs, "none.pem") {
		t.Errorf("%d %s", code, errs)
	}
	w.configure("servers:\n  a: {command: [sleep, '1000']}\n")
	w.open()
}
