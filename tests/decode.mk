# SPDX-License-Identifier: GPL-2.0-only
# The programs that compare the decoder with others: tests/decode/NAME.c is build/tests/decode/NAME.
# They link the decoder alone, not the library, so that they can be built whatever else is broken.

DECODER_OBJ := $(patsubst %,$(B)/user/engine/arch/x86/%.o,decode opcodes classify boundary)
DECODER_TESTS := $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/decode/*.c))

$(B)/tests/decode/%: $(B)/user/tests/decode/%.o $(DECODER_OBJ)
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) -o $@ $^ $(if $(findstring zydis,$@),-lZydis -lZycore)

decoder-programs: $(DECODER_TESTS)
check-decoder: decoder-programs ## compare the decoder with objdump on every kernel in the cache
	@tests/check-decode.sh --full
.PHONY: decoder-programs check-decoder
