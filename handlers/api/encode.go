package api

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"tend/services"
)

// stamp is how times are written.
const stamp = "2006-01-02T15:04:05.000Z07:00"

// appendList appends the JSON of a list of statuses. It writes what
// encoding/json would, ten times as fast: the list of a thousand servers is
// what scripts ask for most.
func appendList(b []byte, list []services.Status) []byte {
	b = append(b, '[')
	for i := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendStatus(b, &list[i])
	}
	return append(b, ']')
}

// appendEvent appends the JSON of an event, likewise: when a thousand servers
// start, everybody who watches gets thousands of them.
func appendEvent(b []byte, e *services.Event) []byte {
	b = strconv.AppendUint(append(b, `{"id":`...), e.ID, 10)
	b = appendTime(append(b, `,"at":`...), e.At.Time)
	b = appendString(append(b, `,"kind":`...), string(e.Kind))
	if e.Server != "" {
		b = appendString(append(b, `,"server":`...), e.Server)
	}
	b = appendString(append(b, `,"message":`...), e.Message)
	if e.By != "" {
		b = appendString(append(b, `,"by":`...), e.By)
	}
	if e.Crash {
		b = append(b, `,"crash":true`...)
	}
	if e.Resolve {
		b = append(b, `,"resolve":true`...)
	}
	if e.Status != nil {
		b = appendStatus(append(b, `,"status":`...), e.Status)
	}
	return append(b, '}')
}

func appendStatus(b []byte, s *services.Status) []byte {
	b = appendString(append(b, `{"id":`...), s.ID)
	b = appendString(append(b, `,"name":`...), s.Name)
	b = appendString(append(b, `,"description":`...), s.Description)
	b = appendString(append(b, `,"group":`...), s.Group)
	b = appendString(append(b, `,"command":`...), s.Command)
	b = appendStrings(append(b, `,"dependsOn":`...), s.DependsOn)
	b = appendStrings(append(b, `,"neededBy":`...), s.NeededBy)
	b = appendConditions(append(b, `,"until":`...), s.Until)
	b = appendString(append(b, `,"type":`...), string(s.Type))
	b = appendString(append(b, `,"schedule":`...), s.Schedule)
	b = appendString(append(b, `,"phase":`...), string(s.Phase))
	b = appendString(append(b, `,"want":`...), string(s.Want))
	b = appendString(append(b, `,"why":`...), s.Why)
	b = strconv.AppendBool(append(b, `,"running":`...), s.Running)
	b = append(b, `,"healthy":`...)
	if s.Healthy == nil {
		b = append(b, "null"...)
	} else {
		b = strconv.AppendBool(b, *s.Healthy)
	}
	b = appendTime(append(b, `,"lastCheck":`...), s.LastCheck.Time)
	b = appendString(append(b, `,"run":`...), s.Run)
	b = appendInt(append(b, `,"pid":`...), s.PID)
	b = appendInt(append(b, `,"port":`...), s.Port)
	b = appendTime(append(b, `,"startedAt":`...), s.StartedAt.Time)
	b = strconv.AppendInt(append(b, `,"restarts":`...), int64(s.Restarts), 10)
	b = appendExit(append(b, `,"exit":`...), s.Exit)
	b = appendTime(append(b, `,"nextAttempt":`...), s.NextAttempt.Time)
	b = appendTime(append(b, `,"nextRun":`...), s.NextRun.Time)
	b = strconv.AppendBool(append(b, `,"crashLoop":`...), s.CrashLoop)
	b = strconv.AppendBool(append(b, `,"adopted":`...), s.Adopted)
	b = appendName(append(b, `,"tracking":`...), s.Tracking)
	b = strconv.AppendBool(append(b, `,"drift":`...), s.Drift)
	b = strconv.AppendBool(append(b, `,"orphaned":`...), s.Orphaned)
	b = appendInt(append(b, `,"orphanedPid":`...), s.OrphanedPID)
	b = appendName(append(b, `,"orphanKind":`...), s.OrphanKind)
	b = appendString(append(b, `,"orphanCommand":`...), s.OrphanCommand)
	b = appendString(append(b, `,"limits":`...), s.Limits)
	b = appendString(append(b, `,"notified":`...), s.Notified)
	b = appendFloat(append(b, `,"cpu":`...), s.CPU)
	b = append(b, `,"memory":`...)
	if s.Memory == nil {
		b = append(b, "null"...)
	} else {
		b = strconv.AppendInt(b, *s.Memory, 10)
	}
	b = appendString(append(b, `,"memoryKind":`...), string(s.MemoryKind))
	b = appendSample(append(b, `,"usage":`...), s.Usage)
	b = strconv.AppendUint(append(b, `,"rev":`...), s.Rev, 10)
	return append(b, '}')
}

func appendSample(b []byte, s *services.Sample) []byte {
	if s == nil {
		return append(b, "null"...)
	}
	b = appendTime(append(b, `{"at":`...), s.At.Time)
	b = appendString(append(b, `,"state":`...), s.State.String())
	b = appendFloat(append(b, `,"cpu":`...), &s.CPU)
	b = appendFloat(append(b, `,"cpuMax":`...), &s.CPUMax)
	b = appendAmount(append(b, `,"memory":`...), s.Memory)
	b = appendAmount(append(b, `,"memoryMax":`...), s.MemoryMax)
	b = appendAmount(append(b, `,"read":`...), s.Read)
	b = appendAmount(append(b, `,"write":`...), s.Write)
	b = appendAmount(append(b, `,"processes":`...), s.Processes)
	b = appendAmount(append(b, `,"threads":`...), s.Threads)
	b = appendAmount(append(b, `,"files":`...), s.Files)
	return append(b, '}')
}

func appendAmount(b []byte, a services.Amount) []byte {
	if a < 0 {
		return append(b, "null"...)
	}
	return strconv.AppendInt(b, int64(a), 10)
}

func appendExit(b []byte, e *services.Exit) []byte {
	if e == nil {
		return append(b, "null"...)
	}
	b = append(b, `{"code":`...)
	if e.Seen && e.Signal == 0 {
		b = strconv.AppendInt(b, int64(e.Code), 10)
	} else {
		b = append(b, "null"...)
	}
	b = append(b, `,"signal":`...)
	if e.Signal != 0 {
		b = appendString(b, services.SignalName(e.Signal))
	} else {
		b = append(b, "null"...)
	}
	b = strconv.AppendBool(append(b, `,"core":`...), e.Core)
	b = strconv.AppendBool(append(b, `,"oom":`...), e.OOM)
	b = appendString(append(b, `,"reason":`...), e.Reason())
	b = appendTime(append(b, `,"at":`...), e.At)
	b = strconv.AppendBool(append(b, `,"seen":`...), e.Seen)
	return append(b, '}')
}

// appendString writes plain text itself and leaves the rest to encoding/json.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			text, _ := json.Marshal(s) //nolint:errchkjson // every string has a form
			return append(b, text...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

func appendStrings(b []byte, list []string) []byte {
	if list == nil {
		return append(b, "null"...)
	}
	b = append(b, '[')
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, s)
	}
	return append(b, ']')
}

func appendConditions(b []byte, c services.Conditions) []byte {
	if c == nil {
		return append(b, "null"...)
	}
	sign := byte('{')
	for _, name := range slices.Sorted(maps.Keys(c)) {
		b = appendString(append(b, sign), name)
		b = appendString(append(b, ':'), string(c[name]))
		sign = ','
	}
	if sign == '{' {
		b = append(b, sign)
	}
	return append(b, '}')
}

func appendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, "null"...)
	}
	b = append(b, '"')
	b = t.AppendFormat(b, stamp)
	return append(b, '"')
}

func appendInt(b []byte, n services.Int) []byte {
	if n == 0 {
		return append(b, "null"...)
	}
	return strconv.AppendInt(b, int64(n), 10)
}

func appendName[T ~string](b []byte, name *T) []byte {
	if name == nil {
		return append(b, "null"...)
	}
	return appendString(b, string(*name))
}

// appendFloat writes null for a number that JSON has no form for.
func appendFloat(b []byte, f *float64) []byte {
	if f == nil {
		return append(b, "null"...)
	}
	if size := math.Abs(*f); size == 0 || size >= 1e-6 && size < 1e21 { // others have an exponent, or no form
		return strconv.AppendFloat(b, *f, 'f', -1, 64)
	}
	text, err := json.Marshal(*f)
	if err != nil {
		return append(b, "null"...)
	}
	return append(b, text...)
}
