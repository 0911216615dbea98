# The ways to use this checkout; `make` alone lists them. Each target first sees to what it needs,
# so each works alone in a fresh clone. The work itself is CMake's (CMakePresets.json).

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

PREFIX ?= /usr/local
JOBS ?= $(shell nproc)
# Most tests wait for servers and disks more than they compute.
TEST_JOBS ?= 3
FUZZ_SECONDS ?= 30

# The time that packages carry: that of what they are made of.
ifndef SOURCE_DATE_EPOCH
export SOURCE_DATE_EPOCH := $(shell git log -1 --format=%ct 2>/dev/null || stat -c %Y CHANGELOG.md)
endif

# What runs under the sanitizers finds its options here. ThreadSanitizer sees the prebuilt DuckDB
# from outside only, so what it reports from there is left out.
export ASAN_OPTIONS ?= detect_stack_use_after_return=1
export UBSAN_OPTIONS ?= print_stacktrace=1
export TSAN_OPTIONS ?= suppressions=$(CURDIR)/tools/tsan_suppressions.txt second_deadlock_stack=1

# GCC 12's ThreadSanitizer cannot map its shadow memory where a kernel randomizes addresses widely.
NO_ASLR = $(shell setarch -R true 2>/dev/null && echo setarch -R)

CTEST = ctest --output-on-failure --no-tests=error -j $(TEST_JOBS)

# What people run and what `make bench` needs; the tests are built by the other presets.
RELEASE_TARGETS = re_dms demo_program installed_files drain lose_unsynced

# `make test` runs each test once: these, by label, under AddressSanitizer and UBSan, all others
# without. Of what comes in shares (each byte, each failpoint) it takes a few.
SANITIZED = ^(unit|golden|fuzz|sanitized)$$

# What it leaves out is `make test-sweeps`: the other shares, and the sanitized ones without.
SWEEPS = ^(sweep|unit|golden|fuzz|sanitized)$$

# The folders whose tests run under ThreadSanitizer: those that have threads of their own.
TSAN_FOLDERS = base journal pipeline telemetry
space := $(subst ,, )

# $(call build,PRESET[,ARGUMENTS[,PREFIX COMMAND]])
define build
	@echo "== build: preset $(1) in build/$(1)"
	@cmake --preset $(1) --log-level=NOTICE
	@$(3) cmake --build --preset $(1) -j $(JOBS) $(2)
endef

.PHONY: help deps build release demo test test-sweeps test-all bench lint format fuzz install package clean

help: ## list the targets
	@echo "re_dms: make TARGET"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-11s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

deps: ## install missing Debian packages, and DuckDB in .deps (YES=1: do not ask)
	@echo "== deps: tools/setup"
	@tools/setup

build: deps ## build with debug information in build/dev
	$(call build,dev)

release: deps ## build optimized in build/release
	$(call build,release,--target $(RELEASE_TARGETS))

demo: release ## show it: throwaway PostgreSQL, traffic, into DuckDB (TARGET=redshift: a stand-in), comparison
ifeq ($(TARGET),redshift)
	@echo "== demo: into a stand-in for Redshift"
	@RE_DMS_BINARY=build/release/src/app/re_dms /usr/bin/python3 tests/standin/demo.py
else
	@echo "== demo: everything stays in demo/"
	@build/release/src/app/re_dms demo
endif

test: deps ## run the tests, those without a server and some of the others under sanitizers
	$(call build,dev,--target server_programs)
	@echo "== test: dev"
	@$(CTEST) --test-dir build/dev -LE '$(SWEEPS)'
	$(call build,asan-ubsan,--target sanitized_programs)
	@echo "== test: asan-ubsan, a part"
	@$(CTEST) --test-dir build/asan-ubsan -L '$(SANITIZED)'

test-sweeps: build ## run what `make test` leaves out: every byte and failpoint, more kills, ThreadSanitizer
	@echo "== test-sweeps: dev"
	@$(CTEST) --test-dir build/dev -L '$(SWEEPS)'
	$(call build,tsan,--target $(TSAN_FOLDERS:%=%_test),$(NO_ASLR))
	@echo "== test-sweeps: tsan ($(TSAN_FOLDERS))"
	@$(NO_ASLR) $(CTEST) --test-dir build/tsan -R '^($(subst $(space),|,$(TSAN_FOLDERS)))\.' -L unit

test-all: ## make test and test-sweeps, all of it under ASan and UBSan, lint, fuzz, extended tests
	@$(MAKE) test
	@$(MAKE) test-sweeps
	$(call build,asan-ubsan)
	@echo "== test-all: asan-ubsan, the rest"
	@$(CTEST) --test-dir build/asan-ubsan -LE '$(SANITIZED)'
	@$(MAKE) lint
	@$(MAKE) fuzz
	@echo "== test-all: extended"
	@tools/setup extended
	@ctest --output-on-failure --test-dir build/dev -C extended -L '^extended$$'

bench: release ## measure against a bare reader of the same slot (QUICK=1: shorter)
	@echo "== bench: bench/run"
	@bench/run

lint: deps ## clang-format, clang-tidy and shellcheck, all findings are errors
	@tools/setup lint
	@cmake --preset lint --log-level=NOTICE
	@tools/lint

format: ## format all C++ files in place
	@tools/setup lint
	@tools/lint --format

fuzz: ## run every fuzz target for FUZZ_SECONDS (30)
	@tools/setup fuzz
	$(call build,fuzz,--target fuzz_programs)
	@FUZZ_SECONDS=$(FUZZ_SECONDS) tools/fuzz

install: release ## install the release build under PREFIX (/usr/local), inside DESTDIR if set
	@echo "== install: $(DESTDIR)$(PREFIX)"
	@DESTDIR="$(DESTDIR)" cmake --install build/release --prefix "$(PREFIX)"

package: ## make Debian packages in build/packages
	@tools/setup package
	$(call build,release,--target $(RELEASE_TARGETS))
	@echo "== package: build/packages"
	@rm -rf build/packages
	@cd build/release && cpack

clean: ## remove build/ and demo/; .deps stays
	@echo "== clean: build demo"
	@rm -rf build demo
