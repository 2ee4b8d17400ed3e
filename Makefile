# The front door: what people type. The work is done by CMakePresets.json and the scripts named below.
.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: help demo build test test-report test-package crash bench fuzz lint docs install package clean

JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
CTEST_ARGS ?=
BENCH_ARGS ?=
FUZZ_SECONDS ?= 60

# What one preset compiled is right for another whose flags are the same, wherever it is built.
export CCACHE_NOHASHDIR := 1
export CCACHE_BASEDIR := $(CURDIR)

packages := packaging/install-packages
sources = $(shell find core fs_store c cli tests bench fuzz examples -name '*.h' -o -name '*.cpp' -o -name '*.c')

# $(call build,PRESET,TARGET): configure and build; $(call ctest,PRESET,ARGUMENTS): run tests, more at a time than there
# are processors since they wait for the disk.
build = cmake --preset $(1) > /dev/null && cmake --build --preset $(1) -j $(JOBS) $(if $(2),--target $(2))
ctest = ctest --preset $(1) -j $$(($(JOBS) * 2)) $(2)

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## builds the command-line tool and shows what it does
	@$(packages) build fs-store cli demo
	@$(call build,release,worker_runtime_cli)
	@examples/demo/run build/release/bin/worker-runtime

build: ## the libraries and the command-line tool, optimised, in build/release
	@$(packages) build fs-store cli
	@$(call build,release)

test: ## all tests, without and with fs-store; CTEST_ARGS='-R name' or '-LE slow' selects
	@$(packages) build fs-store cli test
	@command -v node > /dev/null || $(packages) binding  # one from elsewhere excludes Debian's
	@$(call build,core-only)
	@$(call build,dev)
	@$(call ctest,core-only,$(if $(CTEST_ARGS),--no-tests=ignore $(CTEST_ARGS)))
	@$(call ctest,dev,$(CTEST_ARGS))

test-report: ## the page of `report` in a browser; report/README.md
	@$(packages) build fs-store cli browser
	@command -v npm > /dev/null || $(packages) node  # one from elsewhere excludes Debian's
	@$(call build,release,worker_runtime_cli)
	@cd report && npm ci --ignore-scripts --no-audit --no-fund && npm run check && \
	  WORKER_RUNTIME=$(CURDIR)/build/release/bin/worker-runtime npm test

crash: ## the crash tests, 10,000 rounds
	@$(packages) build fs-store cli test
	@$(call build,dev)
	@WORKER_RUNTIME_CRASH_ROUNDS=10000 $(call ctest,dev,-L crash $(CTEST_ARGS))

bench: ## builds and runs the benchmarks, and writes docs/BENCHMARKS.md; BENCH_ARGS goes to bench/run.py
	@$(packages) build fs-store cli bench plots
	@$(call build,bench)
	@bench/run.py build/bench/bin docs $(BENCH_ARGS)

fuzz: ## builds the fuzzers and runs each for FUZZ_SECONDS=60
	@$(packages) build fs-store test fuzz
	@$(call build,fuzz)
	@packaging/run-each "no fuzzers in fuzz/" $(patsubst fuzz/%.cpp,build/fuzz/bin/fuzz_%,$(wildcard fuzz/*.cpp)) -- -max_total_time=$(FUZZ_SECONDS) -timeout=10 -malloc_limit_mb=256 -print_final_stats=1

# By this word in the name the analyser of clang-tidy knows that a source includes others, and looks into these too.
clang := build/clang-UnifiedSources

lint: ## code format, clang-tidy with thread-safety analysis, and the tidy test
	@$(packages) build fs-store cli test bench lint
	@mkdir -p build
	@clang-format --dry-run -Werror $(sources) 2> build/format.log || \
	  { sed -nE 's/^([^ :]+):[0-9:]+ error: .*/clang-format -i \1/p' build/format.log | sort -u; exit 1; }
	@cmake --preset clang > /dev/null
	@run-clang-tidy -quiet -p $(clang) -j $(JOBS) > $(clang)/tidy.log 2>&1 || \
	  { packaging/tidy-findings $(clang)/tidy.log; exit 1; }
	@tests/tidy/tidy.py .

docs: ## the reference of the public headers, in build/docs/html
	@$(packages) docs
	@mkdir -p build/docs
	@doxygen docs/Doxyfile
	@echo "build/docs/html/index.html"

install: ## program, headers, libraries and manual pages; PREFIX=/usr/local, DESTDIR is honoured
	@$(packages) build fs-store cli
	@$(call build,release)
	@cmake --install build/release --prefix "$(abspath $(PREFIX))"

package: ## three .debs and a .tar.gz, in build/packages
	@$(packages) build fs-store cli package
	@$(call build,release)
	@$(call build,package)
	@cpack --preset release
	@cpack --preset package

test-package: package ## the .debs through lintian and in a Debian 12 of their own, and the vcpkg port; as root, with a mirror
	@$(packages) test-package
	@tests/package/debian.sh build/packages
	@tests/package/vcpkg.sh

clean: ## removes all that was built
	@cmake -E rm -rf build
