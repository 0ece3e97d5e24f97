package history

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"sync"
)

// base is an open file. The writer alone opens, writes and closes it; readers
// enter and leave.
type base struct {
	path  string
	info  os.FileInfo            // of the file, to notice that it is gone
	sides map[string]os.FileInfo // of what SQLite has put beside it
	made  bool                   // it was new
	db    *sql.DB
	conn  *sql.Conn // the writer's
	stmts *statements

	ending context.Context // ends when readers have to leave
	end    context.CancelFunc

	mu      sync.Mutex // guards what follows
	closed  bool
	readers sync.WaitGroup // Add only while not closed
}

// sides are what SQLite puts beside its file.
var sides = [...]string{"-wal", "-shm", "-journal"}

// smallest is the size of the smallest file that SQLite makes.
const smallest = 512

// openBase opens the file at a path, or makes one. An error is damaging where
// the file has to be set aside.
func openBase(path string) (*base, error) {
	info, err := ownFile(path)
	if err != nil {
		return nil, err
	}
	b := &base{path: path, info: info, sides: make(map[string]os.FileInfo)}
	b.ending, b.end = context.WithCancel(context.Background())
	if b.db, err = openDatabase(path); err != nil {
		b.close()
		return nil, err
	}
	ctx := context.Background() // one that can end costs a goroutine for each statement
	if b.conn, err = b.db.Conn(ctx); err == nil {
		if b.made, err = prepareFile(ctx, b.conn); err == nil {
			b.stmts, err = prepare(ctx, b.conn)
		}
	}
	if code(err) == codeError {
		err = &damage{"its tables are not what they should be: " + err.Error()}
	}
	if err != nil {
		b.close()
		return nil, err
	}
	for _, side := range sides {
		if info, err := os.Lstat(path + side); err == nil {
			b.sides[side] = info
		}
	}
	return b, nil
}

// abandon closes a file that is not in its place any more. SQLite leaves what
// lies beside it, which must not be taken for that of another file.
func (b *base) abandon() {
	b.close()
	for side, ours := range b.sides {
		if info, err := os.Lstat(b.path + side); err == nil && os.SameFile(info, ours) {
			os.Remove(b.path + side) //nolint:errcheck // where there is no file, the next one is not begun beside it
		}
	}
}

// ownFile makes sure that there is a regular file which nobody else can read.
// SQLite gives its other files the mode of this one.
func ownFile(path string) (os.FileInfo, error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		for _, side := range sides { // of another file: SQLite would take it for this one's
			if err := os.Remove(path + side); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
		}
		file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		return file.Stat()
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, &damage{"it is not a regular file"}
	case info.Size() > 0 && info.Size() < smallest: // SQLite takes it for a new one
		return nil, &damage{"it is too short"}
	case info.Mode().Perm()&0o077 != 0:
		for _, side := range append([]string{""}, sides[:]...) {
			if err := os.Chmod(path+side, 0o600); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
		}
	}
	return info, nil
}

// enter lets a reader in; it has to leave.
func (b *base) enter() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed {
		b.readers.Add(1)
	}
	return !b.closed
}

func (b *base) leave() { b.readers.Done() }

// close interrupts the readers, waits for them and closes the file. Whoever is
// the last to close it removes what lies beside it, by name: so nobody may be
// left when another file takes its place.
func (b *base) close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.end()
	b.readers.Wait()
	if b.stmts != nil {
		b.stmts.close()
	}
	if b.conn != nil {
		b.conn.Close()
	}
	if b.db != nil {
		b.db.Close()
	}
}

// tx does something all or nothing. Only the writer may call it.
func (b *base) tx(do func(*statements) error) error {
	ctx := context.Background()
	if _, err := b.conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	err := do(b.stmts)
	if err == nil {
		_, err = b.conn.ExecContext(ctx, "COMMIT")
	}
	if err != nil {
		b.conn.ExecContext(ctx, "ROLLBACK") //nolint:errcheck // SQLite may have done so itself
	}
	return err
}
