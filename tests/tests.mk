# Tests. `make check` runs all parts and prints their sum in its last line.

$(B)/tests/%: $(B)/user/tests/unit/%.o $(B)/libspile-tools.a
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) -o $@ $^ -lcmocka $(LDLIBS)

$(B)/tests-san/%: $(B)/san/tests/unit/%.o $(B)/libspile-san.a
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(SAN) -o $@ $^ -lcmocka $(LDLIBS)

unit-programs: $(UNIT:%=$(B)/tests/%) $(UNIT:%=$(B)/tests-san/%)
.PHONY: unit-programs

# Programs that VM tests run in the guest: tests/vm/NAME.c is build/tests/vm/NAME, in PATH there.
$(B)/tests/vm/%: tests/vm/%.c | deps
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(CPPFLAGS) -std=gnu11 -O2 -g $(WARN) -static $< -o $@ -lpthread

# Modules that VM tests load there: tests/vm/NAME.kernel.c, compiled as the core is, is
# build/tests/vm/NAME.o; `load-object OBJECT NAME` fits and loads it.
$(B)/tests/vm/%.o: $(B)/core/tests/vm/%.kernel.o
	@mkdir -p $(@D)
	cp $< $@

include tests/decode.mk
include tests/engine/engine.mk
include tests/kbuild.mk
include tests/places/places.mk

# The one that scripts look into.
$(B)/core/tests/vm/kept.kernel.o: CORE_CFLAGS += -g

VM_MODULES := $(patsubst tests/vm/%.kernel.c,$(B)/tests/vm/%.o,$(wildcard tests/vm/*.kernel.c))
vm-programs: $(patsubst tests/vm/%.c,$(B)/tests/vm/%,$(filter-out %.kernel.c,$(wildcard tests/vm/*.c)))
vm-programs: $(VM_MODULES)
.PHONY: vm-programs

# What the check-*.sh would otherwise make themselves, while others do.
check-programs: all unit-programs vm-programs decoder-programs $(B)/bin/spile-probe $(B)/san/bin/spile-run \
                $(patsubst fuzz/%.c,$(B)/fuzz/%,$(wildcard fuzz/fuzz_*.c))
.PHONY: check-programs

# The guests' kernels, fetched and described before parts that run at once want them.
check-guests: all
	@for kernel in 6.1 newest; do \
		$(B)/bin/spile-vm -k $$kernel --print-dir && $(B)/bin/spile-vm -k $$kernel -- true || exit; \
	done >/dev/null
.PHONY: check-guests

# tests/check-*.sh run on this machine and end with "N passed, N failed" too. The longest parts first:
# sum.sh begins them in this order.
FIRST_PARTS = tests/check-vm.sh tests/check-random.sh
CHECK_PARTS = "tests/vm/run.sh" "tests/vm/run.sh -k newest" $(patsubst %,"%",$(FIRST_PARTS)) \
              "tests/unit.sh $(UNIT:%=$(B)/tests-san/%)" "tests/unit.sh $(UNIT:%=$(B)/tests/%)" \
              $(patsubst %,"%",$(filter-out $(FIRST_PARTS),$(wildcard tests/check-*.sh)))

check: check-programs check-guests ## run all tests; the last line is their sum
	@tests/sum.sh $(CHECK_PARTS)

check-unit: unit-programs ## run the unit tests, plain and with sanitizers
	@tests/unit.sh $(UNIT:%=$(B)/tests/%) $(UNIT:%=$(B)/tests-san/%)

check-engine: all unit-programs ## run the engine's suite in a process
	@tests/check-engine.sh
.PHONY: check-engine

check-random: all ## run N random scripts (10000) and compare with what Python computes
	@tests/check-random.sh $(or $(N),10000)
.PHONY: check-random

check-vm: all vm-programs ## run the VM tests on the default kernel, or on K=NAME
	@tests/vm/run.sh $(if $(K),-k $(K))

check-kernels: all vm-programs ## run the marked VM tests on 5.10, 6.1, 6.12 and the newest
	@tests/sum.sh $(foreach k,5.10 6.1 6.12 newest,"tests/vm/run.sh -k $(k) --marked")
STRESS_SECONDS = 60
check-stress: all vm-programs ## run what is stressed in a guest for a minute each, or STRESS_SECONDS=N
	@SPILE_STRESS_SECONDS=$(STRESS_SECONDS) tests/vm/run.sh $(if $(K),-k $(K)) suite text-stress gone nmi
.PHONY: check-stress

.PHONY: check check-unit check-vm check-kernels
