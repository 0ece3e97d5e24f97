# tend: `make` alone says what there is to make.

GO        ?= go
PREFIX    ?= $(if $(filter 0,$(shell id -u)),/usr/local,$(HOME)/.local)
TESTFLAGS ?=
PACKAGES  ?= ./...
MAKEFLAGS += --no-print-directory

.PHONY: help run test check generate build install

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## build tend and show the demo on http://127.0.0.1:3030
	@bin/tend demo

test: go ## install what the tests need and run them all, with the race detector
	@.ci/needs
	@{ $(GO) test -v -race -shuffle=on -timeout 14m $(TESTFLAGS) $(PACKAGES) 2>&1; echo "status $$?"; } | awk -f .ci/summary.awk

check: go ## formatting, go vet for Linux, macOS and FreeBSD, freshness of generated files
	@files=$$(gofmt -l $$(find . -name '*.go' -not -path './.*')); [ -z "$$files" ] || { echo "not formatted (gofmt -w):"; echo "$$files"; exit 1; }
	@for os in linux darwin freebsd; do GOOS=$$os $(GO) vet ./... || { echo "go vet fails on $$os"; exit 1; }; done
	@.ci/fresh
	@echo "PASS: formatted, vetted for linux, darwin and freebsd, generated files fresh"

generate: go ## make *_templ.go from *.templ
	@$(GO) generate ./...

build: go
	@$(GO) build -trimpath -o bin/tend ./cmd/tend

install: build ## install tend into PREFIX/bin (/usr/local for root, else ~/.local)
	@install -d "$(DESTDIR)$(PREFIX)/bin"
	@install -m 755 bin/tend "$(DESTDIR)$(PREFIX)/bin/tend"
	@echo "installed $(DESTDIR)$(PREFIX)/bin/tend"

.PHONY: go
go:
	@command -v $(GO) >/dev/null || { echo "Go is not installed: get it from https://go.dev/dl (go.mod names the version; any from 1.21 on fetches it by itself)"; exit 1; }
