# SPDX-License-Identifier: Apache-2.0
# The only build file. `make help` says what there is.

B := build
CC ?= gcc
CLANG ?= clang-19
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool /usr/bin/bpftool) bpftool)
# Asked when it is used: `make run` on a new machine installs the compiler first.
MULTIARCH = $(shell $(CC) -print-multiarch 2>/dev/null)
ARCH := $(patsubst x86_64,x86,$(patsubst aarch64,arm64,$(shell uname -m)))

WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wswitch-enum \
	-Wformat=2 -Wcast-qual -Wvla
ifdef SAN
HARDEN := -O1 -fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=undefined
B := build/san
else
HARDEN := -O2 -fstack-protector-strong -fPIE -D_FORTIFY_SOURCE=2
LDFLAGS += -pie -Wl,-z,relro,-z,now
endif
CFLAGS ?= -g
ALL_CFLAGS = -std=gnu11 $(WARN) $(HARDEN) -D_GNU_SOURCE -I. -I$(B) -MMD -MP $(CFLAGS)
LIBS := -lyaml -lcap -lsystemd -lbpf -lelf

BPF_CFLAGS = -O2 -g -Wall -Wextra -Werror -Wno-unused-parameter -Wno-missing-declarations \
	-target bpf -mcpu=v3 -D__TARGET_ARCH_$(ARCH) -I. $(if $(MULTIARCH),-I/usr/include/$(MULTIARCH))

object = $(patsubst %.c,$(B)/o/%.o,$(1))

RULES := $(wildcard rules/*.c)
OUTPUT := $(wildcard output/*.c)
ENGINE := $(addprefix daemon/,loader.c ways.c gaps.c install.c ring.c anchors.c mounts.c find.c \
	follow.c start.c hostcheck.c kill.c process.c)
DAEMON := $(wildcard daemon/*.c)
CLI := $(wildcard daemon/cli/*.c) $(addprefix daemon/,config.c nearest.c support.c) $(ENGINE) \
	output/line.c output/escape.c

help: ## what there is to make
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed 's/:.*## /\t/' | expand -t 12

all: $(B)/lictord $(B)/lictor ## build/lictord and build/lictor

$(B)/lictord: $(call object,$(DAEMON) $(RULES) $(OUTPUT))
$(B)/lictor: $(call object,$(CLI) $(RULES))
$(B)/lictord $(B)/lictor:
	$(CC) $(HARDEN) $(LDFLAGS) -o $@ $^ $(LIBS)

$(B)/o/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(call object,daemon/loader.c): $(B)/lictor.skel.h $(B)/lictor-probing.skel.h

$(B)/lictor.bpf.o: bpf/lictor.bpf.c $(wildcard bpf/* lsm/*) rules/vocab.tab
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -c -o $@ $<

# The same bodies for kprobes, which know no types.
$(B)/lictor-probing.bpf.o: bpf/lictor.bpf.c $(wildcard bpf/* lsm/*) rules/vocab.tab
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -DLICTOR_PROBING -c -o $@ $<

$(B)/lictor-probing.skel.h: $(B)/lictor-probing.bpf.o
	$(BPFTOOL) gen skeleton $< name lictor_probing > $@.new && mv $@.new $@

$(B)/lictor.skel.h: $(B)/lictor.bpf.o
	$(BPFTOOL) gen skeleton $< name lictor_bpf > $@.new && mv $@.new $@

# ---- tests: one program for each tests/unit/*.c, linked with the rooms that it names ----

UNIT := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/*.c))
unit: $(UNIT)

$(B)/unit/rules_%: $(B)/o/tests/unit/rules_%.o $(call object,$(RULES))
	@mkdir -p $(@D)
	$(CC) $(HARDEN) $(LDFLAGS) -o $@ $^ -lyaml -lcmocka
$(B)/unit/match_%: $(B)/o/tests/unit/match_%.o $(call object,$(RULES))
	@mkdir -p $(@D)
	$(CC) $(HARDEN) $(LDFLAGS) -o $@ $^ -lyaml -lcmocka
$(B)/unit/compile_%: $(B)/o/tests/unit/compile_%.o $(call object,$(RULES))
	@mkdir -p $(@D)
	$(CC) $(HARDEN) $(LDFLAGS) -o $@ $^ -lyaml -lcmocka
$(B)/unit/automaton: $(B)/o/tests/unit/automaton.o $(call object,$(RULES))
	@mkdir -p $(@D)
	$(CC) $(HARDEN) $(LDFLAGS) -o $@ $^ -lyaml -lcmocka

DECODING := $(OUTPUT) $(addprefix daemon/,decode.c enrich.c names.c)
$(B)/unit/output_%: $(B)/o/tests/unit/output_%.o $(call object,$(DECODING))
	@mkdir -p $(@D)
	$(CC) $(HARDEN) $(LDFLAGS) -o $@ $^ -lcmocka
$(B)/unit/decode $(B)/unit/enrich: $(B)/unit/%: $(B)/o/tests/unit/%.o $(call object,$(DECODING))
	@mkdir -p $(@D)
	$(CC) $(HARDEN) $(LDFLAGS) -o $@ $^ -lcmocka

$(B)/unit/daemon_config: $(B)/o/tests/unit/daemon_config.o \
		$(call object,daemon/config.c daemon/nearest.c $(RULES))
$(B)/unit/daemon_mounts: $(B)/o/tests/unit/daemon_mounts.o $(call object,daemon/mounts.c)
$(B)/unit/daemon_process: $(B)/o/tests/unit/daemon_process.o \
		$(call object,daemon/process.c daemon/kill.c)
$(B)/unit/daemon_record: $(B)/o/tests/unit/daemon_record.o \
		$(call object,daemon/cli/record.c $(RULES))
$(B)/unit/daemon_support: $(B)/o/tests/unit/daemon_support.o $(call object,daemon/support.c $(RULES))
$(B)/unit/daemon_gaps: $(B)/o/tests/unit/daemon_gaps.o $(call object,daemon/gaps.c rules/vocab.c)
$(B)/unit/daemon_control: $(B)/o/tests/unit/daemon_control.o \
		$(call object,daemon/control.c daemon/listen.c daemon/request.c output/line.c output/escape.c)
$(B)/unit/daemon_hash: $(B)/o/tests/unit/daemon_hash.o \
		$(call object,daemon/hash.c rules/sha256.c)
$(B)/unit/daemon_hashing: $(B)/o/tests/unit/daemon_hashing.o \
		$(call object,daemon/hashing.c daemon/hash.c rules/sha256.c)
$(B)/unit/daemon_service: $(B)/o/tests/unit/daemon_service.o \
		$(call object,daemon/service.c daemon/waiting.c daemon/ruleset.c daemon/support.c \
		rules/arena.c rules/possible.c rules/sha256.c rules/vocab.c)
$(B)/unit/daemon_%:
	@mkdir -p $(@D)
	$(CC) $(HARDEN) $(LDFLAGS) -o $@ $^ -lyaml -lcmocka

# The BPF build of the matcher, run by the machine's own kernel.
$(B)/match.bpf.o: tests/bpf/match.bpf.c $(wildcard bpf/* lsm/*) rules/vocab.tab
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -c -o $@ $<
$(B)/match.skel.h: $(B)/match.bpf.o
	$(BPFTOOL) gen skeleton $< name match_bpf > $@.new && mv $@.new $@
$(call object,tests/bpf/match_run.c): $(B)/match.skel.h
$(B)/match-run: $(call object,tests/bpf/match_run.c $(RULES))
	$(CC) $(HARDEN) $(LDFLAGS) -o $@ $^ $(LIBS)

# Helpers for the virtual machines: static, so that they run in any of them.
VM_HELPERS := $(B)/vm-guest $(B)/vm-host $(B)/vm-probe
$(B)/vm-guest: tests/vm/guest.c tests/vm/channel.h
$(B)/vm-host: tests/vm/host.c tests/vm/channel.h
$(B)/vm-probe: $(wildcard tests/vm/probe/*)
$(VM_HELPERS):
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -O2 $(WARN) -static -o $@ $(filter %.c,$^)

AGAIN = @$(MAKE) --no-print-directory -j$(shell nproc)

run: setup ## start the daemon here, with the shipped rules, in the foreground
	$(AGAIN) all
	@tests/run

check: setup ## the whole test suite, virtual machines included
	$(AGAIN) all unit $(B)/match-run $(VM_HELPERS)
	@tests/vm/fetch-kernels 5.10 6.1 6.12 latest
	@tests/vm/selftests --build
	@tests/check

demo: setup ## block, alert and kill, live in a virtual machine
	$(AGAIN) all $(VM_HELPERS)
	@tests/vm/demo

bench: setup ## what it costs, as ratios
	$(AGAIN) all $(VM_HELPERS)
	@tests/bench/open

deps: ## install what building needs
	@packaging/deps build

setup: ## install what building and testing need, mount what is missing
	@packaging/deps all

fuzz: ## a longer run of the randomised tests
	$(MAKE) SAN=1 unit
	LICTOR_ITERATIONS=2000000 build/san/unit/match_random

install: all ## install under DESTDIR
	install -D -m 0755 $(B)/lictord $(DESTDIR)/usr/sbin/lictord
	install -D -m 0755 $(B)/lictor $(DESTDIR)/usr/bin/lictor
	install -d -m 0755 $(DESTDIR)/usr/share/lictor
	cp -r rules/base.d rules/iris.d $(DESTDIR)/usr/share/lictor/

deb: ## a Debian package (a later version)
	@echo "make deb: there is no Debian package yet; use make install" >&2; exit 1

clean: ## remove what was built; kernels stay
	rm -rf $(B)/o $(B)/unit $(B)/san $(B)/lictor* $(B)/match* $(B)/vm $(B)/vm-*

-include $(shell test -d $(B)/o && find $(B)/o -name '*.d')

.PHONY: help all unit run check demo bench deps setup fuzz install deb clean
.DELETE_ON_ERROR:
