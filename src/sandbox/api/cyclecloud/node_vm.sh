#!/bin/sh
# A node of the sandbox: puts the programs of its image in their place, runs the script in $1 by the interpreter in
# $2…, and lives until it is deleted, so that what the script left in the background lives as long as on a real VM.
here=${1%/*}
script=$1
shift
mkdir -p "$here/bin" "$here/gpujob"
for name in jetpack docker; do
    cp "$here/$name.sh" "$here/bin/$name" && chmod 755 "$here/bin/$name"
done
ending=
# The script hears the signal too and may want to tidy up: a shell waits for it before it runs a trap.
trap 'ending=yes' TERM
"$@" "$script"
printf '%s\n' "$?" >"$here/script_exit.new" && mv "$here/script_exit.new" "$here/script_exit"
[ -n "$ending" ] || sleep 2147483647
