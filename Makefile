# tend: `make` alone says what there is to make.

GO        ?= go
PREFIX    ?= $(if $(filter 0,$(shell id -u)),/usr/local,$(HOME)/.local)
TESTFLAGS ?=
PACKAGES  ?= ./...
MAKEFLAGS += --no-print-directory

.PHONY: help run test check fuzz bench soak generate gallery screenshots build install

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

fuzz: go ## try whatever reads what others write, each for FUZZTIME (6s)
	@GO="$(GO)" FUZZTIME="$(or $(FUZZTIME),6s)" .ci/fuzz

bench: go ## measure tend against the same done by hand (half an hour; ARGS=-quick for a try, -only=FIGURE,...)
	@$(GO) build -trimpath -o bin/bench ./cmd/bench
	@bin/bench $(ARGS)

soak: go ## look after 500 servers that crash, with 50 browsers, for SOAK (10m); then kill the manager at each of its steps, three times
	@$(GO) build -trimpath -o bin/bench ./cmd/bench
	@bin/bench soak -for $(or $(SOAK),10m) $(ARGS)
	@$(GO) test -race -count=3 -timeout 60m -run 'WhereverTheManagerDies|KilledAtRandomMoments' ./cmd/tend

generate: go ## make *_templ.go from *.templ
	@$(GO) generate ./...

gallery: go ## show every view with canned data on http://127.0.0.1:3033
	@$(GO) run ./views/gallery

screenshots: go ## take pictures of every view into bin/pictures, and the README's
	@.ci/needs
	@rm -rf bin/pictures && mkdir -p bin/pictures
	@TEND_PICTURES=$(CURDIR)/bin/pictures $(GO) test -count=1 -run Pictures ./views/gallery ./cmd/tend
	@cp bin/pictures/overview.png views/overview.png
	@echo "bin/pictures has $$(ls bin/pictures | wc -l) pictures; views/overview.png is the README's"

build: go
	@$(GO) build -trimpath -o bin/tend ./cmd/tend

install: build ## install tend into PREFIX/bin (/usr/local for root, else ~/.local)
	@install -d "$(DESTDIR)$(PREFIX)/bin"
	@install -m 755 bin/tend "$(DESTDIR)$(PREFIX)/bin/tend"
	@echo "installed $(DESTDIR)$(PREFIX)/bin/tend"

.PHONY: go
go:
	@command -v $(GO) >/dev/null || { echo "Go is not installed: get it from https://go.dev/dl (go.mod names the version; any from 1.21 on fetches it by itself)"; exit 1; }
