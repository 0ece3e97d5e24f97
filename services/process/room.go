package process

import (
	"errors"
	"syscall"
)

// noRoom reports whether an error says that there is too little of something
// just now, such as descriptors: it tells nothing about whoever was looked at.
func noRoom(err error) bool {
	for _, of := range []error{syscall.EAGAIN, syscall.ENOMEM, syscall.EMFILE, syscall.ENFILE} {
		if errors.Is(err, of) {
			return true
		}
	}
	return false
}

// moreRoom says what helps, where somebody can.
func moreRoom(err error) string {
	if errors.Is(err, syscall.EMFILE) {
		return "; let tend have more open files (ulimit -n, or LimitNOFILE= of its systemd unit)"
	}
	return ""
}
