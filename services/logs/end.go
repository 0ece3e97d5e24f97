package logs

import (
	"os"
	"path/filepath"
	"time"
)

// End returns the address behind all that a server has written, as text; it is
// empty where that cannot be found out.
func (s *Store) End(server string) string {
	l, err := s.log(server)
	if err != nil {
		return ""
	}
	l.refresh(time.Now())
	_, end := l.reach()
	return end.String()
}

// LastOutput returns when a server has written something last, zero for never.
func (s *Store) LastOutput(server string) time.Time {
	info, err := os.Stat(filepath.Join(s.options.Dir, server+".log"))
	if err != nil || info.Size() == 0 {
		return time.Time{}
	}
	return info.ModTime()
}
