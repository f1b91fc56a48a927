# Modules made by the kernel's own build, for VM tests: samples/kprobes/, and tests/vm/kbuild/ twice,
# against Spile's header and against the kernel's. Into build/kbuild/RELEASE/{samples,spile,kernel};
# RELEASE is that of the headers that are installed (linux-headers-amd64).
HEADERS := $(lastword $(sort $(wildcard /usr/src/linux-headers-*-amd64)))
KB      := $(B)/kbuild/$(patsubst /usr/src/linux-headers-%,%,$(HEADERS))
KBUILD_SOURCES = $(wildcard samples/kprobes/* tests/vm/kbuild/*) include/spile/kprobes.h \
                 include/spile/linux/kprobes.h

# make_modules FOLDER, SOURCES, MORE: builds in a copy, since kbuild writes beside the sources.
make_modules = mkdir -p $(KB)/$(1) && cp $(2)/* $(KB)/$(1) && \
  $(MAKE) -s -C $(HEADERS) M=$(abspath $(KB)/$(1)) $(3) modules >$(KB)/$(1).log 2>&1 || \
  { cat $(KB)/$(1).log; exit 1; }
with_spile = SPILE=$(CURDIR) KBUILD_EXTRA_SYMBOLS=$(abspath $(B)/kmod/Module.symvers)

$(KB)/done: $(KBUILD_SOURCES) $(B)/kmod/Module.symvers tests/kbuild.mk | deps
	@mkdir -p $(@D)
	$(say) MOD $(@D)
	$(Q)$(call make_modules,samples,samples/kprobes,$(with_spile))
	$(Q)$(call make_modules,spile,tests/vm/kbuild,$(with_spile))
	$(Q)$(call make_modules,kernel,tests/vm/kbuild,)
	$(Q)touch $@

sample-modules: $(KB)/done ## build samples/kprobes and the tests' modules with kbuild
.PHONY: sample-modules
vm-programs: sample-modules
