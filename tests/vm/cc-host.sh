#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Compiles for a guest (cc-guest.sh): cc-host.sh FOLDER. A job is a file there, an argument a line; the
# answer is what the compiler said, and then its status. Ends with its parent, or with the folder.
set -u
exec 3<> <(:) # a pipe that never says anything, to wait at without a process
while [ -d "$1" ] && kill -0 "$PPID" 2>/dev/null; do
    for job in "$1"/*.job; do
        [ -e "$job" ] || continue
        mapfile -t arguments <"$job"
        rm "$job"
        job=${job%.job}
        cc "${arguments[@]}" >"$job.said" 2>&1 </dev/null
        echo $? >"$job.part"
        mv "$job.part" "$job.status"
    done
    read -rt 0.05 -u 3
done
