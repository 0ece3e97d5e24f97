package history

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"tend/services"
)

// Runs returns at most so many runs of a server (0 for 100, never more than
// 1000) that began before a time (zero for any), newest first. Errors are
// Unavailable.
func (s *Store) Runs(ctx context.Context, server string, before time.Time, limit int) ([]services.PastRun, error) {
	if limit <= 0 {
		limit = defaultEvents
	}
	bound := int64(math.MaxInt64)
	if !before.IsZero() {
		bound = before.UnixMilli()
	}
	out := []services.PastRun{}
	s.progress.catchUp(ctx)
	err := s.read(ctx, func(ctx context.Context, db *sql.DB) error {
		rows, err := db.QueryContext(ctx, `SELECT id, server, started, ended, exit, crash, lines FROM runs
			WHERE server = ? AND started < ? ORDER BY started DESC, rowid DESC LIMIT ?`, server, bound, min(limit, largestPage))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			run, err := scanRun(rows)
			if err != nil {
				return err
			}
			out = append(out, run)
		}
		return rows.Err()
	})
	if err != nil {
		return []services.PastRun{}, err
	}
	return out, nil
}

func scanRun(rows *sql.Rows) (services.PastRun, error) {
	run := services.PastRun{Lines: []string{}}
	var started int64
	var ended sql.NullInt64
	var exit, lines sql.NullString
	if err := rows.Scan(&run.ID, &run.Server, &started, &ended, &exit, &run.Crash, &lines); err != nil {
		return run, err
	}
	run.StartedAt, run.EndedAt = instant(started), instant(ended.Int64)
	if exit.Valid {
		run.Exit = &services.Exit{}
		if err := json.Unmarshal([]byte(exit.String), run.Exit); err != nil {
			return run, &damage{fmt.Sprintf("the exit of run %s cannot be read: %v", run.ID, err)}
		}
	}
	if lines.Valid {
		if err := json.Unmarshal([]byte(lines.String), &run.Lines); err != nil {
			return run, &damage{fmt.Sprintf("the lines of run %s cannot be read: %v", run.ID, err)}
		}
	}
	return run, nil
}
