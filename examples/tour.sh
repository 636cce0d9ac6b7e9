#!/bin/sh
# A tour of gpujob: the same job on every configured provider, from submit to verdict; then a cancel and a volume.
#
#   gpujob sandbox -- sh examples/tour.sh            without an account, against the embedded sandbox
#   sh examples/tour.sh                              against the providers you have configured (this costs money)
#
# Ends 0 when every step did what it should.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
job=$here/logistic-regression/job.yaml

say() { printf '\n== %s\n' "$*"; }
providers=$(gpujob config show --jq '[.items[].key | select(startswith("providers.")) | split(".")[1]] | unique | .[]')

say "what is configured"
gpujob config show

say "what can be rented"
gpujob types

for provider in $providers; do
    say "$provider: submit, wait, look"
    ref=$(gpujob submit "$job" -p "$provider" -q)
    echo "submitted $ref"
    gpujob wait "$ref"
    gpujob status "$ref"

    say "$provider: submit another and cancel it"
    ref=$(gpujob submit "$job" -p "$provider" -q --name "to be cancelled" -- sleep 600)
    gpujob cancel "$ref"
    code=0
    gpujob wait "$ref" || code=$?
    [ "$code" -eq 91 ] || { echo "expected the exit code 91 of a cancelled job, got $code" >&2; exit 1; }
    echo "cancelled, as the exit code $code says"
done

for provider in $providers; do
    case $provider in
    paracloud) set -- --cluster NC-N30 ;;
    pai-dlc) set -- --name tour_data --set uri=oss://tour.oss-cn-hangzhou-internal.aliyuncs.com/data/ ;;
    *) continue ;;
    esac
    say "$provider: create a volume and delete it again"
    volume=$(gpujob volumes create -p "$provider" "$@" -q)
    gpujob volumes list -p "$provider"
    gpujob volumes delete "$volume" --yes
done

say "side by side"
gpujob status
