#!/bin/sh
# gpujob runner: runs the job that this node was started for, then asks CycleCloud to shut the node down.
#
# It reads Configuration.gpujob.* through `jetpack config` and writes RESULT_DIR/JOB_ID/NODE/stdout, stderr and, last
# and by rename, exit_code. A job is begun once: a runner on a restarted node ends the job instead of repeating it.
#
# GPUJOB_HOME      where it keeps its own files (/var/lib/gpujob)
# GPUJOB_PATIENCE  seconds to wait for jetpack, the shared directory and the other nodes (900)
# GPUJOB_VALUES    a directory with one file for each value, instead of jetpack
set -u
umask 022
trap '' HUP
PATH=${PATH:-/usr/sbin:/usr/bin:/sbin:/bin}:/opt/cycle/jetpack/bin
export PATH
home=${GPUJOB_HOME:-/var/lib/gpujob}
patience=${GPUJOB_PATIENCE:-900}

say() {
    printf 'gpujob runner: %s\n' "$*" >&2
}

# A setting of the node; empty where there is none.
node_value() {
    told=$(jetpack config "$1" '' 2>/dev/null) || told=
    case $told in
    None | null) told= ;;
    esac
    printf '%s' "$told"
}

# A value of the job; empty where it is not set.
value() {
    if [ -z "${GPUJOB_VALUES:-}" ]; then
        node_value "gpujob.$1"
    elif [ -f "$GPUJOB_VALUES/$1" ]; then
        cat "$GPUJOB_VALUES/$1"
    fi
}

# A whole number; 0 for everything else.
number() {
    whole=$(value "$1")
    whole=${whole%%.*}
    case $whole in
    '' | *[!0-9]*) whole=0 ;;
    esac
    printf '%s' "$whole"
}

is_true() {
    case $1 in
    [Tt]rue | TRUE | 1 | [Yy]es | YES | [Oo]n | ON) return 0 ;;
    esac
    return 1
}

# Waits until a command succeeds; fails when patience ends.
await() {
    left=$patience
    until "$@"; do
        [ "$left" -gt 0 ] || return 1
        left=$((left - 1))
        sleep 1
    done
}

decode() {
    if command -v base64 >/dev/null 2>&1; then
        printf '%s' "$1" | base64 -d
    else
        printf '%s' "$1" | openssl base64 -d -A
    fi
}

knows_node() {
    command -v jetpack >/dev/null 2>&1 || return 1
    jetpack config cyclecloud.node.name >/dev/null 2>&1 || jetpack config cyclecloud.cluster.name >/dev/null 2>&1
}

has_results() {
    [ -d "$result_dir" ]
}

# All nodes of the job have left their address.
has_company() {
    set -- "$result_dir/$job_id"/*/address
    [ -e "$1" ] && [ "$#" -ge "$nodes" ]
}

# Names of the nodes that are there, by the number at the end of the name.
company() {
    for place in "$result_dir/$job_id"/*/address; do
        [ -e "$place" ] || continue
        place=${place%/address}
        place=${place##*/}
        printf '%s %s\n' "${place##*[!0-9]}" "$place"
    done | sort -n -k 1,1 -k 2 | while read -r first second; do
        printf '%s\n' "${second:-$first}"
    done
}

# Mount points of the node's shared file systems.
shared_places() {
    [ -r /proc/mounts ] || return 0
    while read -r _ place kind _; do
        case $place in
        *\\*) continue ;;
        esac
        case $kind in
        nfs | nfs4 | lustre | beegfs | ceph | cifs | fuse.blobfuse*) printf '%s\n' "$place" ;;
        esac
    done </proc/mounts
}

# The exit code, whole or not at all.
conclude() {
    printf '%s\n' "$1" >"$directory/.exit_code" && mv -f "$directory/.exit_code" "$directory/exit_code" && return 0
    say "the exit code $1 cannot be written to $directory"
}

# The end of every job: the node goes, unless it is to be kept.
leave() {
    if is_true "$keep"; then
        say "job $job_id is over, and the node is kept"
        exit 0
    fi
    jetpack shutdown --idle || say "jetpack does not shut this node down"
    exit 0
}

# A job that cannot be run.
refuse() {
    say "$1"
    printf 'gpujob runner: %s\n' "$1" >>"$directory/stderr"
    conclude 125
    leave
}

stop() {
    kill -s TERM -- "$target" 2>/dev/null
    [ -z "${watch:-}" ] || kill -s KILL -- "$watch" 2>/dev/null
}

await knows_node || say "jetpack tells nothing about this node"
job_id=$(value job_id)
if [ -z "$job_id" ]; then
    say "no job for this node"
    exit 0
fi
case $job_id in
*[!A-Za-z0-9-]*)
    say "the job id is none of gpujob's"
    exit 1
    ;;
esac
keep=$(value keep)
result_dir=$(value result_dir)
node=$(node_value cyclecloud.node.name)
[ -n "$node" ] || node=$(hostname)
case $node in
'' | . | .. | */*)
    say "the node has no usable name"
    exit 1
    ;;
esac

work=$home/$job_id
mkdir -p "$work" || exit 1
boot=$(cat /proc/sys/kernel/random/boot_id 2>/dev/null) || boot=once
# Of two runners on one running node, the second has nothing to do.
mkdir "$work/$boot" 2>/dev/null || exit 0

if [ -z "$result_dir" ]; then
    result_dir=$home/results
    mkdir -p "$result_dir"
fi
if ! await has_results; then
    say "$result_dir is not there: the job is not run"
    jetpack log "gpujob: the result directory $result_dir is not there; job $job_id is not run" --level error --priority high
    leave
fi
directory=$result_dir/$job_id/$node
mkdir -p "$directory" || leave
if ! (set -C && : >"$directory/stdout") 2>/dev/null; then
    [ -e "$directory/exit_code" ] && leave
    refuse "the node was restarted while the job ran; it is not begun a second time"
fi
: >>"$directory/stderr"

if ! decode "$(value command_b64)" >"$work/command" || [ ! -s "$work/command" ]; then
    refuse "the job has no command, or one that cannot be decoded"
fi
if ! decode "$(value env_b64)" >"$work/env"; then
    refuse "the job's environment cannot be decoded"
fi
image=$(value image)
gpus=$(number gpus)
limit=$(number time_limit_s)
nodes=$(number nodes)
[ "$nodes" -gt 0 ] || nodes=1

address=$(hostname -I 2>/dev/null) || address=
address=${address%% *}
printf '%s\n' "${address:-$(hostname)}" >"$directory/.address" && mv -f "$directory/.address" "$directory/address"
[ "$nodes" -eq 1 ] || await has_company || say "not all of $nodes nodes have come"
rank=0
count=0
hosts=
for name in $(company); do
    [ "$name" != "$node" ] || rank=$count
    count=$((count + 1))
    hosts=$hosts${hosts:+,}$(cat "$result_dir/$job_id/$name/address")
done

set -- "GPUJOB_JOB_ID=$job_id" "GPUJOB_NODE=$node" "GPUJOB_NODES=$count" "GPUJOB_RANK=$rank" "GPUJOB_HOSTS=$hosts" \
    "GPUJOB_MASTER=${hosts%%,*}" "GPUJOB_GPUS=$gpus" "GPUJOB_RESULT_DIR=$directory"
while IFS= read -r line || [ -n "$line" ]; do
    [ -z "$line" ] || set -- "$@" "$line"
done <"$work/env"

runtime=
container=gpujob-$job_id
if [ -z "$image" ]; then
    set -- env "$@" /bin/sh "$work/command"
else
    for candidate in docker podman apptainer singularity; do
        if command -v "$candidate" >/dev/null 2>&1; then
            runtime=$candidate
            break
        fi
    done
    [ -n "$runtime" ] || refuse "the job wants the image $image, and this node has no docker, podman, apptainer or singularity"
    places=$(
        printf '%s\n' "$result_dir"
        shared_places
    )
    places=$(printf '%s\n' "$places" | sort -u)
    case $runtime in
    docker | podman)
        left=$#
        while [ "$left" -gt 0 ]; do
            set -- "$@" --env "$1"
            shift
            left=$((left - 1))
        done
        if [ "$gpus" -gt 0 ] && [ -e /dev/kfd ]; then
            set -- --device /dev/kfd --device /dev/dri "$@"
        elif [ "$gpus" -gt 0 ] && [ "$runtime" = docker ]; then
            set -- --gpus all "$@"
        elif [ "$gpus" -gt 0 ]; then
            set -- --device nvidia.com/gpu=all "$@"
        fi
        [ ! -d /dev/infiniband ] || set -- --device /dev/infiniband --ulimit memlock=-1 "$@"
        while IFS= read -r place; do
            set -- --volume "$place:$place" "$@"
        done <<END
$places
END
        set -- "$runtime" run --rm --name "$container" --network host --ipc host "$@" \
            --volume "$work/command:/gpujob-command:ro" --entrypoint /bin/sh "$image" /gpujob-command
        ;;
    apptainer | singularity)
        case $image in
        *://* | /*) ;;
        *) image=docker://$image ;;
        esac
        set -- env "$@" "$runtime" exec
        if [ "$gpus" -gt 0 ] && [ -e /dev/kfd ]; then
            set -- "$@" --rocm
        elif [ "$gpus" -gt 0 ]; then
            set -- "$@" --nv
        fi
        while IFS= read -r place; do
            set -- "$@" --bind "$place"
        done <<END
$places
END
        set -- "$@" --bind "$work/command:/gpujob-command:ro" "$image" /bin/sh /gpujob-command
        ;;
    esac
fi

cd "$directory" || refuse "$directory cannot be entered"
session=
! command -v setsid >/dev/null 2>&1 || session=setsid
# The job and the watch each lead a session of their own, so that a limit reaches every process.
$session "$@" >>"$directory/stdout" 2>>"$directory/stderr" </dev/null &
child=$!
target=$child
[ -z "$session" ] || target=-$child
watch=
trap 'stop; exit 143' TERM INT
if [ "$limit" -gt 0 ]; then
    $session /bin/sh -c 'sleep "$1"; : >"$3"; kill -s TERM -- "$2"; sleep 10; kill -s KILL -- "$2"' \
        watch "$limit" "$target" "$work/timed_out" >/dev/null 2>&1 </dev/null &
    watch=$!
    [ -z "$session" ] || watch=-$watch
fi
wait "$child"
code=$?
if [ -e "$work/timed_out" ]; then
    code=124
    kill -s KILL -- "$target" 2>/dev/null
    printf 'gpujob runner: the time limit of %s s is over\n' "$limit" >>"$directory/stderr"
fi
[ -z "$watch" ] || kill -s KILL -- "$watch" 2>/dev/null
case $runtime in
docker | podman) "$runtime" rm --force "$container" >/dev/null 2>&1 ;;
esac
say "job $job_id has ended with exit code $code"
conclude "$code"
leave
