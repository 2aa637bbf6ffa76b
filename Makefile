# Commands for newcomers and for CI. `make help` lists them.
#
# Every target that builds runs `setup` first, which takes a moment when nothing is missing.

SWIFT ?= swift
BINARY := .build/release/tailrace
# Where the Swift sources to check live; the benchmarks and the examples are packages of their own.
SOURCES := Package.swift Sources Tests Benchmarks/Package.swift Benchmarks/Benchmarks Benchmarks/Sources \
	Examples/Package.swift Examples/Sources
# Suites that compute on all processors for seconds. They run separately from suites that run live, which would starve,
# and from the program's tests, which start many child processes.
COMPUTING := TidyTests|HostileDocumentTests|DurationKeyTests|TraceFittingTests|ProgressTests|VerificationTests|PlannerTests|RealTraceTests|TraceDescriptionTests|SwarmTests|IntervalTests|ComparisonTests|GateTests|CapacityTests|GrowthTests|InternedTests|ReentryTests|ExtremeValueTests|ExtremeCallTests|LibrarySoakTests|SimulationTests\.EndTests
# Suites of the program that replay live. Child processes of other suites would make their runs invalid.
LIVE := EndToEndTests\.(RunTests|DriverTests|LeftBehindTests|MachineLimitTests)

.DEFAULT_GOAL := help
.PHONY: help setup build build-time demo test test-pools test-drivers examples docs lint bench test-tsan soak soak-library clean

## help: list these commands
help:
	@echo "Tailrace load-tests job schedulers. Commands:"
	@sed -n 's/^## \([a-z-]*\): \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-18s %s\n", $$1, $$2}'

## setup: install missing Debian packages
setup:
	@scripts/setup

## build: build the command line in release mode
build: setup
	@echo "==> building tailrace (release; the first time takes a few minutes)"
	@$(SWIFT) build -c release --product tailrace
	@echo "    built $(BINARY)"

## build-time: measure a clean release build, and its longest chain of modules (in .build-time)
build-time: setup
	@scripts/build-time

## demo: replay the five documented job mixes live and print where the report is
demo: build
	@echo "==> running the suite 'documented' (about two minutes)"
	@status=0; $(BINARY) run documented --progress || status=$$?; \
	if [ -e reports/latest/report.md ]; then echo; echo "The report: $$(readlink -f reports/latest)/report.md"; fi; \
	exit $$status

## test: run every check: format, warnings, imports, unit tests, end-to-end tests, documentation, examples
test: lint
	@scripts/setup --tests
	@echo "==> building with warnings as errors and explicit imports"
	@TAILRACE_WARNINGS=errors $(SWIFT) build --build-tests --explicit-target-dependency-import-check error
	@echo "==> running the tests that live in real time"
	@TAILRACE_WARNINGS=errors $(SWIFT) test --skip-build --skip '$(COMPUTING)' --skip 'EndToEndTests'
	@echo "==> running the tests of the program that live in real time"
	@TAILRACE_WARNINGS=errors $(SWIFT) test --skip-build --filter '$(LIVE)'
	@echo "==> running the tests of the program"
	@TAILRACE_WARNINGS=errors $(SWIFT) test --skip-build --filter 'EndToEndTests' --skip '$(COMPUTING)|$(LIVE)'
	@echo "==> running the tests that compute"
	@TAILRACE_WARNINGS=errors $(SWIFT) test --skip-build --filter '$(COMPUTING)'
	@echo "==> making the documentation"
	@# With the settings of the tests, so that nothing is built anew.
	@TAILRACE_WARNINGS=errors SWIFT=$(SWIFT) scripts/docs
	@$(MAKE) --no-print-directory examples

## examples: build the two small programs in Examples/ and check what they print
examples: setup
	@echo "==> building the examples, a package of its own"
	@$(SWIFT) build --package-path Examples
	@echo "==> running them"
	@SWIFT=$(SWIFT) Examples/check

## docs: make the documentation of the libraries in .build/documentation
docs: setup
	@SWIFT=$(SWIFT) scripts/docs

## lint: check the format of the sources
lint:
	@echo "==> checking the format"
	@$(SWIFT) format lint --strict -r --parallel $(SOURCES)

## bench: run the benchmarks, beside the platform's own ways of running jobs
bench: build
	@echo "==> building the benchmarks (the first time takes a few minutes)"
	@$(SWIFT) build --package-path Benchmarks -c release --product figures
	@echo "==> running them side by side (about three minutes)"
	@Benchmarks/side-by-side
	@echo "==> running the benchmarks of single parts"
	@$(SWIFT) package --package-path Benchmarks --allow-writing-to-package-directory benchmark --no-progress
	@echo "==> checking the bytes that they allocate"
	@Benchmarks/check-bytes

## test-pools: run the core's tests with a third pool
test-pools:
	@scripts/test-pools

## test-drivers: install the drivers of three kinds of schedulers, and test what they can do
test-drivers: build
	@scripts/test-drivers

## test-tsan: run the unit tests under the thread sanitizer
test-tsan: setup
	@echo "==> running the unit tests under the thread sanitizer"
	@# jemalloc and the sanitizer's own allocator do not go together.
	@TAILRACE_ALLOCATOR=system TSAN_OPTIONS=suppressions=$(CURDIR)/scripts/thread-sanitizer.suppressions \
	$(SWIFT) test --sanitize=thread --scratch-path .build-tsan -Xswiftc -use-ld=lld \
	--no-parallel --skip 'EndToEndTests|$(COMPUTING)'

## soak: attack the program for SECONDS (default: 1800) with random files, signals and limits
SECONDS ?= 1800
soak: setup
	@echo "==> building the tests"
	@TAILRACE_WARNINGS=errors $(SWIFT) build --build-tests
	@echo "==> attacking the program for $(SECONDS) s"
	@TAILRACE_WARNINGS=errors TAILRACE_SOAK_SECONDS=$(SECONDS) $(SWIFT) test --skip-build --filter SoakTests

## soak-library: make every public call of the library at once for SECONDS (default: 1800)
soak-library: setup
	@echo "==> building the tests"
	@TAILRACE_WARNINGS=errors $(SWIFT) build --build-tests
	@echo "==> calling the library for $(SECONDS) s"
	@TAILRACE_WARNINGS=errors TAILRACE_LIBRARY_SOAK_SECONDS=$(SECONDS) $(SWIFT) test --skip-build --filter LibrarySoakTests

## clean: delete what was built (reports stay)
clean:
	@rm -rf .build .build-tsan .build-time Benchmarks/.build Examples/.build
	@echo "    removed the build directories"
