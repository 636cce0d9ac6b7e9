#!/bin/sh
# `docker` on a node of the sandbox: images are not pulled, so `docker run` runs the command on this machine, with the
# environment that a container would have. Volumes are the paths of their source, replaced in the command's words.
# Devices, networks and limits are not imitated.
fail() {
    printf 'docker: %s\n' "$1" >&2
    exit 125
}

# Nobody can have a registry below `.invalid` (RFC 2606).
check_image() {
    case $1 in
    */*) ;;
    *) return 0 ;;
    esac
    case ${1%%/*} in
    invalid | invalid:* | *.invalid | *.invalid:*)
        printf "Unable to find image '%s' locally\n" "$1" >&2
        fail "Error response from daemon: lookup ${1%%/*}: no such host"
        ;;
    esac
}

case ${1-} in
run) shift ;;
pull)
    check_image "${2-}"
    exit 0
    ;;
rm | kill | stop) exit 0 ;;
*) fail "the sandbox's nodes do not have \`docker ${1-}\`" ;;
esac

entrypoint=
directory=$HOME
volumes=
variables=0
seen=0
given=$#
# Options are taken from the front; variables are put at the end, behind the image and its command.
while [ "$seen" -lt "$given" ]; do
    option=$1
    case $option in
    --rm | --init | --privileged | --interactive | --tty | -i | -t | -it)
        shift
        seen=$((seen + 1))
        continue
        ;;
    --*=*)
        shift
        seen=$((seen + 1))
        value=${option#*=}
        option=${option%%=*}
        ;;
    -*)
        [ "$#" -gt 1 ] || fail "$option needs a value"
        value=$2
        shift 2
        seen=$((seen + 2))
        ;;
    *) break ;;
    esac
    case $option in
    --env | -e)
        set -- "$@" "$value"
        variables=$((variables + 1))
        ;;
    --volume | -v)
        volumes="$volumes$value
"
        ;;
    --entrypoint) entrypoint=$value ;;
    --workdir | -w) directory=$value ;;
    esac
done
words=$(($# - variables))
[ "$words" -gt 0 ] || fail 'an image is missing'

# A word that is the path of a volume in the container, or a path below it, becomes the source's.
on_this_machine() {
    word=$1
    while IFS=: read -r source target _; do
        [ -n "$target" ] && [ "$source" != "$target" ] || continue
        case $word in
        "$target") word=$source ;;
        "$target"/*) word=$source${word#"$target"} ;;
        esac
    done <<END
$volumes
END
    printf '%s' "$word"
}

check_image "$1"
# The image's place is taken by the entry point.
shift
words=$((words - 1))
[ -z "$entrypoint" ] || set -- "$@" "$entrypoint"
while [ "$words" -gt 0 ]; do
    set -- "$@" "$(on_this_machine "$1")"
    shift
    words=$((words - 1))
done
cd "$(on_this_machine "$directory")" || fail "$directory is not there"
# The first place on the path is the node's own, with jetpack and this script: a container does not have them.
exec env -i "PATH=${PATH#*:}" "HOME=$HOME" LANG=C.UTF-8 "$@"
