# Everything that this repository does. "make demo" and "make test" are all a
# newcomer needs: on Debian, as root, they also install what they need.

SHELL       = /bin/bash
.SHELLFLAGS = -eu -o pipefail -c
export CGO_ENABLED ?= 0

AGENTS   = cmd/xmrfleet/agents/amd64.gz cmd/xmrfleet/agents/arm64.gz
GOFILES  = $(shell find . -name '*.go' -o -name '*.sh' -path './executor/*') go.mod go.sum
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
PACKAGES = ./... ./testdata/lab/... ./testdata/xmrig ./testdata/release/...
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2

build: bin/xmrfleet

# The agent is built without anything that differs from build to build, so that
# an unchanged agent is an unchanged checksum on the hosts.
cmd/xmrfleet/agents/%.gz: $(GOFILES)
	GOOS=linux GOARCH=$* go build -trimpath -buildvcs=false -ldflags='-s -w' -o bin/xmrig-orchestrator-$* ./cmd/xmrig-orchestrator
	sha256sum <bin/xmrig-orchestrator-$* | cut -d' ' -f1 >cmd/xmrfleet/agents/$*.sha256
	gzip -n9 <bin/xmrig-orchestrator-$* >$@

bin/xmrfleet: $(AGENTS)
	go build -trimpath -ldflags='-s -w -X main.version=$(VERSION)' -o $@ ./cmd/xmrfleet

lint:
	test -z "$$(gofmt -l . | tee /dev/stderr)"
	go vet $(PACKAGES)
	go vet -tags lab $(PACKAGES)
	go run $(STATICCHECK) -tags lab $(PACKAGES)

clean:
	rm -rf bin cmd/xmrfleet/agents/*.gz

.PHONY: build lint clean
