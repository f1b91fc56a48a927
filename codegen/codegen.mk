# What pass 4 needs inside the binary: the prelude's text, and the compiler flags of the core, which
# script modules share. -O1 instead of -O2: half the compile time, the same hot paths.
SCRIPT_CFLAGS := $(filter-out -isystem /% -O2,$(CORE_CFLAGS)) -O1

$(B)/gen/prelude.h: runtime/script.h codegen/support.h codegen/codegen.mk
	@mkdir -p $(@D)
	sed -e 's/\\/\\\\/g; s/"/\\"/g; s/^/"/; s/$$/\\n"/' runtime/script.h codegen/support.h > $@.new
	mv $@.new $@

$(B)/gen/core_cflags.h: kmod/cflags.mk codegen/codegen.mk
	@mkdir -p $(@D)
	printf '"%s",\n' $(SCRIPT_CFLAGS) > $@.new
	mv $@.new $@

# Names for C code in scripts, put in front of it.
$(B)/gen/embedded_support.h.inc: codegen/embedded_support.h codegen/codegen.mk
	@mkdir -p $(@D)
	sed -e 's/\\/\\\\/g; s/"/\\"/g; s/^/"/; s/$$/\\n"/' $< > $@.new
	mv $@.new $@

$(B)/user/codegen/embedded.o $(B)/san/codegen/embedded.o: $(B)/gen/embedded_support.h.inc

$(B)/user/codegen/compile.o $(B)/san/codegen/compile.o: $(B)/gen/prelude.h $(B)/gen/core_cflags.h
