package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"syscall"
	"testing"
	"time"

	"tend/services"
)

// anything fills a value at random, leaving about every third part of it out.
func anything(r *rand.Rand, v reflect.Value) {
	switch v.Interface().(type) {
	case services.Time:
		v.Set(reflect.ValueOf(services.Time{Time: time.UnixMilli(r.Int64N(4e12)).In(time.FixedZone("", 3600*r.IntN(12)))}))
		return
	case services.Exit:
		v.Set(reflect.ValueOf(services.Exit{Code: r.IntN(3) - 1, Signal: syscall.Signal(r.IntN(12)), At: time.UnixMilli(r.Int64N(4e12)), Seen: r.IntN(2) == 0}))
		return
	}
	if v.Kind() == reflect.Uint8 { // a vigour
		v.SetUint(r.Uint64N(7))
		return
	}
	if r.IntN(3) == 0 {
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			anything(r, v.Field(i))
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		anything(r, v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), r.IntN(3), 3))
		for i := range v.Len() {
			anything(r, v.Index(i))
		}
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		anything(r, key)
		anything(r, value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.String:
		texts := []string{"plain", `say "yes" \ no`, "<b>&amp;</b>", "tab\tand\nline", "käse \u2028", "bad \xff utf", "\x7f"}
		v.SetString(texts[r.IntN(len(texts))])
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(r.Int64N(1<<50) - 1<<40)
	case reflect.Uint64:
		v.SetUint(r.Uint64N(1 << 53))
	case reflect.Float64:
		v.SetFloat([]float64{0, 400, -1e-7, 1e22}[r.IntN(4)] * r.Float64())
	default:
		panic("no example for a " + v.Kind().String())
	}
}

func TestAListIsWrittenExactlyAsEncodingJSONWould(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		list := make([]services.Status, r.IntN(3))
		for i := range list {
			anything(r, reflect.ValueOf(&list[i]).Elem())
		}
		want, err := json.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		if got := appendList(nil, list); !bytes.Equal(got, want) {
			t.Fatalf("wrote\n%s\nwant\n%s", got, want)
		}
	}
}

func TestAnEventIsWrittenExactlyAsEncodingJSONWould(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		var e services.Event
		anything(r, reflect.ValueOf(&e).Elem())
		want, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		if got := appendEvent(nil, &e); !bytes.Equal(got, want) {
			t.Fatalf("wrote\n%s\nwant\n%s", got, want)
		}
	}
}

func BenchmarkListOfAThousandServers(b *testing.B) {
	healthy, tracking := true, services.TrackCgroup
	list := make([]services.Status, 1000)
	for i := range list {
		name := fmt.Sprintf("server-%04d", i)
		list[i] = services.Status{
			ID: name, Name: name, Command: "/usr/bin/server --port 8080", DependsOn: []string{},
			Phase: services.Running, Want: services.Up, Why: "running", Running: true, Healthy: &healthy,
			LastCheck: services.Time{Time: time.Now()}, Run: "0123456789abcdef", PID: 1234, Port: 8080,
			StartedAt: services.Time{Time: time.Now()}, Exit: &services.Exit{Code: 1, At: time.Now(), Seen: true},
			Tracking: &tracking, Rev: 1 << 50,
		}
	}
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = appendList(buf[:0], list)
	}
	b.SetBytes(int64(len(buf)))
}
