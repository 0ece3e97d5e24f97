package state

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
)

const instanceName = "instance"

// instancePattern is what the id of an instance looks like: 64 random bits.
var instancePattern = regexp.MustCompile(`^[0-9a-f]{16}$`)

// instance is the content of the file of that name: on the first line the id
// of the data directory, on the second where the directory was when this was
// written. Files from before that was kept have the first line only.
type instance struct {
	id    string
	place place // zero: not known
}

func newID() string {
	var random [8]byte
	rand.Read(random[:]) //nolint:errcheck // it never fails
	return hex.EncodeToString(random[:])
}

// parseInstance returns false where there is no id. A place that cannot be
// read is none: the next start writes it.
func parseInstance(content []byte) (instance, bool) {
	id, rest, _ := strings.Cut(string(content), "\n")
	return instance{id: id, place: parsePlace(rest)}, instancePattern.MatchString(id)
}

func (i instance) write(dir string) error {
	text := i.id + "\n"
	if i.place.known() {
		text += i.place.String() + "\n"
	}
	return replaceFile(dir, instanceName, []byte(text), true)
}

// copiedTo reports whether here is a copy of the directory that this was
// written for, and that one is still there. In any doubt it is not: to take
// the id from a directory that was moved would lose its servers.
func (i instance) copiedTo(here place) bool {
	if !i.place.known() || !here.known() || i.place.is(here) || !placeOf(i.place.path).is(i.place) {
		return false
	}
	// The number of a directory that was deleted is soon that of another.
	content, err := readFile(filepath.Join(i.place.path, instanceName))
	if err != nil {
		return false
	}
	there, ok := parseInstance(content)
	return ok && there.id == i.id
}

// readInstance returns what is known of the instance of a data directory, and
// makes an id for a new directory. It is in the marks of all processes that
// this directory started, so it outlives state.json, and state.json restores
// it. kept says that the id is in its file; damage is a sentence when it had
// to be restored or was lost.
func readInstance(dir string, spare document) (i instance, kept bool, damage string, err error) {
	content, err := readFile(filepath.Join(dir, instanceName))
	var unfit *unfitError
	switch {
	case err == nil:
		if i, kept = parseInstance(content); kept {
			return i, true, "", nil
		}
		damage = putAside(dir, instanceName, errors.New("it does not hold an instance id"))
	case errors.As(err, &unfit):
		damage = putAside(dir, instanceName, err)
	case !errors.Is(err, fs.ErrNotExist):
		return instance{}, false, "", fmt.Errorf("read the instance id: %w", err)
	}
	switch {
	case instancePattern.MatchString(spare.Instance):
		if damage == "" && len(spare.Servers) == 0 {
			return instance{id: spare.Instance}, false, "", nil // the first start got no further
		}
		if damage == "" {
			damage = filepath.Join(dir, instanceName) + " was missing"
		}
		return instance{id: spare.Instance}, false, damage + " and was restored from state.json", nil
	case damage != "":
		damage += ": processes that an earlier tend started are recognised by their cgroup or record only"
	}
	return instance{id: newID()}, false, damage, nil
}
