) &
gpujob_job=$!
wait "$gpujob_job"
gpujob_code=$?
while kill -0 "$gpujob_job" 2>/dev/null; do
    wait "$gpujob_job"
    gpujob_code=$?
done
# Under its name only when it is whole.
printf '%s\n' "$gpujob_code" >"$gpujob_here/exit_code.part"
mv -f "$gpujob_here/exit_code.part" "$gpujob_here/exit_code"
exit "$gpujob_code"
