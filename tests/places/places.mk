# The programs that tests of symbols/ look into: one source in every form of debug information.
$(B)/places/programs/list: $(wildcard tests/places/*.[ch] tests/places/build.sh) | deps
	@mkdir -p $(@D)
	$(say) GEN $@
	$(Q)sh tests/places/build.sh $(@D)
unit-programs: $(B)/places/programs/list

check-debuginfo: all vm-programs $(B)/tests/test_debuginfo ## compare a whole kernel's DWARF with BTF and addr2line; fetches 860 MB once
	@tests/debuginfo.sh
.PHONY: check-debuginfo
