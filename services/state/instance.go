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

	"tend/services"
)

// instancePattern is what an instance looks like: 64 random bits.
var instancePattern = regexp.MustCompile(`^[0-9a-f]{16}$`)

// readInstance returns the id of the data directory and makes one in a new
// directory. It is in the marks of all processes that this directory started,
// so it outlives state.json, and state.json (spare, "" for none) restores it.
// damage is a sentence when it had to be restored or was lost.
func readInstance(dir, spare string) (id, damage string, err error) {
	const name = "instance"
	content, err := readFile(filepath.Join(dir, name))
	var unfit *unfitError
	switch {
	case err == nil:
		id = strings.TrimSuffix(string(content), "\n")
		if instancePattern.MatchString(id) {
			return id, "", nil
		}
		damage = putAside(dir, name, errors.New("it does not hold an instance id"))
	case errors.As(err, &unfit):
		damage = putAside(dir, name, err)
	case !errors.Is(err, fs.ErrNotExist):
		return "", "", fmt.Errorf("read the instance id: %w", err)
	}
	switch {
	case instancePattern.MatchString(spare):
		id = spare
		if damage == "" {
			damage = filepath.Join(dir, name) + " was missing"
		}
		damage += " and was restored from state.json"
	case damage != "":
		damage += ": processes that an earlier tend started are recognised by their cgroup or record only"
		fallthrough
	default:
		var random [8]byte
		rand.Read(random[:]) //nolint:errcheck // it never fails
		id = hex.EncodeToString(random[:])
	}
	if err := replaceFile(dir, name, []byte(id+"\n"), true); err != nil {
		return "", "", &services.Error{Kind: services.Unavailable, Msg: "the data directory " + dir + " cannot be written", Err: err}
	}
	return id, damage, nil
}
