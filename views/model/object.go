package model

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// object is a line that is an object of JSON, as zap, slog, pino, bunyan and
// logrus write one.
type object struct {
	level   Level
	message string
	fields  []field // the rest, times last
}

// field is one more thing that such a line tells: a string, or JSON.
type field struct {
	name, value string
}

const (
	maxFields = 64      // of one line that are shown
	maxField  = 2 << 10 // bytes of one of them
)

var (
	levelKeys   = map[string]bool{"level": true, "lvl": true, "severity": true, "levelname": true, "log.level": true, "@level": true, "loglevel": true}
	messageKeys = map[string]bool{"msg": true, "message": true, "@message": true, "event": true}
	timeKeys    = map[string]bool{"time": true, "ts": true, "timestamp": true, "@timestamp": true, "t": true}
)

// objectOf reads a line that is such an object. False for any other line, also
// for an object that has neither level nor message: that is data.
func objectOf(text []byte) (object, bool) {
	var o object
	text = bytes.TrimSpace(text)
	if len(text) < 2 || text[0] != '{' || text[len(text)-1] != '}' {
		return o, false
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if _, err := d.Token(); err != nil {
		return o, false
	}
	var times []field
	messages := 0
	for d.More() {
		token, err := d.Token()
		key, ok := token.(string)
		var raw json.RawMessage
		if err != nil || !ok || d.Decode(&raw) != nil {
			return o, false
		}
		value := valueOf(raw)
		switch {
		case levelKeys[key] && o.level == LevelNone && o.takeLevel(raw, value):
		case messageKeys[key] && messages == 0 && raw[0] == '"':
			o.message = value
			messages++
		case timeKeys[key]:
			times = append(times, field{key, value})
		case len(o.fields) < maxFields:
			o.fields = append(o.fields, field{key, value})
		}
	}
	if _, err := d.Token(); err != nil || int(d.InputOffset()) != len(text) {
		return o, false
	}
	o.fields = append(o.fields, times...)
	return o, o.level != LevelNone || messages > 0
}

// takeLevel reports whether the value says a level.
func (o *object) takeLevel(raw []byte, value string) bool {
	if n, err := strconv.ParseFloat(string(raw), 64); err == nil {
		o.level = levelNumbered(n)
	} else {
		o.level = levelNamed([]byte(value))
	}
	return o.level != LevelNone
}

// valueOf is a string without its quotes, anything else as it is written.
func valueOf(raw json.RawMessage) string {
	if len(raw) > 0 && raw[0] == '"' {
		var text string
		if json.Unmarshal(raw, &text) == nil {
			return text
		}
	}
	return strings.TrimSpace(string(raw))
}
