# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# kernels: all
# Jumps and breakpoints come and go while two threads run through them (text-stress.kernel.c), for
# SPILE_STRESS_SECONDS, 10 if not set: `SPILE_STRESS_SECONDS=60 tests/vm/run.sh text-stress`.
. tests/vm/module.sh
spile-run --load
module_test text-stress "stress${SPILE_STRESS_SECONDS:-10}"
spile-run --unload
