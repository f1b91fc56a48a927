# SPDX-License-Identifier: GPL-2.0-only
# timeout: 900
# kernels: all
# The engine's suite (tests/engine/suite.h), which a process runs too, on this kernel: with targets that
# have ftrace sites and with targets that have none, and the latter again with jumps and breakpoints of
# our own. Each case under load takes SPILE_STRESS_SECONDS in the second round, 1 if not set, and
# 0.3 in the first.
. tests/vm/module.sh
run() { # ROUND
    tenths=$([ "$1" = 1 ] && echo 3 || echo "${SPILE_STRESS_SECONDS:-1}0")
    module_test suite "suite$tenths" suite
    module_test suite "suite$tenths" suite-sites
    ! text_from_now || module_test suite "suite$tenths" suite
}
text_kept run
