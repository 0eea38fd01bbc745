# Aardvark.  `make run` and `make check` are all that a newcomer needs; `make help` lists the rest.

# ---- what a caller may set -------------------------------------------------------------------------------------------

BUILD    ?= build
ifeq ($(origin CC),default)
CC       := gcc
endif
PKG_CONFIG ?= pkg-config
INSTALL  ?= install
OPT      ?= -O2 -g
HARDEN   ?= -D_FORTIFY_SOURCE=2 -fstack-protector-strong $(call supported,-fstack-clash-protection) $(HARDEN_BRANCHES)
SAN      ?=
# CPPFLAGS, CFLAGS, CXXFLAGS and LDFLAGS come after the project's own, LDLIBS before.
PREFIX   ?= /usr/local
LIBDIR   ?= $(PREFIX)/lib
DESTDIR  ?=

TEST_JOBS    ?= 2
TEST_TIMEOUT ?= 120
FUZZ_SECONDS ?= 60
ATTACK_SECONDS ?= 600

# ---- where V8 is -----------------------------------------------------------------------------------------------------

# scripts/bootstrap installs what is missing and writes .deps/config.mk (docs/install.md).  make runs it when the file is
# not there or older than the script, then starts anew with it.
NO_BOOTSTRAP := clean dist format help uninstall
WANTED       := $(or $(MAKECMDGOALS),all)
ifneq ($(filter-out $(NO_BOOTSTRAP),$(WANTED)),)
include .deps/config.mk
endif

.deps/config.mk: scripts/bootstrap
	@scripts/bootstrap

# ---- flags -----------------------------------------------------------------------------------------------------------

VERSION  := $(shell sed -n 's/^.define AARD_VERSION_STRING "\(.*\)"/\1/p' include/aardvark/export.h)
# Of the API that is being made: until 1.0 each minor version has one of its own.
SOVERSION := 0.4

PKGS     := libzip jansson libsodium icu-uc icu-i18n libcrypto zlib
ifneq ($(wildcard .deps/config.mk),)
PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PKGS))
PKG_LIBS   := $(shell $(PKG_CONFIG) --libs $(PKGS))
endif

WARN     := -Wall -Wextra -Wshadow -Wvla -Wconversion -Wundef -Wformat=2 -Wpointer-arith -Wwrite-strings -Wimplicit-fallthrough
ifeq ($(CI),true)
WARN     += -Werror
endif
# An option where the compiler knows it.
supported = $(shell $(CC) -Werror $(1) -fsyntax-only -x c /dev/null 2>/dev/null && echo '$(1)')
# Indirect branches go to where they may only.  Not the shadow stack of -fcf-protection: guests have stacks of their own.
HARDEN_BRANCHES := $(or $(call supported,-fcf-protection=branch),$(call supported,-mbranch-protection=bti))

OWN_CPPFLAGS := -D_GNU_SOURCE -Iinclude -Isrc -I$(BUILD)/gen
OWN_CFLAGS   := -std=c11 $(OPT) $(WARN) -Wstrict-prototypes -Wmissing-prototypes -fvisibility=hidden -fPIC -pthread \
                $(HARDEN) $(SAN) $(PKG_CFLAGS)
OWN_CXXFLAGS := -std=c++17 $(OPT) $(WARN) -Wcast-qual -Wno-unused-parameter -fvisibility=hidden -fPIC -fno-rtti -fno-exceptions \
                -pthread $(HARDEN) $(SAN) $(NODE_CFLAGS)
OWN_LDFLAGS  := -Wl,-z,relro,-z,now $(SAN)
OWN_LDLIBS   := -Wl,--as-needed $(NODE_LIBS) $(PKG_LIBS) -lpthread

COMPILE_C    = $(CC) $(OWN_CPPFLAGS) $(CPPFLAGS) $(if $(filter tests/%,$<),-Itests) $(OWN_CFLAGS) $(CFLAGS)
COMPILE_CXX  = $(CXX) $(OWN_CPPFLAGS) $(CPPFLAGS) $(OWN_CXXFLAGS) $(CXXFLAGS)

# ---- sources ---------------------------------------------------------------------------------------------------------

LIB_C     := $(filter-out src/cli/% src/helper/%,$(wildcard src/*/*.c src/*/*/*.c))
LIB_CC    := $(wildcard src/engine/*.cc src/engine/*/*.cc)
PLAIN_OBJ := $(LIB_C:%.c=$(BUILD)/obj/%.o) $(LIB_CC:%.cc=$(BUILD)/obj/%.o) $(BUILD)/obj/embedded_files.o
LIB_OBJ   := $(PLAIN_OBJ) $(BUILD)/obj/snapshot.o
CLI_C     := $(wildcard src/cli/*.c)
# The command sees the public API only; of what is internal it has a copy of this.
CLI_OBJ   := $(CLI_C:%.c=$(BUILD)/obj/%.o) $(BUILD)/obj/src/base/utf8.o $(BUILD)/obj/src/base/library.o
HELPER_OBJ := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard src/helper/*.c))
EMBEDDED  := $(sort $(wildcard src/embedded/*/*.js src/embedded/*/*.py))
EMBEDDED_WASM := $(patsubst src/embedded/%.wat,$(BUILD)/gen/embedded/%.wasm,$(wildcard src/embedded/*/*.wat))
HEADERS   := $(wildcard include/aardvark/*.h)
BUNDLES   := $(patsubst bundles/%/,$(BUILD)/bundles/%.zip,$(wildcard bundles/*/))
TEST_C    := $(wildcard tests/test_*.c)
TEST_BIN  := $(TEST_C:%.c=$(BUILD)/%)
TEST_SH   := $(wildcard tests/test_*.sh)
TOOL_C    := $(wildcard tests/make_*.c)
TOOL_BIN  := $(TOOL_C:%.c=$(BUILD)/%)
SUPPORT_C := $(filter-out $(TEST_C) $(TOOL_C),$(wildcard tests/*.c))
SUPPORT_OBJ := $(SUPPORT_C:%.c=$(BUILD)/obj/%.o)
ATTACK_OBJ := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tests/attack/*.c))
ATTACK_BIN := $(BUILD)/tests/attack
FUZZ_C    := $(wildcard tests/fuzz/*.c)
FUZZ_BIN  := $(FUZZ_C:%.c=$(BUILD)/%)
PROGRAMS  := $(if $(CLI_C),$(BUILD)/aardvark) $(BUILD)/aardvark-guest $(patsubst bench/%.c,$(BUILD)/%,$(wildcard bench/bench_*.c))
LIBRARIES := $(BUILD)/libaardvark.a $(BUILD)/libaardvark.so

.PHONY: all bundles tests
.SECONDARY:
all: $(LIBRARIES) $(PROGRAMS) bundles ## build the library, the command, the benchmark and the sample bundles
bundles: $(BUNDLES)
tests: $(TEST_BIN) $(TOOL_BIN) $(ATTACK_BIN)

# One short line a step; make V=1 shows the commands.
ifneq ($(V),1)
step = @printf '  %-6s %s\n' $(1) $@;
endif

# ---- objects ---------------------------------------------------------------------------------------------------------

# A file that changes only when its content does: what depends on it is made again when a list or a setting changed.
quoted = '$(subst ','\'',$(1))'
define remember # FILE,TEXT
$(1): FORCE
	@mkdir -p $$(@D)
	@printf '%s\n' $(call quoted,$(2)) | cmp -s - $$@ || printf '%s\n' $(call quoted,$(2)) >$$@
endef
.PHONY: FORCE
$(eval $(call remember,$(BUILD)/gen/embedded.list,$(EMBEDDED)))
$(eval $(call remember,$(BUILD)/gen/sources.list,$(LIB_C) $(LIB_CC)))
$(eval $(call remember,$(BUILD)/gen/c.list,$(CC) $(OWN_CPPFLAGS) $(CPPFLAGS) $(OWN_CFLAGS) $(CFLAGS)))
$(eval $(call remember,$(BUILD)/gen/cxx.list,$(CXX) $(OWN_CPPFLAGS) $(CPPFLAGS) $(OWN_CXXFLAGS) $(CXXFLAGS)))
$(eval $(call remember,$(BUILD)/gen/link.list,$(CXX) $(OWN_LDFLAGS) $(LDFLAGS) $(LDLIBS) $(OWN_LDLIBS)))

$(BUILD)/obj/%.o: %.c $(BUILD)/gen/c.list
	@mkdir -p $(@D)
	$(call step,CC)$(COMPILE_C) -MMD -MP -c $< -o $@

$(BUILD)/obj/src/engine/guarded.o: private OWN_CXXFLAGS += -fexceptions

$(BUILD)/obj/%.o: %.cc $(BUILD)/gen/cxx.list
	@mkdir -p $(@D)
	$(call step,CXX)$(COMPILE_CXX) -MMD -MP -c $< -o $@

# What prelinked files depend on besides what they are made from: how this library makes them.
$(BUILD)/gen/prelink_sources.h: $(sort $(wildcard src/prelink/*.[ch])) $(BUILD)/gen/sources.list
	$(call step,HASH){ printf '#define AARD__PRELINK_SOURCES "'; cat $(filter src/%,$^) | sha256sum | cut -c 1-64 | tr -d '\n'; echo '"'; } >$@

$(BUILD)/obj/src/guest/python/python_layout.o: $(BUILD)/gen/prelink_sources.h

# In object form: prelinking adds them to Pyodide's module (src/prelink/addition.h).
$(BUILD)/gen/embedded/%.wasm: src/embedded/%.wat
	@mkdir -p $(@D)
	$(call step,WAT)wat2wasm --relocatable $< -o $@

# Guest files are embedded as they are: an assembler table of name, start and length (src/embedded/files.h).
$(BUILD)/gen/embedded_files.S: $(EMBEDDED) $(EMBEDDED_WASM) $(BUILD)/gen/embedded.list
	@{ echo '.section .rodata'; n=0; for f in $(EMBEDDED) $(EMBEDDED_WASM); do \
	   name=$${f#$(BUILD)/gen/embedded/}; \
	   echo "g$$n: .incbin \"$$f\""; echo "e$$n: .byte 0"; echo "n$$n: .asciz \"$${name#src/embedded/}\""; n=$$((n+1)); done; \
	   echo '.section .data.rel.ro,"aw"'; echo '.balign 8'; echo '.globl aard__guest_files'; echo '.hidden aard__guest_files'; \
	   echo 'aard__guest_files:'; i=0; while [ $$i -lt $$n ]; do echo ".quad n$$i, g$$i, e$$i - g$$i"; i=$$((i+1)); done; \
	   echo '.quad 0, 0, 0'; echo '.section .note.GNU-stack,"",@progbits'; } > $@

$(BUILD)/obj/embedded_files.o: $(BUILD)/gen/embedded_files.S
	@mkdir -p $(@D)
	$(call step,AS)$(CC) -c $< -o $@

# So is the start-up snapshot of JavaScript guests, which the library itself makes: linked with none at first.
embed_snapshot = { echo '.section .rodata'; echo '.balign 16'; \
   for s in aard__snapshot_embedded $(1) aard__snapshot_embedded_end; do \
     case $$s in aard__*) echo ".globl $$s"; echo ".hidden $$s"; echo "$$s:" ;; *) echo ".incbin \"$$s\"" ;; esac; done; \
   echo '.section .note.GNU-stack,"",@progbits'; } | $(CC) -x assembler -c - -o $@

$(BUILD)/obj/no_snapshot.o: Makefile
	@mkdir -p $(@D)
	$(call step,AS)$(call embed_snapshot,)

$(BUILD)/gen/make_snapshot: $(BUILD)/obj/scripts/make_snapshot.o $(PLAIN_OBJ) $(BUILD)/obj/no_snapshot.o \
                            $(BUILD)/gen/sources.list $(BUILD)/gen/link.list
	@mkdir -p $(@D)
	$(call step,LINK)$(CXX) $(OWN_LDFLAGS) $(LDFLAGS) $(filter %.o,$^) $(LDLIBS) $(OWN_LDLIBS) -lm -o $@

$(BUILD)/gen/javascript.snapshot: $(BUILD)/gen/make_snapshot
	$(call step,MAKE)$< $@.new && mv $@.new $@

$(BUILD)/obj/snapshot.o: $(BUILD)/gen/javascript.snapshot
	$(call step,AS)$(call embed_snapshot,$<)

-include $(BUILD)/obj/scripts/make_snapshot.d $(patsubst %.o,%.d,$(LIB_OBJ) $(CLI_OBJ) $(HELPER_OBJ) $(SUPPORT_OBJ)) $(patsubst %,%.d,$(TEST_BIN) $(TOOL_BIN) $(FUZZ_BIN)) \
         $(ATTACK_OBJ:%.o=%.d)

# ---- libraries and programs ------------------------------------------------------------------------------------------

$(BUILD)/libaardvark.a: $(LIB_OBJ) $(BUILD)/gen/sources.list
	@rm -f $@
	$(call step,AR)$(AR) rcs $@ $(LIB_OBJ)

# Only aard_… leaves the library: nothing internal, and none of the templates that V8's headers instantiate.
$(eval $(call remember,$(BUILD)/gen/exports.map,AARD_$(SOVERSION) { global: aard_[!_]*; local: *; };))

# Unloading it would take the code away from V8's threads, and what V8 does once can't be done again.
LINK_SO = $(CXX) -shared -Wl,-z,nodelete -Wl,-soname,libaardvark.so.$(SOVERSION) \
          -Wl,--version-script=$(BUILD)/gen/exports.map $(OWN_LDFLAGS) $(LDFLAGS)

$(BUILD)/libaardvark.so: $(LIB_OBJ) $(BUILD)/gen/sources.list $(BUILD)/gen/exports.map $(BUILD)/gen/link.list
	$(call step,LINK)$(LINK_SO) $(LIB_OBJ) $(LDLIBS) $(OWN_LDLIBS) -o $@
	@ln -sf libaardvark.so $@.$(SOVERSION)

# Programs find the library beside them here, and in ../lib once installed.
LINK_PROGRAM = $(CC) $(OWN_LDFLAGS) $(LDFLAGS) -Wl,-rpath,'$$ORIGIN:$$ORIGIN/../lib'
PROGRAM_LIBS = $(BUILD)/libaardvark.so $(LDLIBS) -Wl,--as-needed $(PKG_LIBS) -lpthread

$(BUILD)/aardvark: $(CLI_OBJ) $(BUILD)/libaardvark.so
	$(call step,LINK)$(LINK_PROGRAM) $(CLI_OBJ) $(PROGRAM_LIBS) -o $@

# Guests in processes of their own run in this one.  It is what is inside of the library that it needs.
LINK_HELPER = $(CXX) $(OWN_LDFLAGS) $(LDFLAGS) $(HELPER_OBJ) $(BUILD)/libaardvark.a $(LDLIBS)

$(BUILD)/aardvark-guest: $(HELPER_OBJ) $(BUILD)/libaardvark.a $(BUILD)/gen/link.list
	$(call step,LINK)$(LINK_HELPER) $(OWN_LDLIBS) -lm -o $@

$(BUILD)/%: $(BUILD)/obj/bench/%.o $(BUILD)/obj/bench/support.o $(BUILD)/libaardvark.so
	$(call step,LINK)$(LINK_PROGRAM) $< $(BUILD)/obj/bench/support.o $(PROGRAM_LIBS) -lm -o $@

# Measures what has no public name.
$(BUILD)/bench_fork: $(BUILD)/obj/bench/bench_fork.o $(BUILD)/obj/bench/support.o $(BUILD)/libaardvark.a
	$(call step,LINK)$(CXX) $(OWN_LDFLAGS) $(LDFLAGS) $^ $(LDLIBS) $(OWN_LDLIBS) -lm -o $@

define pack_bundle # NAME
$(BUILD)/bundles/$(1).zip: $(shell find bundles/$(1) -type f) $(BUILD)/aardvark
	@mkdir -p $$(@D)
	$$(call step,PACK)$(BUILD)/aardvark bundle pack bundles/$(1) -o $$@ >/dev/null
endef
$(foreach zip,$(BUNDLES),$(eval $(call pack_bundle,$(basename $(notdir $(zip))))))

# ---- running and checking --------------------------------------------------------------------------------------------

.PHONY: stage run check check-quick check-cpython check-pyodide check-wpt soak asan ubsan tsan valgrind valgrind-leaving lint exported-symbols
stage: $(BUILD)/aardvark ## stage the core variant of Pyodide where that has not been done
	@$(BUILD)/aardvark assets verify >/dev/null 2>&1 && $(BUILD)/aardvark assets stage -q >/dev/null || \
	   $(BUILD)/aardvark assets stage --force

run: $(BUILD)/aardvark bundles stage ## install what is missing, build, and run the two sample bundles
	@for bundle in hello hello-js; do echo "== $$bundle"; \
	   $(BUILD)/aardvark run $(BUILD)/bundles/$$bundle.zip -v || exit; done

RUN_TESTS = TEST_JOBS=$(TEST_JOBS) TEST_TIMEOUT=$(TEST_TIMEOUT) tests/run $(BUILD)

check: all tests stage ## build everything and pass every test; the last line counts them
	@tests/cpython/find >/dev/null || scripts/bootstrap --with cpython-tests
	@$(RUN_TESTS) $(filter-out $(TEST_NOT),$(TEST_BIN)) $(TEST_SH)

# Tests that say `test-quick` near the top of their source; those that take longest are begun first.
QUICK := $(shell awk 'FNR > 15 { nextfile } /test-quick/ { print FILENAME; nextfile }' $(TEST_SH) $(TEST_C))
QUICK_TESTS := $(filter %.sh,$(QUICK)) $(patsubst %.c,$(BUILD)/%,$(filter %.c,$(QUICK)))

check-quick: all $(filter $(BUILD)/%,$(QUICK_TESTS)) stage ## a test or more of every room, in less than a minute
	@$(RUN_TESTS) $(QUICK_TESTS)

check-cpython: all stage ## CPython's own tests here and in node + Pyodide: what passes there passes here (docs/conformance.md)
	@BUILD=$(BUILD) TEST_JOBS=$(TEST_JOBS) tests/cpython/run

check-pyodide: all stage $(BUILD)/tests/make_session ## the same with Pyodide's tests, of a checkout that PYODIDE_SOURCE names
	@BUILD=$(BUILD) tests/pyodide/run

check-wpt: $(BUILD)/aardvark ## web-platform-tests by area, here and in node, of a checkout that WPT_SOURCE names (docs/conformance.md)
	@test -n "$(WPT_SOURCE)" || { echo 'check-wpt: set WPT_SOURCE to a checkout of web-platform-tests' >&2; exit 2; }
	@node tests/wpt/run.mjs $(WPT_SOURCE) $(BUILD)/aardvark $(BUILD)/check-wpt $(WPT_ONLY)

soak: all tests stage ## ten thousand resets, 20 000 calls that end at their limit, each allocation bomb 500 times, 200 attacks beside a neighbour, hundreds of kills
	@AARD_SOAK=1 TEST_TIMEOUT=36000 $(RUN_TESTS) \
	   $(addprefix $(BUILD)/tests/test_,reset_javascript reset_python runaways isolate_limits budgets stop_race warm_kill bombs neighbour pool_stress process_soak process_isolation) tests/test_in_processes.sh

# Each in a build directory of its own.  V8 itself is not instrumented.  A huge allocation fails as it does elsewhere.
# What may be uninitialized, the compiler only knows where it optimises.
# What an instrumented process does is more than a hardened one may: tests of what is forbidden are left out there.
UNHARDENED := TEST_NOT='%/test_harden %/test_smashed_engine'
sanitized = $(MAKE) BUILD=$(BUILD)/$@ HARDEN= OPT='-O1 -g -fno-omit-frame-pointer' SAN='$(1) -Wno-maybe-uninitialized' TEST_TIMEOUT=600

asan: ## the tests under AddressSanitizer, leaks included
	+ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1:abort_on_error=1:allocator_may_return_null=1:quarantine_size_mb=16 \
	LSAN_OPTIONS=suppressions=$(CURDIR)/tests/lsan.supp:print_suppressions=0 \
	$(call sanitized,-fsanitize=address) $(UNHARDENED) check

ubsan: ## the tests under UndefinedBehaviorSanitizer
	+UBSAN_OPTIONS=print_stacktrace=1 \
	$(call sanitized,-fsanitize=undefined -fno-sanitize=vptr -fno-sanitize-recover=all) check

tsan: ## the tests under ThreadSanitizer
	+TSAN_OPTIONS=suppressions=$(CURDIR)/tests/tsan.supp:halt_on_error=1:allocator_may_return_null=1 \
	$(call sanitized,-fsanitize=thread) $(UNHARDENED) check

# V8 makes code as it runs, which is too slow under valgrind: it gets the tests that do not link V8; nor those that
# hash whole distributions and start npm, since under valgrind posix_spawn does not say that a program is missing.
VALGRIND_NOT := %/test_staging %/test_staging_faults
valgrind: tests ## the tests that need no V8 under valgrind
	@command -v valgrind >/dev/null || scripts/bootstrap --with valgrind
	@TEST_TIMEOUT=600 TEST_WRAPPER='valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite' \
	  tests/run $(BUILD) $$(for t in $(filter-out $(VALGRIND_NOT),$(TEST_BIN)); do nm -D -u $$t | grep -q ' _ZN2v8' || echo $$t; done)

# Code that is made as it runs is looked at each time it runs.
valgrind-leaving: tests ## a guest that is left at its heap limit, then code of every tier on two isolates, under valgrind
	@command -v valgrind >/dev/null || scripts/bootstrap --with valgrind
	@AARD_FIRST_ONLY=1 valgrind -q --smc-check=all-non-file --max-stackframe=16777216 --error-exitcode=99 $(BUILD)/tests/test_leaving

exported-symbols: ## write down what the library exports, with all types and numbers, after a change that was meant
	scripts/api.py list >tests/exported_symbols.txt

# Runs a tool, or says that it is not installed.
lint_by = @if command -v $(1) >/dev/null; then echo '  LINT   $(1)'; $(1) $(2); else echo '  LINT   $(1): skipped, it is not installed'; fi

lint: ## what is not part of check: ruff, shellcheck and clang-format, each where it is installed
	$(call lint_by,ruff,check src/embedded bundles bench scripts tests)
	$(call lint_by,shellcheck,scripts/bootstrap scripts/prove-bare bench/run bench/peers/run bench/peers/install tests/run tests/*.sh .ci/run)
	$(call lint_by,clang-format,--dry-run -Werror $(FORMATTED))

# ---- test programs ---------------------------------------------------------------------------------------------------

# They link the static library, and so get at what is internal.  Of the other sources in tests/, make_….c are programs
# that scripts use, and the rest is for all of them to share.
$(BUILD)/tests/libsupport.a: $(SUPPORT_OBJ)
	@mkdir -p $(@D) && rm -f $@
	$(call step,AR)$(AR) rcs $@ $^

# Every outcome that they get has been packed and unpacked (tests/round_trip.c).  Servers in tests speak TLS and send archives;
# the library loads what it needs of that when it does.
ROUND_TRIP = -Wl,--undefined=test_round_trip
LINK_TEST = $(CXX) $(OWN_LDFLAGS) $(ROUND_TRIP) $(LDFLAGS) $@.o $(BUILD)/tests/libsupport.a $(BUILD)/libaardvark.a

# What the library asks of the system goes through these tests, which let it fail (tests/fault_support.h).
FAULTS := open openat read pread __read_chk __pread_chk write pwrite fstat stat ftruncate memfd_create eventfd socket mmap \
          pthread_create
comma  := ,
$(addprefix $(BUILD)/tests/test_,faults network_faults pool_faults pool_stress): private OWN_LDFLAGS += $(FAULTS:%=-Wl$(comma)--wrap=%)

# It takes the fuzzer's guests, and the neighbour that they have.
$(BUILD)/tests/test_neighbour: private LDLIBS := $(BUILD)/obj/tests/attack/plan.o $(BUILD)/obj/tests/attack/neighbour.o $(LDLIBS)
$(BUILD)/tests/test_neighbour: $(BUILD)/obj/tests/attack/plan.o $(BUILD)/obj/tests/attack/neighbour.o

$(TEST_BIN) $(TOOL_BIN): $(BUILD)/tests/%: tests/%.c $(BUILD)/tests/libsupport.a $(BUILD)/libaardvark.a $(BUILD)/gen/c.list
	@mkdir -p $(@D)
	$(call step,CC)$(COMPILE_C) -MMD -MP -MF $@.d -MT $@ -c $< -o $@.o
	$(call step,LINK)$(LINK_TEST) -lcmocka $(LDLIBS) $(OWN_LDLIBS) -lssl -larchive -lm -o $@

# The fuzzer of guests (tests/attack/attack.c).
$(ATTACK_BIN): $(ATTACK_OBJ) $(BUILD)/tests/libsupport.a $(BUILD)/libaardvark.a
	@mkdir -p $(@D)
	$(call step,LINK)$(CXX) $(OWN_LDFLAGS) $(ROUND_TRIP) $(LDFLAGS) $(ATTACK_OBJ) $(BUILD)/tests/libsupport.a $(BUILD)/libaardvark.a \
	  $(LDLIBS) $(OWN_LDLIBS) -lm -o $@

.PHONY: attack
attack: $(ATTACK_BIN) stage ## hostile guests by the thousand beside a neighbour, for ATTACK_SECONDS (tests/attack/attack.c)
	@ATTACK_SECONDS=$(ATTACK_SECONDS) ATTACK_DIR=$(BUILD)/attack $(ATTACK_BIN)

# ---- fuzzing ---------------------------------------------------------------------------------------------------------

FUZZ_SAN := -fsanitize=address,undefined -fno-sanitize-recover=all

.PHONY: fuzz fuzz-programs
fuzz: ## run each fuzzer for FUZZ_SECONDS (installs clang)
	@scripts/bootstrap --with clang
	@$(MAKE) BUILD=$(BUILD)/fuzz CC=clang CXX=clang++ HARDEN= OPT='-O1 -g' \
	  SAN='-fsanitize=fuzzer-no-link $(FUZZ_SAN)' fuzz-programs
	@for c in $(FUZZ_C); do name=$$(basename $$c .c); corpus=$(BUILD)/fuzz/corpus/$$name; mkdir -p $$corpus; \
	   seeds=tests/fuzz/$$name; [ -d $$seeds ] || seeds=; log=$(BUILD)/fuzz/$$name.log; echo "== $$name: $(FUZZ_SECONDS) s"; \
	   $(BUILD)/fuzz/tests/fuzz/$$name -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 \
	     -print_final_stats=1 -artifact_prefix=$(BUILD)/fuzz/ $$corpus $$seeds >$$log 2>&1 || { tail -n 60 $$log; exit 1; }; \
	   grep -E '^(Done|stat::)' $$log; done

fuzz-programs: $(FUZZ_BIN)

$(FUZZ_BIN): $(BUILD)/tests/%: tests/%.c $(BUILD)/tests/libsupport.a $(BUILD)/libaardvark.a $(BUILD)/gen/c.list
	@mkdir -p $(@D)
	$(call step,CC)$(COMPILE_C) -MMD -MP -MF $@.d -MT $@ -c $< -o $@.o
	$(call step,LINK)$(LINK_TEST) -fsanitize=fuzzer $(LDLIBS) $(OWN_LDLIBS) -o $@

# ---- measuring -------------------------------------------------------------------------------------------------------

.PHONY: bench bench-peers bench-pyperformance bench-many
bench: all stage ## the benchmark, beside plain Pyodide in node
	@BUILD=$(BUILD) bench/run

bench-pyperformance: all stage ## pyperformance's own programs here, in Eryx, in node + Pyodide and natively (half an hour)
	@BUILD=$(BUILD) bench/pyperformance/run

bench-many: all stage ## a thousand guests alive at once: whether the next costs what the first did (docs/benchmarks.md)
	@BUILD=$(BUILD) bench/many

bench-peers: all stage ## this project and its peers side by side: a table and a plot in BUILD/bench (docs/benchmarks.md)
	@BUILD=$(BUILD) bench/peers/run

# ---- installing ------------------------------------------------------------------------------------------------------

.PHONY: install uninstall dist
INCLUDE_TO := $(DESTDIR)$(PREFIX)/include
LIB_TO     := $(DESTDIR)$(LIBDIR)
MAN_TO     := $(DESTDIR)$(PREFIX)/share/man/man1
DOC_TO     := $(DESTDIR)$(PREFIX)/share/doc/aardvark
BASH_TO    := $(DESTDIR)$(PREFIX)/share/bash-completion/completions
ZSH_TO     := $(DESTDIR)$(PREFIX)/share/zsh/site-functions
DOCS       := $(wildcard docs/*.md) README.md SECURITY.md CHANGELOG.md
EXAMPLES   := $(wildcard docs/examples/*)

# A libnode of our own goes along, below LIBDIR/aardvark, and the library is linked anew to find it there.
ifeq ($(NODE_MODE),private)
INSTALL_RPATH_LINK := -Wl,-rpath-link,$(NODE_LIBDIR)
INSTALL_NODE_LIBS := -L$(NODE_LIBDIR) $(INSTALL_RPATH_LINK) \
                     -Wl,--disable-new-dtags,-rpath,'$$ORIGIN/aardvark' -lnode
INSTALL_GUEST_LIBS := -L$(NODE_LIBDIR) $(INSTALL_RPATH_LINK) -Wl,--disable-new-dtags,-rpath,'$$ORIGIN' -lnode
# A program that links the shared library must find libnode when it is linked; a static one also when it runs.
PC_LINK           := -Wl,-rpath-link,$${libdir}/aardvark
PC_LINK_STATIC    := -L$${libdir}/aardvark -Wl,--disable-new-dtags,-rpath,$${libdir}/aardvark
else
INSTALL_NODE_LIBS := $(NODE_LIBS)
INSTALL_GUEST_LIBS := $(NODE_LIBS)
endif

$(BUILD)/install/libaardvark.so: $(BUILD)/libaardvark.so
	@mkdir -p $(@D)
	$(call step,LINK)$(LINK_SO) $(LIB_OBJ) $(LDLIBS) -Wl,--as-needed $(INSTALL_NODE_LIBS) $(PKG_LIBS) -lpthread -o $@

$(BUILD)/install/aardvark-guest: $(HELPER_OBJ) $(BUILD)/libaardvark.a $(BUILD)/gen/link.list
	@mkdir -p $(@D)
	$(call step,LINK)$(LINK_HELPER) -Wl,--as-needed $(INSTALL_GUEST_LIBS) $(PKG_LIBS) -lpthread -lm -o $@

# The installed command finds the library wherever LIBDIR is, seen from where it is itself.
LIBDIR_FROM_BIN := $(shell realpath -ms --relative-to='$(PREFIX)/bin' '$(LIBDIR)')
$(eval $(call remember,$(BUILD)/gen/libdir.list,$(LIBDIR_FROM_BIN)))

$(BUILD)/install/aardvark: $(CLI_OBJ) $(BUILD)/libaardvark.so $(BUILD)/gen/libdir.list
	@mkdir -p $(@D)
	$(call step,LINK)$(CC) $(OWN_LDFLAGS) $(LDFLAGS) -Wl,-rpath,'$$ORIGIN/$(LIBDIR_FROM_BIN)' \
	  $(INSTALL_RPATH_LINK) $(CLI_OBJ) $(PROGRAM_LIBS) -o $@

$(BUILD)/install/aardvark.pc: aardvark.pc.in include/aardvark/export.h FORCE
	@mkdir -p $(@D)
	@sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@VERSION@|$(VERSION)|' -e 's|@PKG_LIBS@|$(PKG_LIBS)|' \
	  -e 's|@LINK@|$(PC_LINK)|' -e 's|@LINK_STATIC@|$(PC_LINK_STATIC)|' $< >$@

install: $(LIBRARIES) $(addprefix $(BUILD)/install/,aardvark aardvark-guest libaardvark.so aardvark.pc) ## to DESTDIR/PREFIX
	$(INSTALL) -d $(INCLUDE_TO)/aardvark $(LIB_TO)/aardvark $(LIB_TO)/pkgconfig $(MAN_TO) $(DOC_TO)/examples $(DESTDIR)$(PREFIX)/bin
	$(INSTALL) -m 644 include/aardvark.h $(INCLUDE_TO)
	$(INSTALL) -m 644 $(HEADERS) $(INCLUDE_TO)/aardvark
	$(INSTALL) -m 644 $(BUILD)/libaardvark.a $(LIB_TO)
	$(INSTALL) -m 755 $(BUILD)/install/libaardvark.so $(LIB_TO)/libaardvark.so.$(VERSION)
	ln -sf libaardvark.so.$(VERSION) $(LIB_TO)/libaardvark.so.$(SOVERSION)
	ln -sf libaardvark.so.$(SOVERSION) $(LIB_TO)/libaardvark.so
	$(INSTALL) -m 644 $(BUILD)/install/aardvark.pc $(LIB_TO)/pkgconfig
	$(INSTALL) -m 755 $(BUILD)/install/aardvark $(DESTDIR)$(PREFIX)/bin
	$(INSTALL) -m 755 $(BUILD)/install/aardvark-guest $(LIB_TO)/aardvark
	$(INSTALL) -m 644 docs/aardvark.1 $(MAN_TO)
	$(INSTALL) -d $(BASH_TO) $(ZSH_TO)
	$(INSTALL) -m 644 completion/aardvark.bash $(BASH_TO)/aardvark
	$(INSTALL) -m 644 completion/_aardvark $(ZSH_TO)
	$(INSTALL) -m 644 $(DOCS) $(DOC_TO)
	$(INSTALL) -m 644 $(EXAMPLES) $(DOC_TO)/examples
ifeq ($(NODE_MODE),private)
	cp -P $(NODE_LIBDIR)/lib*.so* $(LIB_TO)/aardvark
endif
	@case '$(DESTDIR)$(PREFIX)' in /usr|/usr/local) ldconfig || true ;; esac

uninstall: ## take away what install put there
	rm -rf $(INCLUDE_TO)/aardvark $(LIB_TO)/aardvark $(DOC_TO)
	rm -f $(INCLUDE_TO)/aardvark.h $(LIB_TO)/libaardvark.a $(LIB_TO)/libaardvark.so* $(LIB_TO)/pkgconfig/aardvark.pc \
	  $(DESTDIR)$(PREFIX)/bin/aardvark $(MAN_TO)/aardvark.1 $(BASH_TO)/aardvark $(ZSH_TO)/_aardvark

dist: ## a tarball of what is committed
	@mkdir -p $(BUILD)
	git archive --format=tar.gz --prefix=aardvark-$(VERSION)/ -o $(BUILD)/aardvark-$(VERSION).tar.gz HEAD
	@echo $(BUILD)/aardvark-$(VERSION).tar.gz

# ---- for people ------------------------------------------------------------------------------------------------------

.PHONY: format clean help
FORMATTED := $(wildcard include/*.h include/aardvark/*.h src/*/*.[ch] src/*/*/*.[ch] src/*/*.cc src/*/*.hh \
               tests/*.[ch] tests/fuzz/*.[ch] bench/*.[ch] docs/examples/*.c)

format: ## format the C and C++ sources (installs clang-format)
	@command -v clang-format >/dev/null || scripts/bootstrap --with clang-format
	clang-format -i $(FORMATTED)

compile_commands.json: Makefile .deps/config.mk ## for editors and clang's tools
	@{ echo '['; \
	   for f in $(LIB_C) $(CLI_C) $(TEST_C); do \
	     echo '{"directory": "$(CURDIR)", "file": "'$$f'", "command": "$(CC) $(OWN_CPPFLAGS) $(CPPFLAGS) -Itests $(OWN_CFLAGS) $(CFLAGS) -c '$$f'"},'; done; \
	   for f in $(LIB_CC); do \
	     echo '{"directory": "$(CURDIR)", "file": "'$$f'", "command": "$(CXX) $(OWN_CPPFLAGS) $(CPPFLAGS) $(OWN_CXXFLAGS) $(CXXFLAGS) -c '$$f'"},'; done; \
	   } | sed '$$ s/,$$//' >$@; echo ']' >>$@

clean: ## remove what was built, not what was installed or staged
	rm -rf $(BUILD) compile_commands.json

help: ## this list
	@awk -F ':.*## ' '/^[a-z_.-]+:.*## / {printf "  %-22s %s\n", $$1, $$2}' Makefile
