package history

import (
	"context"
	"database/sql"
	"time"

	"tend/services"
)

// longestRead is how long a query may take: one that looks for a text which is
// nowhere reads everything.
const longestRead = 10 * time.Second

// read lets a reader look at the file. Errors are of kind Unavailable, or the
// context's. A file that turns out to be damaged is left to the writer.
func (s *Store) read(ctx context.Context, look func(context.Context, *sql.DB) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	b := s.base.Load()
	if b == nil || !b.enter() {
		return services.Errorf(services.Unavailable, "history cannot be read at the moment")
	}
	defer b.leave()
	bounded, cancel := context.WithTimeout(ctx, longestRead)
	defer cancel()
	defer context.AfterFunc(b.ending, cancel)()
	err := look(bounded, b.db)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case damaging(err):
		s.suspect.Store(&suspect{b, err})
		wake(s.news)
		return &services.Error{Kind: services.Unavailable, Msg: "history is damaged, and a new one is begun", Err: err}
	case bounded.Err() == context.DeadlineExceeded:
		return services.Errorf(services.Unavailable, "history took longer than %v to answer: ask for less", longestRead)
	}
	return &services.Error{Kind: services.Unavailable, Msg: "history cannot be read", Err: err}
}
