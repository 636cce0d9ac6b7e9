#!/bin/sh
# gpujob on CycleCloud: what an operator installs once, so that nodes run the jobs they are started for.
#
# This text is a script for nodes. It installs gpujob's runner and starts it in the background; on a node that was
# not started by gpujob the runner finds no job and ends. Install it in one of two ways:
#
#   cluster-init  Save it as specs/default/cluster-init/scripts/50-gpujob.sh of a project, upload the project
#                 (`cyclecloud project upload LOCKER`), and add its spec to the nodearray in the cluster template:
#                     [[[cluster-init gpujob:default:1.0.0]]]
#   cloud-init    Put it into the nodearray's CloudInit attribute, in the template or in the web page of the cluster.
#                 It then runs before CycleCloud's own set-up, and the runner waits for that.
#
# The nodes need
#   * a shared directory for output that is mounted on every node, such as an NFS mount of the template
#     (cyclecloud.mounts.*); its path is gpujob's `result-dir`. Mount it at the same path where gpujob runs, and gpujob
#     tells how jobs ended;
#   * docker, podman, apptainer or singularity for jobs with an image (with the NVIDIA container toolkit for GPUs).
#
# Take a nodearray, better a cluster, of its own with autoscaling off (Configuration.autoscale.enabled = false): a
# scheduler's autoscaler ends nodes that it does not know, and may hand gpujob's nodes to others.
#
# What a job finds: its working directory is RESULT_DIR/JOB_ID/NODE (in a container the image's own), and in its
# environment GPUJOB_JOB_ID, GPUJOB_NODE, GPUJOB_NODES, GPUJOB_RANK (from 0, by the number in the node's name),
# GPUJOB_HOSTS and GPUJOB_MASTER (addresses), GPUJOB_GPUS, GPUJOB_RESULT_DIR. Shared file systems of the node have the
# same paths inside a container. The exit codes 124 (time limit) and 125 (could not be run; see stderr) are the
# runner's. Configuration is readable by everyone who may see the cluster: it is no place for secrets.
