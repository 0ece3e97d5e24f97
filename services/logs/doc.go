// Package logs keeps what the servers write.
package logs
