# SPDX-License-Identifier: GPL-2.0-only
# timeout: 240
# kernels: all
# Probes by our own jumps and breakpoints (text.kernel.c): in the first round a short run.
. tests/vm/module.sh
run() {
    module_test text "$([ "$1" = 1 ] && echo text_warm || echo text_full)"
}
text_kept run
