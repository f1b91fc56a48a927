# Benchmarks. `make bench` runs all, `make bench-NAME` one. Each prints a table and its method, and
# writes build/bench/NAME.json: a list of {case, ours, peer, peer_name, ratio, unit}, medians of one
# run, ratio = ours / peer. No absolute time is ever a gate.
BENCHES := $(patsubst bench/%.sh,%,$(wildcard bench/*.sh))

.PHONY: bench $(BENCHES:%=bench-%)
bench: $(BENCHES:%=bench-%) ## run all benchmarks

bench-startup: all ## how long a script takes to start, beside bpftrace and kbuild
	@tools/setup.sh bench
	@mkdir -p $(B)/bench
	bench/startup.sh $(B)/bench/startup.json

# Modules that benchmarks load in a guest, compiled as the core is.
$(B)/bench/%.o: $(B)/core/bench/%.kernel.o
	@mkdir -p $(@D)
	cp $< $@

# A program with probes on itself; with a tracepoint where LTTng's headers are.
LTTNG_UST := $(if $(wildcard /usr/include/lttng/tracepoint.h /usr/include/*/lttng/tracepoint.h),1)
$(B)/bench/process: bench/process.c bench/process_lttng.h $(B)/libspile.so
	@mkdir -p $(@D)
	$(CC) -I. -Iinclude -std=gnu11 -O2 -D_GNU_SOURCE $(if $(LTTNG_UST),-DBENCH_LTTNG) -rdynamic $< -o $@ \
	  -L$(B) -lspile -Wl,-rpath,'$$ORIGIN/..' $(if $(LTTNG_UST),-llttng-ust) -lpthread -ldl

bench-engine: all $(B)/bench/engine.o ## what a hit and an attachment cost, beside the kernel's own; K=NAME
	@tools/setup.sh bench
	$(MAKE) --no-print-directory $(B)/bench/process
	bench/engine.sh $(B)/bench/engine.json $(K)

# The whole run-time, exported as spile-run exports it.
$(B)/bench/language: $(B)/user/bench/language.o $(RUNTIME_OBJ) $(B)/libspile-tools.a
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) -o $@ $^ $(EXPORT_SPL) $(LDLIBS)

bench-language: all $(B)/bench/language ## what operations of scripts cost, 1 and 2 threads, beside bpftrace
	@tools/setup.sh bench
	bench/language.sh $(B)/bench/language.json

bench-symbols: all $(B)/places/programs/list ## what questions about places cost, beside perf probe and stap; a kernel's after make check-debuginfo
	@tools/setup.sh bench
	@mkdir -p $(B)/bench
	bench/symbols.sh $(B)/bench/symbols.json
