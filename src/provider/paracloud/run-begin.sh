#!/bin/sh
# One job of gpujob: sets it up, runs it, and keeps beside itself what it writes and how it ends.
gpujob_here=${0%/*}
exec >"$gpujob_here/stdout.log" 2>"$gpujob_here/stderr.log"
# A signal is for the job; its end is waited for all the same.
gpujob_job=
trap '[ -z "$gpujob_job" ] || kill -TERM "$gpujob_job" 2>/dev/null' TERM INT HUP
(
