# SPDX-License-Identifier: GPL-2.0-only
# For tests in a guest that load a test module: `. tests/vm/module.sh`.
#
# NAME.kernel.c is build/tests/vm/NAME.o, and writes its verdicts with check.h.

# Fits a test module to this kernel and loads it. MODULE is its name in the kernel, whose digits are
# its argument (number.h). One that is not kept, because a check failed, is no error yet.
module_load() { # OBJECT MODULE
    spile-run --fit "build/tests/vm/$1.o" "$2" "/tmp/$2.ko"
    dmesg -c >/dev/null
    busybox insmod "/tmp/$2.ko" || true
}

# Shows what has been said of a test. Fails unless it was that all went well, and nothing else.
module_verdict() { # NAME
    dmesg | grep -E "$1-test: (FAIL|done|#)" || echo "no verdict"
    dmesg | grep -q "$1-test: done, 0 failures" && [ -z "$(dmesg | grep "$1-test: FAIL")" ]
}

# The whole life of a test module: in, its verdict, out.
module_test() { # NAME [MODULE [OBJECT]]
    set -- "$1" "${2:-$1_test}" "${3:-$1}"
    module_load "$3" "$2"
    module_verdict "$1"
    busybox rmmod "$2"
}

# Runs `COMMAND... 1`, then `COMMAND... 2`, each with the core loaded before and unloaded after. Fails
# unless the kernel's text is after the second what it was before. After the first it need not be:
# the kernel then changes text of its own (static keys, for one) that it does not change back.
text_kept() { # COMMAND...
    for text_round in 1 2; do
        text_before=$(text-sum --save /tmp/text)
        spile-run --load
        "$@" $text_round
        spile-run --unload
    done
    [ "$text_before" = "$(text-sum)" ] && return
    echo "text differs:"
    text-sum --diff /tmp/text
    return 1
}

# From now on, until the core is unloaded, new probes are patches of our own. Fails where the kernel's
# kprobes refuse a function with a breakpoint that is not theirs (6.12 and later), as return probes there
# need.
text_from_now() {
    case $(uname -r) in
    5.* | 6.1.*) ;;
    *) return 1 ;;
    esac
    echo 1 >/sys/kernel/debug/spile/kprobes-text
}
