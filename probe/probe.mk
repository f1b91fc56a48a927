# Only what disassembles links Capstone.
$(B)/bin/spile-probe $(B)/tests/test_probe $(B)/tests-san/test_probe: LDLIBS += -lcapstone
