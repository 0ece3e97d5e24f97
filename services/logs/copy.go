package logs

import (
	"bytes"
	"context"
	"io"
	"time"
)

// Copy writes all that is kept of a server's log, byte for byte but for what
// Options.Hide takes out, as far as it goes when it is asked for. What retention
// removes meanwhile is left out. The error is that of ctx or of the writer, or
// says that the log cannot be read.
func (s *Store) Copy(ctx context.Context, server string, to io.Writer) error {
	l, err := s.readable(server, Query{})
	if l == nil {
		return err
	}
	veil := &byLines{to: to, hide: s.options.Hide}
	l.refresh(time.Now())
	at, end := l.reach()
	room := make([]byte, windowSize)
	for at.Before(end) && ctx.Err() == nil {
		buf, from, _, _, err := l.window(room, nil, at)
		if err != nil {
			return err
		}
		if from != at { // the next file, or the head is gone
			at = from
			continue
		}
		if len(buf) == 0 {
			break
		}
		if at.Gen == end.Gen {
			buf = buf[:min(int64(len(buf)), end.Off-at.Off)]
		}
		if err := veil.write(buf); err != nil {
			return err
		}
		at.Off += int64(len(buf))
	}
	if err := veil.flush(); err != nil {
		return err
	}
	return ctx.Err()
}

// byLines hides in whole lines, since what is hidden may stand across the end
// of a piece. A line longer than MaxText is hidden in parts.
type byLines struct {
	to   io.Writer
	hide func([]byte) []byte
	rest []byte
}

func (b *byLines) write(piece []byte) error {
	end := bytes.LastIndexByte(piece, '\n') + 1
	if end == 0 && len(b.rest)+len(piece) > MaxText {
		end = len(piece)
	}
	if end == 0 {
		b.rest = append(b.rest, piece...)
		return nil
	}
	whole := piece[:end]
	if len(b.rest) > 0 {
		whole = append(b.rest, whole...)
	}
	if _, err := b.to.Write(b.hide(whole)); err != nil {
		return err
	}
	b.rest = append(b.rest[:0], piece[end:]...)
	return nil
}

func (b *byLines) flush() error {
	if len(b.rest) == 0 {
		return nil
	}
	_, err := b.to.Write(b.hide(b.rest))
	return err
}
