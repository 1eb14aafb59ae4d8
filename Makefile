# The same commands serve developers and CI; `make help` lists them.

GO             ?= go
GO_NEEDED      := 1.26
FUZZTIME       ?= 30s
BENCHTIME      ?= 1s
TEST_TIMEOUT   ?= 8m
SOAK_FOR       ?= 10m
IMAGE          ?= secondaryd

# A toolchain is never downloaded behind anyone's back: too old a Go is said.
export GOTOOLCHAIN := local
# Debian keeps servers where only root's PATH looks.
export PATH := $(PATH):/usr/sbin:/sbin

tool := $(GO) tool -modfile=tools/go.mod

# The vendor's Go SDK has hundreds of packages; they compile in two thirds of
# the time when they are not optimised.
sdk_flags := -gcflags='github.com/cloudflare/cloudflare-go/v7/...=-N -l -dwarf=false'

.DEFAULT_GOAL := build
.PHONY: help build demo run test servers clients race soak interop-large conformance lint fmt bench bench-zone bench-dns bench-transfer bench-api fuzz cover docker clean go

help: ## list the targets
	@sed -n 's/^\([a-z][a-z-]*\):.*## /\1\t/p' Makefile | expand -t 16

build: go ## build bin/secondaryd, one static binary
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/secondaryd ./cmd/secondaryd

demo: build ## run daemon and sample primary together, with lines to try; DEMO_FOR=30s ends it
	bin/secondaryd demo

run: build ## run the daemon on loopback with configs/dev.yaml, data in ./data
	bin/secondaryd serve --config configs/dev.yaml

test: go servers ## run all tests, under the race detector where a C compiler is found
	@$(race_or_not); set -x; $(GO) test $$race -shuffle=on -count=1 -timeout $(TEST_TIMEOUT) ./...
	$(GO) test -count=1 -run AllocateNothing ./nameserver
	@$(MAKE) --no-print-directory clients

servers: # NSD, Knot DNS and BIND for the interop tests
	@.ci/servers

clients: go ## drive the daemon with the vendor's Go and TypeScript SDKs, and in Terraform's order
	@.ci/clients
	cd test/clients && $(GO) test $(sdk_flags) -vet=off -count=1 -timeout $(TEST_TIMEOUT) ./...

race: go ## run the short tests many times under the race detector
	$(GO) test -race -shuffle=on -short -count=5 -timeout 30m ./...

soak: go ## run the daemon, race detector in it, under everything at once for SOAK_FOR=10m
	SOAK_FOR=$(SOAK_FOR) $(GO) test -count=1 -timeout 0 -run '^TestSoak$$' -v ./test/soak

interop-large: go servers ## compare 100,000 records with each real primary
	INTEROP_LARGE=1 $(GO) test -count=1 -timeout 30m -run TestInteropLarge -v ./test/interop

conformance: go servers ## ask NSD, Knot, BIND and secondaryd every question about zones that hurt
	CONFORMANCE_FULL=1 $(GO) test -count=1 -timeout 60m -v ./test/conformance

lint: go ## gofmt, vet, fix, staticcheck, gofumpt
	@unformatted=$$("$$($(GO) env GOROOT)/bin/gofmt" -l .) && test -z "$$unformatted" || { echo "make: not formatted, run make fmt:" $$unformatted >&2; exit 1; }
	$(GO) vet ./...
	cd test/clients && $(GO) vet $(sdk_flags) ./...
	$(GO) fix -diff ./...
	$(tool) staticcheck ./...
	@strict=$$($(tool) gofumpt -l .) && test -z "$$strict" || { echo "make: gofumpt differs, run make fmt:" $$strict >&2; exit 1; }

fmt: go ## format and modernize the code
	$(GO) fix ./...
	$(tool) gofumpt -w .

bench: go ## run the benchmarks; BENCHTIME=1s each
	$(GO) test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) ./...

bench-zone: go servers ## measure zones beside NSD, Knot and BIND on a quiet machine; BENCH_ZONE_ARGS="-rounds 1"
	BENCH_ZONE=1 $(GO) test -count=1 -timeout 2h -run '^TestZone$$' -v ./test/bench -args $(BENCH_ZONE_ARGS)

bench-dns: go ## measure answers beside NSD, Knot and BIND on a quiet machine; BENCH_DNS_ARGS="-rounds 1 -sets mid"
	@.ci/servers bench
	BENCH_DNS=1 $(GO) test -count=1 -timeout 2h -run '^TestDNS$$' -v ./test/bench -args $(BENCH_DNS_ARGS)

bench-transfer: go servers ## measure transfers beside NSD, Knot and BIND on a quiet machine; BENCH_TRANSFER_ARGS="-parts ixfr"
	BENCH_TRANSFER=1 $(GO) test -count=1 -timeout 2h -run '^TestTransfer$$' -v ./test/bench -args $(BENCH_TRANSFER_ARGS)

bench-api: go servers ## measure the API with 10,000 zones, and NSD and Knot told of as many; BENCH_API_ARGS="-rounds 1 -servers secondaryd"
	BENCH_API=1 $(GO) test -count=1 -timeout 2h -run '^TestAPI$$' -v ./test/bench -args $(BENCH_API_ARGS)

fuzz: go ## run each fuzz target for FUZZTIME=30s
	@targets=$$($(GO) test -list '^Fuzz' ./...) || { echo "$$targets" >&2; exit 1; }; \
	echo "$$targets" | awk '/^Fuzz/ { name[n++] = $$1 } /^ok/ { while (n > 0) print $$2, name[--n] }' | \
	while read -r package target; do \
		echo "$$package $$target"; \
		$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x "$$package" </dev/null || exit 1; \
	done

cover: go ## measure which lines the tests reach, into coverage.out
	$(GO) test -count=1 -timeout $(TEST_TIMEOUT) -coverpkg=./... -coverprofile=coverage.out ./...
	$(GO) tool cover -func=coverage.out | tail -1

docker: ## build the container image; IMAGE=secondaryd
	@command -v docker >/dev/null || { echo "make: docker is not installed, so no image can be built" >&2; exit 1; }
	docker build -t $(IMAGE) .

clean: ## remove what was built
	rm -rf bin coverage.out

# One clear line where Go is missing or too old.
go:
	@found=$$($(GO) version 2>/dev/null) || \
		{ echo "make: Go is not installed (no \"$(GO)\" in PATH); Go $(GO_NEEDED) or newer is needed: https://go.dev/dl/" >&2; exit 1; }; \
	echo "$$found" | sed 's/.*go\([0-9][0-9]*\)\.\([0-9][0-9]*\).*/\1 \2/' | { \
		read -r major minor; needed=$(GO_NEEDED); \
		test "$$major" -gt "$${needed%.*}" || { test "$$major" -eq "$${needed%.*}" && test "$$minor" -ge "$${needed#*.}"; }; } 2>/dev/null || \
		{ echo "make: Go $(GO_NEEDED) or newer is needed, this is: $$found" >&2; exit 1; }

# Sets $race; the race detector is a C library, so it needs cgo and a compiler.
race_or_not = race=-race; \
	test "$$($(GO) env CGO_ENABLED)" = 1 && command -v "$$($(GO) env CC | cut -d' ' -f1)" >/dev/null || \
	{ race=; echo "make: no C compiler, so the tests run without the race detector" >&2; }
