# `make demo` and `make test` do all their own set-up on a bare Debian machine with Python 3.11 to 3.14 and a C compiler.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
EXAMPLE := examples/loopback.pcap

.PHONY: demo test lint docs bench bench-live instructions differential compare memcheck sanitize fuzz \
  coverage truth clean programs clang

demo: $(VENV)/demo
	$(BIN)/tcpkit info $(EXAMPLE)
	$(BIN)/tcpkit flows $(EXAMPLE)
	$(BIN)/tcpkit packets $(EXAMPLE)

test: $(VENV)/test programs lint
	$(BIN)/python -m pytest -n auto
	$(BIN)/python -m benchmarks.instructions

lint: $(VENV)/test
	$(BIN)/ruff check .
	$(BIN)/mypy
	PATH="$(abspath $(BIN)):$$PATH" cython-lint src/tcpcore

# The pages that are made from the code, and flags.py.
docs: $(VENV)/test
	for tool in columns_doc commands_doc flags_module; do $(BIN)/python tools/$$tool.py; done

# QUICK=1: small captures, one run.  Of the peers only those that can be installed are measured; on Debian:
# apt-get install tshark tcptrace tcpdump tcpflow argus-server softflowd libpcap-dev golang-go
#   golang-github-google-gopacket-dev golang-golang-x-net-dev golang-golang-x-sys-dev
bench: $(VENV)/bench
	-$(BIN)/pip install -q nfstream scapy
	$(BIN)/python -m pytest benchmarks/bench_stages.py
	$(BIN)/python -m benchmarks.peers $(if $(QUICK),--quick,--write docs/performance.md)

# The highest rate of a live capture without a drop, beside tcpdump; as root.
bench-live: $(VENV)/bench
	$(BIN)/python -m benchmarks.live $(if $(QUICK),--seconds 1)

# What each work costs a segment, in instructions; after a change that is worth it: make instructions WRITE=1
instructions: $(VENV)/test programs
	$(BIN)/python -m benchmarks.instructions $(if $(WRITE),--write)

# The tests with the core built with AddressSanitizer, UndefinedBehaviorSanitizer and Cython's bounds checks.
SANITIZED := $(addprefix tests/,api attack cli differential property scenario semantics unit)
# The C++ library too: that of matplotlib must find its exceptions watched from the start.
PRELOADED = $(foreach library,libasan.so libstdc++.so.6,$(shell gcc -print-file-name=$(library)))
sanitize: $(VENV)/sanitize programs
	LD_PRELOAD="$(PRELOADED)" PYTHONPATH=build/sanitize/lib PYTHONMALLOC=malloc \
	  ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1 \
	  $(BIN)/python -m pytest -n auto --hypothesis-profile brief $(SANITIZED)

# Coverage-guided, SECONDS for each target (fuzz/README.md): make fuzz TARGETS="links options"
SECONDS ?= 60
fuzz: $(VENV)/fuzz
	$(BIN)/python fuzz/run.py --seconds $(SECONDS) $(TARGETS)

# How much of the core the inputs that fuzzing has kept reach.
coverage: $(VENV)/coverage
	$(BIN)/python fuzz/reached.py $(TARGETS)

# Every stage, table and output over a few captures under valgrind.
memcheck: $(VENV)/test programs
	! command -v valgrind >/dev/null || $(BIN)/python fuzz/memcheck.py $(EXAMPLE)

# Mutated captures against tshark, and each way to read one against the others.
compare: $(VENV)/test programs
	$(BIN)/python fuzz/differential.py --seconds $(SECONDS)

# Random conversations against tshark, as many as you like: make differential N=5000 SEED=1
N ?= 2000
SEED ?= 1
differential: $(VENV)/test programs
	TCPKIT_CONVERSATIONS=$(N) TCPKIT_SEED=$(SEED) $(BIN)/python -m pytest -n auto tests/differential/test_conversations.py

# The verdicts against what really happened to each packet of the recorded captures (docs/verdicts.md).
truth: $(VENV)/demo
	$(BIN)/python tests/truth/score.py

# The differential tests need the real tshark, counting instructions needs valgrind; what is missing is said.
programs:
	@for program in tshark valgrind; do command -v $$program >/dev/null || { [ "$$(id -u)" = 0 ] \
	  && command -v apt-get >/dev/null && apt-get update -qq \
	  && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $$program >/dev/null; } \
	  || echo "$$program cannot be installed here: what needs it will be skipped"; done

clang:
	@command -v clang >/dev/null || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq clang; }

SOURCES := $(wildcard src/*/*.py src/*/*/*.py src/*/*.pyx src/*/*.pxd src/*/*/*.pxd src/*/*.h src/*/*.pyi) setup.py pyproject.toml

$(VENV)/pip:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q -U "pip>=25.1"
	touch $@

$(VENV)/demo: $(VENV)/pip $(SOURCES)
	$(BIN)/pip install -q ".[all]"
	touch $@

$(VENV)/test: $(VENV)/pip $(SOURCES)
	$(BIN)/pip install -q ".[all]" --group test --group lint --group build
	touch $@

$(VENV)/sanitize: $(VENV)/test
	CC=gcc TCPKIT_DEBUG=1 TCPKIT_SANITIZE=1 $(BIN)/python setup.py -q build --build-base build/sanitize --build-lib build/sanitize/lib
	touch $@

$(VENV)/fuzz: $(VENV)/test | clang
	$(BIN)/pip install -q --group fuzz
	CC=clang TCPKIT_FUZZ=1 $(BIN)/python setup.py -q build --build-base build/fuzz --build-lib build/fuzz/lib
	touch $@

$(VENV)/coverage: $(VENV)/test
	CC=gcc TCPKIT_COVERAGE=1 $(BIN)/python setup.py -q build --build-base build/coverage --build-lib build/coverage/lib
	touch $@

$(VENV)/bench: $(VENV)/pip $(SOURCES)
	$(BIN)/pip install -q ".[all]" --group test --group bench
	touch $@

clean:
	rm -rf $(VENV) build src/*.egg-info src/tcpcore/*.c src/tcpcore/*.so
