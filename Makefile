# Spile: `make help` is the index. Every generated file lands in build/.
#
# The tree is built by folder, not by list: a .c file in a folder named below is part of the build
# as soon as it exists. Four products come from it:
#   build/libspile-tools.a   user space: everything the commands link
#   build/bin/*              one command per file of tools/
#   build/kmod/spile.o       the core, compiled once for every kernel; spile-run fits it at load
#   build/tests/*            one cmocka program per tests/unit/test_*.c, plain and with sanitizers

MAKEFLAGS += --no-builtin-rules
# As many jobs as processors, unless -j says otherwise; benchmarks run one at a time.
ifeq ($(filter-out all check,$(MAKECMDGOALS))$(filter -j%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(shell nproc)
endif
.SUFFIXES:
.DEFAULT_GOAL := all

CC       ?= gcc
AR       ?= ar
PREFIX   ?= /usr/local
B        := build

# A short line for each step; V=1 shows the commands.
ifeq ($(V),1)
Q    :=
say   = @:
else
Q    := @
say   = @printf '  %-5s %s\n'
endif

WARN     := -Wall -Wextra -Wno-unused-parameter -Wmissing-prototypes -Wstrict-prototypes \
            -Wvla -Wpointer-arith -Wundef
CPPFLAGS := -I. -Iinclude -I$(B)/gen -D_GNU_SOURCE
CFLAGS   := -std=gnu11 -O2 -g $(WARN) -MMD -MP
SAN      := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
LDLIBS   := -lbpf -ldw -lelf -llzma -lzstd -lz -lpthread

# --- what is built from which folder ---------------------------------------------------------
USER_DIRS := base symbols probe script script/families codegen reader ring runtime vm \
             engine/core engine/arch/x86 engine/host/linux-user
CORE_DIRS := engine/core engine/arch/x86 engine/host/linux-kernel ring runtime kmod
# In a folder that both homes share, what only one of them may compile carries its suffix.
USER_SRC  := $(filter-out %.kernel.c,$(wildcard $(addsuffix /*.c,$(USER_DIRS))))
CORE_SRC  := $(filter-out %.user.c,$(wildcard $(addsuffix /*.c,$(CORE_DIRS))))
CORE_ASM  := $(wildcard $(addsuffix /*.S,$(CORE_DIRS)))
TOOLS     := $(patsubst tools/%.c,%,$(wildcard tools/*.c))
UNIT      := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))

USER_OBJ  := $(USER_SRC:%.c=$(B)/user/%.o)
SAN_OBJ   := $(USER_SRC:%.c=$(B)/san/%.o)
CORE_OBJ  := $(CORE_SRC:%.c=$(B)/core/%.o) $(CORE_ASM:%.S=$(B)/core/%.S.o)

# Flags that give one object for kernels from 5.10 on; the reason of each is in
# engine/host/linux-kernel/README.md. Script modules are compiled with the same list.
include kmod/cflags.mk
include vm/vm.mk
include reader/reader.mk
include codegen/codegen.mk
include kmod/exports.mk
include agent/agent.mk

.PHONY: all clean help deps
# Installs the Debian packages that the build needs, by name, when one is missing.
deps:
	@tools/setup.sh
all: $(TOOLS:%=$(B)/bin/%) $(B)/kmod/spile.o $(B)/kmod/Module.symvers ## build everything

help: ## this list
	@awk -F':.*## ' '/^[a-z][a-z-]*:.*## /{printf "  make %-16s %s\n", $$1, $$2}' Makefile tests/*.mk bench/*.mk tapset/*.mk

# --- user space ------------------------------------------------------------------------------
$(B)/user/%.o: %.c | deps
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c $< -o $@

$(B)/san/%.o: %.c | deps
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -O1 $(SAN) -c $< -o $@

$(B)/libspile-tools.a: $(USER_OBJ)
	$(say) AR $@
	$(Q)rm -f $@.$$$$ && $(AR) rcs $@.$$$$ $^ && mv $@.$$$$ $@

$(B)/libspile-san.a: $(SAN_OBJ)
	$(say) AR $@
	$(Q)rm -f $@.$$$$ && $(AR) rcs $@.$$$$ $^ && mv $@.$$$$ $@

$(B)/bin/%: $(B)/user/tools/%.o $(B)/libspile-tools.a
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) -o $@ $^ $(LDLIBS)

# --- the core --------------------------------------------------------------------------------
$(B)/core/%.o: %.c | deps
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) -I. -Iinclude -I$(B)/gen -D__SPILE_KERNEL__ $(CORE_CFLAGS) $(WARN) -MMD -MP -c $< -o $@

$(B)/core/%.S.o: %.S | deps
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) -I. -Iinclude -I$(B)/gen -D__ASSEMBLY__ -D__SPILE_KERNEL__ $(CORE_CFLAGS) -MMD -MP -c $< -o $@

$(B)/kmod/spile.o: $(CORE_OBJ)
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(LD) -r -o $@ $^

# --- tests, benchmarks, housekeeping -----------------------------------------------------------
include tests/tests.mk
include bench/bench.mk
include fuzz/fuzz.mk
include tapset/tapset.mk

.PHONY: demo install layers metrics
demo: all ## run the slides' scripts on a stock Debian kernel in QEMU
	@sh samples/demo.sh

install: all ## install under PREFIX (default /usr/local); STAP=1: the command is also called stap
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/spile \
	  $(DESTDIR)$(PREFIX)/include/spile/linux $(DESTDIR)$(PREFIX)/share/spile/samples/kprobes \
	  $(DESTDIR)$(PREFIX)/share/spile/samples/process $(DESTDIR)$(PREFIX)/share/spile/tapset
	install -m 755 $(TOOLS:%=$(B)/bin/%) $(DESTDIR)$(PREFIX)/bin
	$(if $(STAP),ln -sf spile $(DESTDIR)$(PREFIX)/bin/stap)
	install -m 644 $(B)/kmod/spile.o $(B)/kmod/Module.symvers $(DESTDIR)$(PREFIX)/lib/spile
	install -m 644 $(B)/libspile.so $(DESTDIR)$(PREFIX)/lib
	install -m 644 include/spile/*.h $(DESTDIR)$(PREFIX)/include/spile
	install -m 644 include/spile/linux/*.h $(DESTDIR)$(PREFIX)/include/spile/linux
	install -m 644 samples/*.stp $(DESTDIR)$(PREFIX)/share/spile/samples
	install -m 644 tapset/*.stp* $(DESTDIR)$(PREFIX)/share/spile/tapset
	install -m 644 samples/kprobes/* $(DESTDIR)$(PREFIX)/share/spile/samples/kprobes
	install -m 644 samples/process/* $(DESTDIR)$(PREFIX)/share/spile/samples/process

layers: ## check that no include points upwards
	@tests/check-layers.sh

metrics: ## show outliers of size
	@tests/metrics.sh

clean: ## remove everything generated
	rm -rf $(B)

-include $(shell find $(B) -name '*.d' 2>/dev/null)
.SECONDARY:
