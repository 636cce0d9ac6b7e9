#!/bin/sh
# `jetpack` on a node of the sandbox (cyclecloud.md §8.3): it answers from the file that the sandbox wrote at boot and
# leaves its requests in files that the sandbox looks for.
here=${0%/*}/..

fail() {
    printf 'jetpack: %s\n' "$1" >&2
    exit "${2:-1}"
}

# Makes a request: whole or not at all.
request() {
    printf '%s\n' "$2" >"$here/$1.new" && mv "$here/$1.new" "$here/$1"
}

[ "$#" -gt 0 ] || fail 'a command is missing' 2
command=$1
shift
case $command in
config)
    column=2
    key=
    default=
    has_default=
    for word in "$@"; do
        if [ "$word" = --json ]; then
            column=3
        elif [ -z "$key" ]; then
            key=$word
        elif [ -z "$has_default" ]; then
            default=$word
            has_default=yes
        else
            fail 'config takes a key and a default' 2
        fi
    done
    [ -n "$key" ] || fail 'config takes a key' 2
    # Every value has a letter before it, so that an empty one is something too.
    value=$(KEY=$key COLUMN=$column awk -F '\t' '$1 == ENVIRON["KEY"] { print $(ENVIRON["COLUMN"] + 0); exit }' "$here/config")
    if [ -n "$value" ]; then
        printf '%s' "${value#=}" | base64 -d
        printf '\n'
    elif [ -n "$has_default" ]; then
        printf '%s\n' "$default"
    else
        fail "no value for $key"
    fi
    ;;
shutdown)
    case ${1-} in
    --idle | --unhealthy | --deallocate) request shutdown "${1#--}" ;;
    *) fail 'shutdown takes --idle, --unhealthy or --deallocate' 2 ;;
    esac
    ;;
log)
    [ "$#" -gt 0 ] || fail 'log takes a text' 2
    printf '%s\n' "$*" >>"$here/events"
    ;;
keepalive | condition)
    # The sandbox has no health-check watchdog.
    ;;
*)
    fail "the sandbox's nodes do not have \`jetpack $command\`" 2
    ;;
esac
