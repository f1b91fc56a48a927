# SPDX-License-Identifier: GPL-2.0-only
# timeout: 200
# kernels: all
# Probes at function entries (entries.kernel.c).
. tests/vm/module.sh
run() {
    module_test entries
}
text_kept run
