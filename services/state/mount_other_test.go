//go:build !linux

package state

import "errors"

func mountTiny(string) error { return errors.ErrUnsupported }

func unmount(string) error { return nil }
