# The engine's suite in a process. It needs dynamic symbols and no optimization across its files.
SUITE_C       := tests/engine/suite.c tests/engine/suite_mix.c \
                 tests/engine/suite_fault.c tests/engine/targets.c
ENGINE_TEST_C := $(SUITE_C) tests/engine/process.c tests/engine/process_cases.c \
                 tests/engine/process_threads.c tests/engine/process_watch.c tests/engine/process_control.c
ENGINE_TEST   := $(B)/tests/engine

$(ENGINE_TEST)/engine-process: $(ENGINE_TEST_C) $(wildcard tests/engine/*.h include/spile/*.h) $(B)/libspile.so
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(CPPFLAGS) -std=gnu11 -O2 -g $(WARN) -rdynamic $(ENGINE_TEST_C) -o $@ \
	  -L$(B) -lspile -Wl,-rpath,'$$ORIGIN/../..' -lpthread

$(ENGINE_TEST)/plugin.so: tests/engine/plugin.c
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) -std=gnu11 -O2 -g $(WARN) -shared -fPIC $< -o $@

# Built when there is a C++ compiler; the test says so when there is none.
$(ENGINE_TEST)/exceptions: tests/engine/exceptions.cc $(wildcard include/spile/*.h) $(B)/libspile.so
	@mkdir -p $(@D)
	$(say) CXX $@
	$(Q)! command -v g++ >/dev/null || g++ $(CPPFLAGS) -O2 -g $< -o $@ \
	  -L$(B) -lspile -Wl,-rpath,'$$ORIGIN/../..'

# As its head says, and with nothing that this tree's own parts have.
$(ENGINE_TEST)/probe_self: samples/process/probe_self.c $(wildcard include/spile/*.h) $(B)/libspile.so
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) -I include -Wall -O2 $< -o $@ -L $(B) -lspile -Wl,-rpath,'$$ORIGIN/../..'

engine-programs: $(ENGINE_TEST)/probe_self
engine-programs: $(ENGINE_TEST)/engine-process $(ENGINE_TEST)/plugin.so $(ENGINE_TEST)/exceptions
.PHONY: engine-programs
unit-programs: engine-programs

# The suite as modules for the kernel home; tests/vm/suite.kernel.c tells the two forms apart.
SITES := -pg -mfentry -mrecord-mcount -fcf-protection=none
SUITE_CORE := $(patsubst %.c,$(B)/core/%.o,$(filter-out %/targets.c,$(SUITE_C))) \
              $(B)/core/tests/vm/suite.kernel.o

$(B)/core/tests/engine/targets-sites.o: tests/engine/targets.c tests/engine/suite.h
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) -I. -Iinclude -D__SPILE_KERNEL__ $(CORE_CFLAGS) $(WARN) $(SITES) -c $< -o $@

$(B)/tests/vm/suite.o: $(SUITE_CORE) $(B)/core/tests/engine/targets.o
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(LD) -r -o $@ $^

$(B)/tests/vm/suite-sites.o: $(SUITE_CORE) $(B)/core/tests/engine/targets-sites.o
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(LD) -r -o $@ $^

# Modules of one file with sites in all its functions; scripts look into `kept`.
$(B)/tests/vm/kept-sites.o: SITES += -g
$(B)/tests/vm/victim-sites.o $(B)/tests/vm/kept-sites.o: $(B)/tests/vm/%-sites.o: tests/vm/%.kernel.c \
    engine/host/linux-kernel/kernel.def
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) -I. -Iinclude -D__SPILE_KERNEL__ $(CORE_CFLAGS) $(WARN) $(SITES) -c $< -o $@

vm-programs: $(B)/tests/vm/suite-sites.o $(B)/tests/vm/victim-sites.o $(B)/tests/vm/kept-sites.o
