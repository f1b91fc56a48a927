# Tests. `make check` runs all parts and prints their sum in its last line.

$(B)/tests/%: $(B)/user/tests/unit/%.o $(B)/libspile-tools.a
	@mkdir -p $(@D)
	$(CC) -o $@ $^ -lcmocka $(LDLIBS)

$(B)/tests-san/%: $(B)/san/tests/unit/%.o $(B)/libspile-san.a
	@mkdir -p $(@D)
	$(CC) $(SAN) -o $@ $^ -lcmocka $(LDLIBS)

unit-programs: $(UNIT:%=$(B)/tests/%) $(UNIT:%=$(B)/tests-san/%)
.PHONY: unit-programs
