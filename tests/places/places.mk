# The programs that tests of symbols/ look into: one source in every form of debug information.
$(B)/places/programs/list: $(wildcard tests/places/*.[ch] tests/places/build.sh) | deps
	@mkdir -p $(@D)
	$(say) GEN $@
	$(Q)sh tests/places/build.sh $(@D)
unit-programs: $(B)/places/programs/list
