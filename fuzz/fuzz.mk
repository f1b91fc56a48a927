# SPDX-License-Identifier: GPL-2.0-only
# Fuzz targets: fuzz/fuzz_NAME.c is build/fuzz/fuzz_NAME, with sanitizers and the mutating driver.

$(B)/fuzz/%: $(B)/san/fuzz/%.o $(B)/san/fuzz/standalone.o $(B)/libspile-san.a
	@mkdir -p $(@D)
	$(CC) $(SAN) -o $@ $^ $(LDLIBS)
