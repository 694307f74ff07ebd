# What can be made. The two that a newcomer needs are in README.md.

STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
FUZZTIME   ?= 60s
PROFILE    ?=

.PHONY: build test race lint fuzz bench stages pgo golden e2e ci

build: ## the program, as ./mailwhy
	CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o mailwhy ./cmd/mailwhy

test: ## all tests that need nothing but Go
	go test ./...

race: ## the same under the race detector, but for the two tables that try every command on every log once more
	go test -race -timeout=30m -skip='^(TestRedact|TestMergeOfOne)$$' ./...

lint: ## gofmt, vet, staticcheck
	@test -z "$$(gofmt -s -l .)" || { echo "gofmt -s would change:"; gofmt -s -l .; exit 1; }
	go vet ./...
	go vet -tags e2e ./internal/e2e
	go run $(STATICCHECK) ./...

fuzz: ## every fuzz target for FUZZTIME each
	@grep -rlE '^func Fuzz' --include='*_test.go' . | while read -r file; do \
		grep -oE '^func Fuzz[A-Za-z0-9_]+' "$$file" | cut -d' ' -f2 | while read -r target; do \
			echo "== $$(dirname $$file) $$target"; \
			go test -run='^$$' -fuzz="^$$target$$" -fuzztime=$(FUZZTIME) -fuzzminimizetime=100x "$$(dirname $$file)" || exit 1; \
		done || exit 1; \
	done

bench: ## the report against its peers on 1 GB of log; installs them (Debian, root)
	go run ./internal/testlog/bench

stages: ## what each stage of a report costs
	go test ./cmd/mailwhy -run='^$$' -bench='Parse|Work|Assemble|Summary|Report|Check|Events|Tail' -benchtime=2s

pgo: ## the profile by which the compiler arranges the code (cmd/mailwhy/default.pgo)
	go test ./cmd/mailwhy -run='^$$' -bench='Report$$' -benchtime=10s -cpuprofile=$(CURDIR)/cmd/mailwhy/default.pgo -o /dev/null

golden: ## write the golden files anew; look at the difference before committing it
	go test ./cmd/mailwhy ./internal/report -run 'TestGolden|TestScript|TestPages' -update

e2e: ## against real Postfix and Exim on loopback; installs them (Debian, root)
	bash internal/e2e/run.sh

ci: lint test race e2e ## what .ci/run does
