package access

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
)

// TokenPrefix is what every token begins with, so that people and scanners
// know one when they see it.
const TokenPrefix = "tend_"

// newSecret makes 32 random bytes, as text.
func newSecret() string {
	var b [32]byte
	rand.Read(b[:]) //nolint:errcheck // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// hashOf is what is kept of a secret. There is nothing to guess in 32 random
// bytes, so it need not be slow.
func hashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// idSize is how much of the hash of a session names it.
const idSize = 12

func isHash(text string) bool {
	b, err := hex.DecodeString(text)
	return err == nil && len(b) == sha256.Size
}
