package controltest

import (
	"testing"

	"tend/services"
)

func TestTheFakeKeepsTheContract(t *testing.T) {
	Run(t, func(*testing.T) services.Control { return NewFake(Servers()...) })
}
