// Package access knows who may use a manager: users with passwords, tokens of
// programs, sessions of browsers, links that sign in once, and how much each of
// them may see and do. It does not speak HTTP: handlers ask it about what a
// request shows.
//
// Secrets. A password is kept as argon2id with its parameters, a token and a
// session as SHA-256 of 32 random bytes. None can be had back. Whoever guesses
// passwords is slowed down for each account and for each address, is never told
// which half of the guess was wrong, and cannot make more than a few hashes be
// computed at a time.
//
// The file. Users, tokens and sessions are one small file that is replaced as a
// whole. What lets somebody in is written before it works; what keeps somebody
// out works at once, also where it cannot be written. A file that is damaged is
// set aside, and then it lets nobody in.
//
// Ownership. The mutex guards what is in force and is never held across I/O; a
// book that is in force is not changed but replaced. Whoever replaces it holds
// the pen, across the writing of the file.
package access
