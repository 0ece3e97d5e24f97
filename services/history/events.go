package history

import (
	"context"
	"database/sql"
	"strings"

	"tend/services"
)

// The limits of a page.
const (
	defaultEvents = 100
	largestPage   = 1000
)

// Events returns one page, newest first. The cursor is the key of an event,
// which is its ID unless the clock was set back. Of the Status only ID, Name
// and Phase are kept. What was told before is there, unless it takes longer than
// longestWait to write it. Errors are Unavailable.
func (s *Store) Events(ctx context.Context, q services.HistoryQuery) (services.HistoryPage, error) {
	limit := q.Limit
	if limit <= 0 {
		limit = defaultEvents
	}
	limit = min(limit, largestPage)
	page := services.HistoryPage{Events: []services.Event{}}
	query, args := selectEvents(q, limit+1)
	s.progress.catchUp(ctx)
	err := s.read(ctx, func(ctx context.Context, db *sql.DB) error {
		rows, err := db.QueryContext(ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		var seq int64
		for rows.Next() {
			if len(page.Events) == limit {
				page.Next = uint64(seq)
				break
			}
			var e services.Event
			if e, seq, err = scanEvent(rows); err != nil {
				return err
			}
			page.Events = append(page.Events, e)
		}
		return rows.Err()
	})
	if err != nil {
		return services.HistoryPage{Events: []services.Event{}}, err
	}
	return page, nil
}

func scanEvent(rows *sql.Rows) (e services.Event, seq int64, err error) {
	var id sql.NullInt64
	var at int64
	var flags int
	var phase services.Phase
	if err = rows.Scan(&seq, &id, &at, &e.Kind, &e.Server, &e.Message, &e.By, &flags, &phase); err != nil {
		return e, 0, err
	}
	e.ID, e.At = uint64(seq), instant(at)
	if id.Valid {
		e.ID = uint64(id.Int64)
	}
	e.Crash, e.Resolve = flags&flagCrash != 0, flags&flagResolve != 0
	if phase != "" {
		e.Status = &services.Status{ID: e.Server, Name: e.Server, Phase: phase, DependsOn: []string{}}
	}
	return e, seq, nil
}

// selectEvents makes the statement. An index helps where one server, or else
// one kind, is asked for; a plus keeps SQLite from one that would make it sort
// all that there is.
func selectEvents(q services.HistoryQuery, limit int) (string, []any) {
	var where []string
	var args []any
	add := func(condition string, values ...any) {
		where = append(where, condition)
		args = append(args, values...)
	}
	if len(q.Servers) == 1 {
		add("server = ? AND server <> ''", q.Servers[0])
	} else if len(q.Servers) > 1 {
		add(anyOf("+server", len(q.Servers)), anys(q.Servers)...)
	}
	if len(q.Kinds) == 1 && len(q.Servers) != 1 {
		add("kind = ?", string(q.Kinds[0]))
	} else if len(q.Kinds) > 0 {
		add(anyOf("+kind", len(q.Kinds)), anys(q.Kinds)...)
	}
	if q.Text != "" {
		pattern := "%" + escape.Replace(q.Text) + "%"
		add(`(message LIKE ? ESCAPE '\' OR server LIKE ? ESCAPE '\' OR by LIKE ? ESCAPE '\')`, pattern, pattern, pattern)
	}
	if !q.Since.IsZero() {
		since := q.Since.UnixMilli() // by the index on at: of what is older nothing is read
		add("+at >= ? AND seq >= (SELECT min(+seq) FROM events WHERE at >= ?)", since, since)
	}
	if !q.Until.IsZero() {
		add("+at < ?", q.Until.UnixMilli())
	}
	if q.Before > 0 && q.Before < 1<<63 {
		add("seq < ?", int64(q.Before))
	}
	text := "SELECT seq, id, at, kind, server, message, by, flags, phase FROM events"
	if len(where) > 0 {
		text += " WHERE " + strings.Join(where, " AND ")
	}
	return text + " ORDER BY seq DESC LIMIT ?", append(args, limit)
}

// escape makes a text that LIKE takes literally.
var escape = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

func anyOf(column string, n int) string {
	return column + " IN (?" + strings.Repeat(",?", n-1) + ")"
}

func anys[T ~string](list []T) []any {
	out := make([]any, len(list))
	for i, value := range list {
		out[i] = string(value)
	}
	return out
}
