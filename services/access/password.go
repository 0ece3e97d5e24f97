package access

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"tend/services"
)

// cost is what one hash takes: memory in kB, passes, threads.
type cost struct {
	memory, passes uint32
	threads        uint8
}

// usual is what OWASP asks for at the least where memory is scarce: 19 MB for
// some 30 ms.
var usual = cost{memory: 19 << 10, passes: 2, threads: 1}

// What a hash may ask for at the most: a file must not be able to take all of
// the memory.
var most = cost{memory: 1 << 20, passes: 64, threads: 16}

const (
	saltSize, sumSize = 16, 32
	// shortest is what a password has at the least, in characters; longest
	// bounds what is hashed, in bytes.
	shortest, longest = 8, 1024

	hashing = 2  // hashes at a time
	queued  = 16 // who may wait for that
)

// hasher computes hashes, a few at a time.
type hasher struct {
	cost    cost
	slots   chan struct{}
	waiting atomic.Int32
}

func newHasher(c cost) *hasher { return &hasher{cost: c, slots: make(chan struct{}, hashing)} }

// do runs something that takes memory and processor time. Unavailable where
// too many wait for that already.
func (h *hasher) do(ctx context.Context, work func()) error {
	defer h.waiting.Add(-1)
	if h.waiting.Add(1) > hashing+queued {
		return services.Errorf(services.Unavailable, "too many people sign in at this moment: try again in a few seconds")
	}
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-h.slots }()
	work()
	return nil
}

// hash returns what is kept of a password. Invalid for one that is no good.
func (h *hasher) hash(ctx context.Context, password string) (out string, err error) {
	switch n := utf8.RuneCountInString(password); {
	case n < shortest:
		return "", services.Errorf(services.Invalid, "a password has %d characters at the least", shortest)
	case len(password) > longest:
		return "", services.Errorf(services.Invalid, "a password has %d bytes at the most", longest)
	}
	salt := make([]byte, saltSize)
	rand.Read(salt) //nolint:errcheck // never fails
	err = h.do(ctx, func() { out = h.cost.text(salt, h.cost.sum(password, salt)) })
	return out, err
}

func (c cost) sum(password string, salt []byte) []byte {
	return argon2.IDKey([]byte(password), salt, c.passes, c.memory, c.threads, sumSize)
}

const form = "$argon2id$v=%d$m=%d,t=%d,p=%d$"

func (c cost) text(salt, sum []byte) string {
	enc := base64.RawStdEncoding
	return fmt.Sprintf(form, argon2.Version, c.memory, c.passes, c.threads) + enc.EncodeToString(salt) + "$" + enc.EncodeToString(sum)
}

// parse reads what text writes.
func parse(hash string) (c cost, salt, sum []byte, err error) {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 {
		return c, nil, nil, errors.New("it is no hash of a password")
	}
	version := 0
	if _, err := fmt.Sscanf(strings.Join(parts[:4], "$")+"$", form, &version, &c.memory, &c.passes, &c.threads); err != nil || version != argon2.Version {
		return c, nil, nil, errors.New("its hash of a password is of another kind")
	}
	if c.memory < 8 || c.passes < 1 || c.threads < 1 || c.memory > most.memory || c.passes > most.passes || c.threads > most.threads {
		return c, nil, nil, errors.New("its hash of a password asks for too much or too little")
	}
	if salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err == nil {
		sum, err = base64.RawStdEncoding.DecodeString(parts[5])
	}
	if err != nil || len(salt) < 8 || len(sum) != sumSize {
		return c, nil, nil, errors.New("its hash of a password is damaged")
	}
	return c, salt, sum, nil
}

// check reports whether a password is the one of a hash. Without a hash, as
// for a user that does not exist, it takes the same time and fails. stale says
// that a new hash is to be made, at the present cost.
func (h *hasher) check(ctx context.Context, hash, password string) (right, stale bool, err error) {
	c, salt, sum, broken := parse(hash)
	if broken != nil {
		c, salt, sum = h.cost, make([]byte, saltSize), make([]byte, sumSize)
	}
	if len(password) > longest {
		password, broken = "", errors.New("it is too long") // but it takes as long
	}
	err = h.do(ctx, func() { right = subtle.ConstantTimeCompare(c.sum(password, salt), sum) == 1 })
	return right && broken == nil && err == nil, c != h.cost, err
}
