# "make demo" and "make test" are all a newcomer needs: on Debian, as root,
# they also install what they need.

SHELL       = /bin/bash
.SHELLFLAGS = -eu -o pipefail -c
export CGO_ENABLED ?= 0

AGENTS      = cmd/xmrfleet/supply/agents/amd64.gz cmd/xmrfleet/supply/agents/arm64.gz
SOURCES     = $(wildcard $(shell git ls-files -co --exclude-standard cmd plan hcl executor modules go.mod go.sum ':(exclude)*_test.go' 2>/dev/null))
VERSION    ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LABTESTS    = ./cmd/xmrfleet ./cmd/xmrig-orchestrator ./cmd/internal/lab
PATIENCE    = 80m # for the tests of a package, where the machine is slow
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2

build: bin/xmrfleet

# Nothing that differs from build to build is in the agent, and one compiler
# builds it, so that an unchanged agent is an unchanged checksum on the hosts.
TOOLCHAIN   = go$(shell sed -n 's/^toolchain go//p' go.mod)
cmd/xmrfleet/supply/agents/%.gz: $(SOURCES)
	mkdir -p bin
	GOTOOLCHAIN=$(TOOLCHAIN) GOOS=linux GOARCH=$* go build -trimpath -buildvcs=false -ldflags='-s -w' -o bin/xmrig-orchestrator-$* ./cmd/xmrig-orchestrator
	sha256sum <bin/xmrig-orchestrator-$* | cut -d' ' -f1 >cmd/xmrfleet/supply/agents/$*.sha256
	gzip -n9 <bin/xmrig-orchestrator-$* >$@

bin/xmrfleet: $(SOURCES) $(AGENTS)
	go build -trimpath -ldflags='-s -w -X main.version=$(VERSION)' -o $@ ./cmd/xmrfleet

man: bin/xmrfleet.1

bin/xmrfleet.1: bin/xmrfleet
	bin/xmrfleet man >$@

bin/labctl: $(SOURCES)
	go build -o $@ ./cmd/labctl

packages:
	testdata/packages.sh

# Four real hosts on this machine, from nothing to mining and nothing to do.
demo: packages build bin/labctl
	testdata/demo.sh

demo-down: bin/labctl
	bin/labctl down demo

# What to run before each commit: lint, and every test that needs no lab and no
# root. A few minutes on two processors when nothing is cached, seconds after a
# small change.
check: lint
	go test -timeout $(PATIENCE) ./...

# Everything. The lab tests need Linux and root; without, the rest is run.
test: packages build
	@if command -v gcc >/dev/null; then race=-race; else race=; echo "left out: the race detector (no gcc)"; fi; \
	set -x; CGO_ENABLED=$${race:+1} GORACE=atexit_sleep_ms=0 go test $$race -timeout $(PATIENCE) ./...
	@if [ "$$(uname)" = Linux ] && [ "$$(id -u)" = 0 ]; then \
	set -x; XMRFLEET_REQUIRE_LAB=1 go test -p 1 -tags lab -timeout $(PATIENCE) $(LABTESTS); \
	else echo "left out: the lab tests (they need root on Linux)"; fi

# Random applies with random faults, far more of them than in the test: every
# round is that of its seed and number, as SEED=7 FIRST=120 ROUNDS=1. FAULTS='link|disk'
# leaves the others out.
SEED   ?= 0
FIRST  ?= 0
ROUNDS ?= 300
FAULTS ?=
campaign: packages build
	XMRFLEET_REQUIRE_LAB=1 go test -tags lab -v -timeout 24h -run '^TestCampaign$$' ./cmd/xmrfleet \
		-campaign.seed $(SEED) -campaign.first $(FIRST) -campaign.rounds $(ROUNDS) -campaign.faults '$(FAULTS)'

# What the figures in README.md come from.
bench: packages build
	go run ./cmd/bench

# Memory, CPU and size of the health agent after half a day of polls.
bench-agent:
	go test -run '^$$' -bench Agent -benchtime 5000x ./cmd/xmrig-orchestrator

# How often the agent restarts a miner in vain, beside other watchdogs.
bench-watchdog:
	go run ./cmd/xmrig-orchestrator/watchdog-sim

lint:
	test -z "$$(gofmt -l . | tee /dev/stderr)"
	go vet ./...
	go vet -tags lab ./...
	go run $(STATICCHECK) -tags lab ./...

# Writes every expected text anew, as the tests get it now; read the diff.
golden:
	UPDATE_GOLDEN=1 go test -timeout $(PATIENCE) ./...
	git status --short '*golden*' testdata cmd/xmrfleet/example.hcl

clean:
	rm -rf bin cmd/xmrfleet/supply/agents/*.gz cmd/xmrfleet/supply/agents/*.sha256

.PHONY: build man packages demo demo-down check test campaign bench bench-agent bench-watchdog lint golden clean
