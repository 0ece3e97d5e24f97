package process

import (
	"os"
	"os/user"
	"strconv"
	"syscall"

	"tend/services"
)

// identity is whom a server runs as.
type identity struct {
	name, home string
	uid, gid   uint32
	groups     []uint32
}

// identityOf looks a user up by name or uid; nil stands for the manager's own.
// The error is of kind Invalid.
func identityOf(name string) (*identity, error) {
	if name == "" {
		return nil, nil
	}
	u, err := user.Lookup(name)
	if err != nil {
		if u, err = user.LookupId(name); noRoom(err) {
			return nil, services.Errorf(services.Unavailable, "user %q cannot be looked up now: %v", name, err)
		} else if err != nil {
			return nil, services.Errorf(services.Invalid, "user %q does not exist on this machine", name)
		}
	}
	uid, errUID := strconv.ParseUint(u.Uid, 10, 32)
	gid, errGID := strconv.ParseUint(u.Gid, 10, 32)
	if errUID != nil || errGID != nil {
		return nil, services.Errorf(services.Invalid, "user %q has no numeric id", name)
	}
	who := &identity{name: u.Username, home: u.HomeDir, uid: uint32(uid), gid: uint32(gid)}
	if os.Geteuid() != 0 {
		if int(uid) == os.Geteuid() {
			return who, nil
		}
		return nil, services.Errorf(services.Invalid, "user %q: only root can run a server as another user", name)
	}
	ids, err := u.GroupIds()
	if err != nil {
		return nil, services.Errorf(services.Unavailable, "the groups of user %q cannot be read: %v", name, err)
	}
	for _, text := range ids {
		if id, err := strconv.ParseUint(text, 10, 32); err == nil {
			who.groups = append(who.groups, uint32(id))
		}
	}
	return who, nil
}

// credential returns what the kernel needs, nil where nothing changes.
func (who *identity) credential() *syscall.Credential {
	if who == nil || os.Geteuid() != 0 {
		return nil
	}
	return &syscall.Credential{Uid: who.uid, Gid: who.gid, Groups: who.groups}
}
