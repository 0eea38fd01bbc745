# Aardvark: `make run` and `make check` are all a newcomer needs; see CONTRIBUTING.md for the rest.

BUILD    ?= build
CC       ?= gcc
CXX      ?= g++
OPT      ?= -O2 -g
WARN     := -Wall -Wextra -Wshadow -Wvla
SAN      ?=

# ---- libnode: a private prefix below .deps where the machine's own headers are another V8's (docs/install.md) --------
LIBNODE_PREFIX ?= $(wildcard .deps/libnode/usr)
ifneq ($(LIBNODE_PREFIX),)
NODE_LIBDIR := $(abspath $(LIBNODE_PREFIX)/lib/x86_64-linux-gnu)
NODE_CFLAGS := -isystem $(LIBNODE_PREFIX)/include/node
NODE_LIBS   := -L$(NODE_LIBDIR) -Wl,-rpath,$(NODE_LIBDIR) -lnode -Wl,--allow-shlib-undefined
else
NODE_CFLAGS := -isystem /usr/include/node
NODE_LIBS   := -lnode
endif

PKGS     := libzip jansson libsodium
CPPFLAGS += -D_GNU_SOURCE -Iinclude -Isrc -I$(BUILD)/gen
CFLAGS   += -std=c11 $(OPT) $(WARN) -Wstrict-prototypes -Wmissing-prototypes -fvisibility=hidden -fPIC -pthread $(SAN) \
            $(shell pkg-config --cflags $(PKGS))
CXXFLAGS += -std=c++17 $(OPT) $(WARN) -Wno-unused-parameter -fvisibility=hidden -fPIC -fno-rtti -fno-exceptions -pthread $(SAN) \
            $(NODE_CFLAGS)
LDLIBS   += $(NODE_LIBS) $(shell pkg-config --libs $(PKGS)) -lpthread

LIB_C    := $(filter-out src/cli/%,$(wildcard src/*/*.c))
LIB_CC   := $(wildcard src/engine/*.cc)
LIB_OBJ  := $(LIB_C:%.c=$(BUILD)/obj/%.o) $(LIB_CC:%.cc=$(BUILD)/obj/%.o) $(BUILD)/obj/guest_files.o

GUEST    := $(sort $(wildcard src/guest/*.js src/guest/*/*.js src/guest/*.py src/guest/*/*.py))

.PHONY: all
all: $(BUILD)/libaardvark.a $(BUILD)/libaardvark.so

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/obj/%.o: %.cc
	@mkdir -p $(@D)
	$(CXX) $(CPPFLAGS) $(CXXFLAGS) -MMD -MP -c $< -o $@

# Guest files are embedded as they are: an assembler table of name, start and length (src/guest/guest.h).
$(BUILD)/gen/guest_files.S: $(GUEST) Makefile
	@mkdir -p $(@D)
	@{ echo '.section .rodata'; n=0; for f in $(GUEST); do \
	   echo "g$$n: .incbin \"$$f\""; echo "e$$n: .byte 0"; echo "n$$n: .asciz \"$${f#src/guest/}\""; n=$$((n+1)); done; \
	   echo '.section .data.rel.ro,"aw"'; echo '.balign 8'; echo '.globl aard__guest_files'; echo '.hidden aard__guest_files'; \
	   echo 'aard__guest_files:'; i=0; while [ $$i -lt $$n ]; do echo ".quad n$$i, g$$i, e$$i - g$$i"; i=$$((i+1)); done; \
	   echo '.quad 0, 0, 0'; echo '.section .note.GNU-stack,"",@progbits'; } > $@

$(BUILD)/obj/guest_files.o: $(BUILD)/gen/guest_files.S
	@mkdir -p $(@D)
	$(CC) -c $< -o $@

$(BUILD)/libaardvark.a: $(LIB_OBJ)
	rm -f $@ && ar rcs $@ $^

$(BUILD)/libaardvark.so: $(LIB_OBJ)
	$(CXX) -shared -Wl,-soname,libaardvark.so.0 $(SAN) $^ $(LDLIBS) -o $@

$(BUILD)/tests/%: tests/%.c $(BUILD)/libaardvark.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -Itests $(CFLAGS) -MMD -MP -c $< -o $@.o
	$(CXX) $(SAN) $@.o $(BUILD)/libaardvark.a $(LDLIBS) -lcmocka -o $@

-include $(LIB_OBJ:.o=.d)
