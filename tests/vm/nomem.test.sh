# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# kernels: all
# Registrations whose allocations fail, one after the other (nomem.kernel.c); in the first round the first
# of each way only.
. tests/vm/module.sh
run() { # ROUND
    module_test nomem "nomem$([ "$1" = 1 ] && echo 1 || echo 100)"
}
text_kept run
