# The engine's suite in a process. It needs dynamic symbols and no optimization across its files.
ENGINE_TEST_C := tests/engine/suite.c tests/engine/targets.c tests/engine/process.c \
                 tests/engine/process_cases.c tests/engine/process_threads.c \
                 tests/engine/process_watch.c
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
