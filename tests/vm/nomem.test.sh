# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# kernels: all
# Registrations whose allocations fail, one after the other (nomem.kernel.c).
. tests/vm/module.sh
run() {
    module_test nomem
}
text_kept run
