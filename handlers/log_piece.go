package handlers

import (
	"bytes"
	"context"
	"strings"
	"time"

	"tend/services"
	"tend/services/logs"
	"tend/views/model"
)

const (
	pieceLines = 300 // of one piece of a log that a page asks for
	// A piece holds whole lines of so many bytes of the log: a line may be long.
	pieceBytes = 1 << 20
	// siftBytes is how far a piece looks for lines that pass a filter. When it
	// finds too few, whoever asked goes on from where it ended.
	siftBytes = 8 << 20
	siftLines = 100_000 // and how many: what is known of each takes memory
)

// before all lines of any log.
var atBegin = logs.Address{Off: 1}

// cursor is a place between the lines of some logs: one address for each. The
// zero address is the end of a log.
type cursor []logs.Address

// text writes a cursor, "1.4096" or, with names, "api:1.4096,db:2.0".
func (c cursor) text(v *logView) string {
	var b strings.Builder
	for i, a := range c {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(v.place(i, a))
	}
	return b.String()
}

// found is one line of one of the logs of a view, or several that do not pass.
type found struct {
	logs.Line
	log  int       // which
	key  time.Time // by which lines of several logs are put in order
	pass bool      // the filter lets it through
}

// piece is some lines of one or several logs, in order, without a gap between
// first and next.
type piece struct {
	lines       []found
	first, next cursor
	middle      *found // what was asked for, nil for nothing
	begin, end  bool   // there is nothing before, after it
}

// stretch is what a piece has to choose from, of one log.
type stretch struct {
	lines []found
	whole bool // there are no more in this direction
}

// piece reads up to n lines that pass the filter, before or from a place on.
// It may find fewer, or none, and yet not have come to an end.
func (h *handler) piece(ctx context.Context, v *logView, from cursor, back bool, n int, size int64) (piece, error) {
	p := piece{first: make(cursor, len(from)), next: make(cursor, len(from))}
	list := make([]stretch, len(from))
	for i, at := range from {
		var err error
		if list[i], err = h.stretch(ctx, v, i, at, back, n, size/int64(len(from))); err != nil {
			return p, err
		}
		lines := list[i].lines
		switch {
		case !at.IsZero():
		case len(lines) == 0:
			at = atBegin
		case back:
			at = lines[len(lines)-1].Next
		default:
			at = lines[0].Address
		}
		p.first[i], p.next[i] = at, at
	}
	whole := p.merge(list, back, n)
	p.begin, p.end = back && whole, !back && whole
	return p, nil
}

// merge takes lines in the order of time until there are n of them, or until
// those of one log are used up and more of them may follow. It reports whether
// everything was taken.
func (p *piece) merge(list []stretch, back bool, n int) bool {
	for len(p.lines) < n {
		best := -1
		var line found
		for i, s := range list {
			if len(s.lines) == 0 {
				if !s.whole {
					p.turn(back)
					return false
				}
				continue
			}
			next := s.lines[0]
			if back {
				next = s.lines[len(s.lines)-1]
			}
			if best < 0 || back && !next.key.Before(line.key) || !back && next.key.Before(line.key) {
				best, line = i, next
			}
		}
		if best < 0 {
			p.turn(back)
			return true
		}
		s := &list[best]
		if back {
			s.lines, p.first[best] = s.lines[:len(s.lines)-1], line.Address
		} else {
			s.lines, p.next[best] = s.lines[1:], line.Next
		}
		if line.pass {
			p.lines = append(p.lines, line)
		}
	}
	p.turn(back)
	for _, s := range list {
		if len(s.lines) > 0 || !s.whole {
			return false
		}
	}
	return true
}

// turn puts lines that were taken from the end in order.
func (p *piece) turn(back bool) {
	if !back {
		return
	}
	for i, k := 0, len(p.lines)-1; i < k; i, k = i+1, k-1 {
		p.lines[i], p.lines[k] = p.lines[k], p.lines[i]
	}
}

// stretch reads lines of one log.
func (h *handler) stretch(ctx context.Context, v *logView, log int, at logs.Address, back bool, n int, size int64) (stretch, error) {
	query := logs.Query{Tail: -1, After: at}
	sifted, most := v.sifts(), siftLines/len(v.servers)
	if back {
		query = logs.Query{Tail: n, Bytes: size, Before: at}
		if sifted {
			query.Tail = most
		}
	}
	var s stretch
	var levels model.Leveler
	passed, read := 0, int64(0)
	s.whole = true
	for line, err := range h.Logs.Read(ctx, v.servers[log], query) {
		if err != nil {
			return s, err
		}
		f := found{Line: line, log: log, key: line.At, pass: v.passes(line.Text, &levels)}
		switch {
		case !f.pass:
			f.Text = nil
		case sifted:
			f.Text = bytes.Clone(f.Text) // and not all that was read with it
		}
		if f.pass {
			passed++
		}
		if line.Next.Gen == line.Address.Gen {
			read += line.Next.Off - line.Address.Off
		}
		if last := len(s.lines) - 1; last >= 0 && !f.pass && !s.lines[last].pass {
			s.lines[last].Next = f.Next // nobody asks where between them one begins
		} else {
			s.lines = append(s.lines, f)
		}
		if !back && (passed >= n || read >= size || len(s.lines) >= most) {
			s.whole = false
			break
		}
	}
	if back {
		first := len(s.lines) > 0 && h.atFirst(ctx, v.servers[log], s.lines[0].Address)
		s.whole = len(s.lines) == 0 || first
	}
	s.inOrder()
	return s, ctx.Err()
}

// atFirst reports whether there is nothing before an address.
func (h *handler) atFirst(ctx context.Context, server string, at logs.Address) bool {
	for _, err := range h.Logs.Read(ctx, server, logs.Query{Tail: 1, Before: at}) {
		return err != nil
	}
	return true
}

// inOrder gives lines without a time that of a neighbor, so that the lines of
// one log never change places.
func (s *stretch) inOrder() {
	var known time.Time
	for _, l := range s.lines {
		if !l.key.IsZero() {
			known = l.key
			break
		}
	}
	for i := range s.lines {
		if l := &s.lines[i]; l.key.Before(known) {
			l.key = known
		} else {
			known = l.key
		}
	}
}

// around reads lines before and from a place on.
func (h *handler) around(ctx context.Context, v *logView, at cursor) (piece, error) {
	older, err := h.piece(ctx, v, at, true, pieceLines/2, v.size())
	if err != nil {
		return older, err
	}
	newer, err := h.piece(ctx, v, older.next, false, pieceLines/2, v.size())
	if err != nil {
		return newer, err
	}
	if len(newer.lines) > 0 {
		newer.middle = &newer.lines[0]
	}
	newer.lines = append(older.lines, newer.lines...)
	newer.first, newer.begin = older.first, older.begin
	return newer, nil
}

// newest reads the end.
func (h *handler) newest(ctx context.Context, v *logView) (piece, error) {
	p, err := h.piece(ctx, v, make(cursor, len(v.servers)), true, pieceLines, v.size())
	p.end = true
	return p, err
}

// since is the place from which on everything was written at a moment or later.
func (h *handler) since(ctx context.Context, v *logView, at time.Time) (cursor, error) {
	out := make(cursor, len(v.servers))
	for i := range out {
		var err error
		if out[i], err = h.addressAt(ctx, v.servers[i], at); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (h *handler) addressAt(ctx context.Context, server string, at time.Time) (logs.Address, error) {
	for line, err := range h.Logs.Read(ctx, server, logs.Query{Tail: -1, Since: at}) {
		return line.Address, err
	}
	for line, err := range h.Logs.Read(ctx, server, logs.Query{Tail: 1}) {
		return line.Next, err
	}
	return atBegin, ctx.Err()
}

// beside is the place of a line of one log, and where the others were then.
func (h *handler) beside(ctx context.Context, v *logView, log int, at logs.Address) (cursor, error) {
	var then time.Time
	for line, err := range h.Logs.Read(ctx, v.servers[log], logs.Query{Tail: -1, After: at}) {
		if err != nil {
			return nil, err
		}
		then = line.At
		break
	}
	out, err := h.since(ctx, v, then)
	if err == nil {
		out[log] = at
	}
	return out, err
}

// cursor reads what cursor.text writes. One address may stand for several
// logs: the others are taken at the time of that line.
func (h *handler) cursor(ctx context.Context, v *logView, text string) (cursor, error) {
	out := make(cursor, len(v.servers))
	parts := strings.Split(text, ",")
	log := 0
	for _, part := range parts {
		name, address, named := strings.Cut(part, ":")
		if !named {
			name, address = v.servers[0], part
			if len(v.servers) > 1 {
				return nil, services.Errorf(services.Invalid, "%.60q does not say of which server's log it is a place: write it as it was given, such as %s:1.4096", text, v.servers[0])
			}
		}
		if log = v.log(name); log < 0 {
			return nil, services.Errorf(services.Invalid, "%.60q is a place in a log that is not shown", part)
		}
		at, err := logs.ParseAddress(address)
		if err != nil {
			return nil, err
		}
		out[log] = at
	}
	switch {
	case len(parts) == len(v.servers):
		return out, nil
	case len(parts) == 1:
		return h.beside(ctx, v, log, out[log])
	}
	return nil, services.Errorf(services.Invalid, "%.60q names some of the logs that are shown, and not all", text)
}
