package logs

import (
	"context"
	"io"
	"time"
)

// Copy writes all that is kept of a server's log, byte for byte, as far as it
// goes when it is asked for. What retention removes meanwhile is left out. The
// error is that of ctx or of the writer, or says that the log cannot be read.
func (s *Store) Copy(ctx context.Context, server string, to io.Writer) error {
	l, err := s.readable(server, Query{})
	if l == nil {
		return err
	}
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
			return nil
		}
		if at.Gen == end.Gen {
			buf = buf[:min(int64(len(buf)), end.Off-at.Off)]
		}
		if _, err := to.Write(buf); err != nil {
			return err
		}
		at.Off += int64(len(buf))
	}
	return ctx.Err()
}
