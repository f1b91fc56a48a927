# spile-run carries the whole run-time and exports its functions: a script that runs in the process
# home is a shared object that takes them from the executable. Nothing else is exported.
RUNTIME_OBJ := $(filter $(B)/user/runtime/%.o $(B)/user/ring/%.o,$(USER_OBJ))
RUNTIME_SAN := $(filter $(B)/san/runtime/%.o $(B)/san/ring/%.o,$(SAN_OBJ))
EXPORT_SPL  := -Wl,--export-dynamic-symbol='spl_*'

$(B)/bin/spile-run: $(B)/user/tools/spile-run.o $(RUNTIME_OBJ) $(B)/libspile-tools.a
	@mkdir -p $(@D)
	$(CC) -o $@ $^ $(EXPORT_SPL) $(LDLIBS)

# The same with sanitizers, for tests/check-run.sh.
$(B)/san/bin/spile-run: $(B)/san/tools/spile-run.o $(RUNTIME_SAN) $(B)/libspile-san.a
	@mkdir -p $(@D)
	$(CC) $(SAN) -o $@ $^ $(EXPORT_SPL) $(LDLIBS)
