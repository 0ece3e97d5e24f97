package history

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"modernc.org/sqlite"
)

// This file is the only one that knows the driver.

// The sizes of a connection. What one connection caches is the price of a
// reader, so it is small: the kernel caches the file anyway.
const (
	cacheKB     = 512
	walPages    = 512         // after so many the log is moved into the file
	walLimit    = 4 << 20     // bytes that the log keeps once it was larger
	patience    = time.Second // with another program that writes
	connections = 3           // the writer's, and readers
	idleReader  = 10 * time.Second
)

// openDatabase opens a file that exists. Nothing is read yet.
func openDatabase(path string) (*sql.DB, error) {
	q := url.Values{"mode": {"rw"}}
	for _, pragma := range []string{
		fmt.Sprintf("busy_timeout(%d)", patience.Milliseconds()),
		fmt.Sprintf("cache_size(-%d)", cacheKB),
		fmt.Sprintf("journal_size_limit(%d)", walLimit),
		fmt.Sprintf("wal_autocheckpoint(%d)", walPages),
		"synchronous(normal)",
		"temp_store(memory)",
	} {
		q.Add("_pragma", pragma)
	}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}).String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(1)
	db.SetConnMaxIdleTime(idleReader)
	return db, nil
}

// The primary result codes of SQLite that we tell apart.
const (
	codeError     = 1 // of the statement, as where there is no such table
	codeBusy      = 5
	codeInterrupt = 9
	codeCorrupt   = 11
	codeFull      = 13
	codeFormat    = 24
	codeNotADB    = 26
)

// code is the primary result code of an error, 0 if it is none of SQLite.
func code(err error) int {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return 0
	}
	return e.Code() & 0xff
}

// damaging says whether an error means that the file cannot be used any more.
func damaging(err error) bool {
	var d *damage
	switch code(err) {
	case codeCorrupt, codeFormat, codeNotADB:
		return true
	}
	return errors.As(err, &d)
}

// passing says whether the same connection may succeed later.
func passing(err error) bool {
	switch code(err) {
	case codeBusy, codeFull, codeInterrupt:
		return true
	}
	return false
}

// damage says why a file is not one that we can use.
type damage struct{ why string }

func (d *damage) Error() string { return d.why }

// number reads a pragma that is a number.
func number(ctx context.Context, conn *sql.Conn, pragma string) (n int64, err error) {
	err = conn.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(&n)
	return n, err
}

// execAll executes statements one by one.
func execAll(ctx context.Context, conn *sql.Conn, statements ...string) error {
	for _, text := range statements {
		if _, err := conn.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	return nil
}

func pragma(name string, value int64) string {
	return "PRAGMA " + name + "=" + strconv.FormatInt(value, 10)
}
