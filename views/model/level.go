package model

import "bytes"

// Level is how grave a line of a log is. Levels can be compared.
type Level int

// The levels, and none for a line that names none.
const (
	LevelNone Level = iota
	LevelTrace
	LevelDebug
	LevelInfo
	LevelWarn
	LevelError
	LevelFatal
)

var levels = [...]struct{ key, word string }{
	{"", ""}, {"trace", "TRACE"}, {"debug", "DEBUG"}, {"info", "INFO"}, {"warn", "WARN"}, {"error", "ERROR"}, {"fatal", "FATAL"},
}

// Key is the level as it stands in addresses and classes, "" for none.
func (l Level) Key() string { return levels[l].key }

// Word is the level as it is shown.
func (l Level) Word() string { return levels[l].word }

// LevelOf reads what Key writes; anything else is none.
func LevelOf(key string) Level {
	for l, level := range levels {
		if level.key == key {
			return Level(l)
		}
	}
	return LevelNone
}

// names are the words by which programs call levels, in lower case.
var names = map[string]Level{
	"trace": LevelTrace, "trc": LevelTrace, "verbose": LevelTrace, "silly": LevelTrace, "finest": LevelTrace,
	"debug": LevelDebug, "dbg": LevelDebug, "debu": LevelDebug, "fine": LevelDebug,
	"info": LevelInfo, "inf": LevelInfo, "information": LevelInfo, "notice": LevelInfo, "log": LevelInfo,
	"warn": LevelWarn, "warning": LevelWarn, "wrn": LevelWarn,
	"error": LevelError, "err": LevelError, "eror": LevelError, "severe": LevelError, "erro": LevelError,
	"fatal": LevelFatal, "panic": LevelFatal, "dpanic": LevelFatal, "critical": LevelFatal, "crit": LevelFatal,
	"emerg": LevelFatal, "emergency": LevelFatal, "alert": LevelFatal, "fata": LevelFatal, "pani": LevelFatal,
}

// longestName is how long a word can be and still name a level.
const longestName = 11

// levelNamed understands a name in any case, also with slog's distance
// ("WARN+2").
func levelNamed(word []byte) Level {
	if i := bytes.IndexAny(word, "+-"); i > 0 {
		word = word[:i]
	}
	if len(word) > longestName {
		return LevelNone
	}
	var room [longestName]byte
	n := copy(room[:], word)
	for i, c := range room[:n] {
		if c >= 'A' && c <= 'Z' {
			room[i] = c + 'a' - 'A'
		}
	}
	return names[string(room[:n])]
}

// levelNumbered understands the numbers of bunyan and pino.
func levelNumbered(n float64) Level {
	switch {
	case n < 10 || n > 100:
		return LevelNone
	case n < 20:
		return LevelTrace
	case n < 30:
		return LevelDebug
	case n < 40:
		return LevelInfo
	case n < 50:
		return LevelWarn
	case n < 60:
		return LevelError
	}
	return LevelFatal
}

const (
	levelWithin  = 120 // bytes at the beginning of a line in which a word can name its level
	levelKeysIn  = 512 // and those in which level=warn can stand
	bracketsOpen = "[<(|"
)

// textLevel finds the level of a line of plain text, without escape sequences:
// level=warn, [warn], WARN, "warn:" at its beginning, or W0102 as klog has it.
func textLevel(text []byte) Level {
	if l := keyedLevel(text[:min(len(text), levelKeysIn)]); l != LevelNone {
		return l
	}
	if l := klogLevel(text); l != LevelNone {
		return l
	}
	head := text[:min(len(text), levelWithin)]
	first := true
	for i := 0; i < len(head); {
		if !isLetter(head[i]) {
			i++
			continue
		}
		end := i
		for end < len(text) && isLetter(text[end]) {
			end++
		}
		var before, after byte = ' ', ' '
		if i > 0 {
			before = head[i-1]
		}
		if end < len(text) {
			after = text[end]
		}
		if l := levelNamed(text[i:end]); l != LevelNone && namesLevel(text[i:end], before, after, first) {
			return l
		}
		first, i = false, end
	}
	return LevelNone
}

// namesLevel reports whether a word that could be a level is one where it
// stands, and not a word of a sentence.
func namesLevel(word []byte, before, after byte, first bool) bool {
	if isPart(before) || isPart(after) {
		return false
	}
	upper := word[0] < 'a' && word[len(word)-1] < 'a'
	switch {
	case bytes.IndexByte([]byte(bracketsOpen), before) >= 0 && bytes.IndexByte([]byte("]>)|:"), after) >= 0:
		return true
	case first && after == ':':
		return true
	}
	return upper && len(word) > 2 && string(word) != "LOG" && string(word) != "FINE"
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// isPart reports whether a byte beside a word makes it part of something else:
// a path, a name, a number.
func isPart(c byte) bool {
	return c >= '0' && c <= '9' || c == '_' || c == '-' || c == '/' || c == '.' || c >= 0x80
}

// keyedLevel finds level=warn, lvl="warn", severity=warn.
func keyedLevel(text []byte) Level {
	for _, key := range [...]string{"level=", "lvl=", "severity="} {
		at := bytes.Index(text, []byte(key))
		if at < 0 || at > 0 && (isLetter(text[at-1]) || isPart(text[at-1])) {
			continue
		}
		value := bytes.TrimLeft(text[at+len(key):], `"`)
		end := 0
		for end < len(value) && (isLetter(value[end]) || value[end] == '+') {
			end++
		}
		if l := levelNamed(value[:end]); l != LevelNone {
			return l
		}
	}
	return LevelNone
}

// klogLevel understands "W0102 15:04:05...".
func klogLevel(text []byte) Level {
	if len(text) < 6 || text[5] != ' ' {
		return LevelNone
	}
	for _, c := range text[1:5] {
		if c < '0' || c > '9' {
			return LevelNone
		}
	}
	switch text[0] {
	case 'I':
		return LevelInfo
	case 'W':
		return LevelWarn
	case 'E':
		return LevelError
	case 'F':
		return LevelFatal
	}
	return LevelNone
}

// objectLevel finds the level of an object of JSON without reading all of it,
// which takes ten times as long: of many million lines a filter looks at
// nothing else. False where the level does not stand before all inner objects.
func objectLevel(text []byte) (Level, bool) {
	if len(text) == 0 || text[0] != '{' || text[len(text)-1] != '}' {
		return LevelNone, false
	}
	flat := text[1:min(len(text), levelKeysIn)]
	if i := bytes.IndexAny(flat, "{\\"); i >= 0 {
		flat = flat[:i]
	}
	at := bytes.Index(flat, []byte(`"level":`))
	if at < 0 {
		return LevelNone, false
	}
	value := bytes.TrimLeft(flat[at+len(`"level":`):], " ")
	if len(value) > 0 && value[0] == '"' {
		end := bytes.IndexByte(value[1:], '"')
		if end < 0 {
			return LevelNone, false
		}
		l := levelNamed(value[1 : 1+end])
		return l, l != LevelNone
	}
	if len(value) > 2 && value[0] >= '1' && value[0] <= '9' && value[1] == '0' && (value[2] == ',' || value[2] == '}') {
		l := levelNumbered(float64(value[0]-'0') * 10)
		return l, l != LevelNone
	}
	return LevelNone, false
}

// Leveler finds the levels of the lines of one log: a line that is indented
// belongs to the one before. The zero value is ready. Not for concurrent use.
type Leveler struct{ last Level }

// Of returns the level of a line, as it was written.
func (v *Leveler) Of(text []byte) Level {
	if len(text) > 0 && (text[0] == ' ' || text[0] == '\t') {
		return v.last
	}
	if l, ok := objectLevel(text); ok {
		v.last = l
		return l
	}
	v.last = LevelNone
	if object, ok := objectOf(text); ok {
		v.last = object.level
	} else {
		v.last = textLevel(plain(text[:min(len(text), 2*levelKeysIn)]))
	}
	return v.last
}

// plain is the text without escape sequences; it is the text itself where
// there are none.
func plain(text []byte) []byte {
	if bytes.IndexByte(text, 0x1b) < 0 {
		return text
	}
	out := make([]byte, 0, len(text))
	for len(text) > 0 {
		if text[0] == 0x1b {
			n, _, _ := escape(text)
			text = text[max(n, 1):]
			continue
		}
		out, text = append(out, text[0]), text[1:]
	}
	return out
}
