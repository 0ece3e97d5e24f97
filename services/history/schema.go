package history

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// application marks our files ("tend"); version is that of the tables. Raise
// it with every change that an older tend would misread, and change files of
// the version before when they are opened.
const (
	application = 0x74656e64
	version     = 1
)

// schema makes the tables. Times are in milliseconds since 1970, those of
// samples in seconds.
//
// events.id is null where it is seq. runs.exit and runs.lines are JSON. The
// key of samples is explained at tier.key.
var schema = []string{
	`CREATE TABLE events (
		seq INTEGER PRIMARY KEY, id INTEGER, at INTEGER NOT NULL, kind TEXT NOT NULL, server TEXT NOT NULL,
		message TEXT NOT NULL, by TEXT NOT NULL, flags INTEGER NOT NULL, phase TEXT NOT NULL)`,
	`CREATE INDEX events_server ON events (server) WHERE server <> ''`,
	`CREATE INDEX events_kind ON events (kind)`,
	`CREATE INDEX events_at ON events (at)`,
	`CREATE TABLE runs (
		id TEXT NOT NULL UNIQUE, server TEXT NOT NULL, started INTEGER NOT NULL,
		ended INTEGER, exit TEXT, crash INTEGER NOT NULL DEFAULT 0, lines TEXT)`,
	`CREATE INDEX runs_server ON runs (server, started)`,
	`CREATE INDEX runs_open ON runs (server) WHERE ended IS NULL`,
	`CREATE INDEX runs_ended ON runs (ended) WHERE ended IS NOT NULL`,
	`CREATE TABLE servers (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)`,
	`CREATE TABLE samples (key INTEGER PRIMARY KEY, data BLOB NOT NULL)`,
}

// prepareFile makes the tables of a new file and refuses one that is not ours.
// made says that it was new.
func prepareFile(ctx context.Context, conn *sql.Conn) (made bool, err error) {
	app, err := number(ctx, conn, "application_id")
	if err != nil {
		return false, err
	}
	has, err := number(ctx, conn, "user_version")
	if err != nil {
		return false, err
	}
	var tables int
	if err := conn.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master").Scan(&tables); err != nil {
		return false, err
	}
	switch {
	case app == 0 && has == 0 && tables == 0:
		return true, makeTables(ctx, conn)
	case app != application:
		return false, &damage{"it belongs to another program"}
	case has > version:
		return false, &damage{fmt.Sprintf("it is of version %d, from a newer tend, and this one reads up to %d", has, version)}
	case has != version:
		return false, &damage{fmt.Sprintf("version %d never existed", has)}
	}
	return false, execAll(ctx, conn, "PRAGMA journal_mode=WAL")
}

// makeTables makes all or nothing: a file that was not finished is still new.
func makeTables(ctx context.Context, conn *sql.Conn) error {
	statements := []string{"PRAGMA auto_vacuum=INCREMENTAL", "PRAGMA journal_mode=WAL", "BEGIN IMMEDIATE"}
	statements = append(statements, schema...)
	statements = append(statements, pragma("application_id", application), pragma("user_version", version), "COMMIT")
	return execAll(ctx, conn, statements...)
}

// statements are those of the writer, prepared on its connection.
type statements struct {
	event, eventsPrune, eventsCap *sql.Stmt
	runBegin, runClose            *sql.Stmt // runClose all open ones of a server but one
	runEnd, runAdd, runsPrune     *sql.Stmt
	serverPut, serversPut         *sql.Stmt
	chunk, chunkPut, chunksPut    *sql.Stmt
	keys                          *sql.Stmt
	chunks, chunkDrop, chunksDrop *sql.Stmt
	journalServers                *sql.Stmt
	firstChunk                    *sql.Stmt
	all                           []*sql.Stmt
}

func prepare(ctx context.Context, conn *sql.Conn) (*statements, error) {
	s := &statements{}
	for _, one := range []struct {
		stmt **sql.Stmt
		text string
	}{
		{&s.event, `INSERT INTO events (seq, id, at, kind, server, message, by, flags, phase) VALUES (?,?,?,?,?,?,?,?,?)`},
		{&s.eventsPrune, `DELETE FROM events WHERE seq IN (SELECT seq FROM events WHERE at < ? ORDER BY at LIMIT ?)`},
		{&s.eventsCap, `DELETE FROM events WHERE seq IN (SELECT seq FROM events ORDER BY seq LIMIT ?)`},
		{&s.runBegin, `INSERT INTO runs (id, server, started) VALUES (?1, ?2, ?3)
			ON CONFLICT (id) DO UPDATE SET ended = NULL, exit = NULL, crash = 0, lines = NULL`},
		{&s.runClose, `UPDATE runs SET ended = max(?2, started), exit = ?3 WHERE server = ?1 AND ended IS NULL AND id <> ?4`},
		{&s.runEnd, `UPDATE runs SET ended = max(?2, started), exit = ?3, crash = ?4, lines = ?5
			WHERE server = ?1 AND ended IS NULL AND (id = ?6 OR ?6 = '')`},
		{&s.runAdd, `INSERT INTO runs (id, server, started, ended, exit, crash, lines) VALUES (?,?,?,?,?,?,?) ON CONFLICT (id) DO NOTHING`},
		{&s.runsPrune, `DELETE FROM runs WHERE rowid IN (SELECT rowid FROM runs WHERE ended < ? ORDER BY ended LIMIT ?)`},
		{&s.serverPut, serversPut(1)},
		{&s.serversPut, serversPut(namesAtOnce)},
		{&s.chunk, `SELECT data FROM samples WHERE key = ?`},
		{&s.chunkPut, `INSERT INTO samples (key, data) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET data = excluded.data`},
		{&s.chunksPut, `INSERT INTO samples (key, data) VALUES (?, ?)` + strings.Repeat(", (?, ?)", chunksAtOnce-1)},
		{&s.keys, `SELECT key FROM samples WHERE key BETWEEN ? AND ?`},
		{&s.chunks, chunksOfServer},
		{&s.chunkDrop, `DELETE FROM samples WHERE key = ?`},
		{&s.chunksDrop, `DELETE FROM samples WHERE key IN (SELECT key FROM samples WHERE key >= ? AND key < ? LIMIT ?)`},
		{&s.journalServers, `SELECT DISTINCT key & ?3 FROM samples WHERE key >= ?1 AND key < ?2 ORDER BY 1`},
		{&s.firstChunk, firstChunk},
	} {
		stmt, err := conn.PrepareContext(ctx, one.text)
		if err != nil {
			s.close()
			return nil, err
		}
		*one.stmt = stmt
		s.all = append(s.all, stmt)
	}
	return s, nil
}

// serversPut makes so many servers, where they are not there, and returns them.
func serversPut(n int) string {
	return `INSERT INTO servers (name) VALUES (?)` + strings.Repeat(", (?)", n-1) +
		` ON CONFLICT (name) DO UPDATE SET name = name RETURNING id, name`
}

func (s *statements) close() {
	for _, stmt := range s.all {
		stmt.Close()
	}
}

const (
	// chunksOfServer seeks each key that a chunk can have from one on (?1), at
	// a distance (?2), below another (?3).
	chunksOfServer = `WITH RECURSIVE keys (key) AS (SELECT ?1 WHERE ?1 < ?3 UNION ALL SELECT key + ?2 FROM keys WHERE key + ?2 < ?3)
		SELECT s.key, s.data FROM keys CROSS JOIN samples s ON s.key = keys.key`

	// firstChunk is the smallest key: in the journal, if there is any.
	firstChunk = `SELECT min(key) FROM samples`
)
