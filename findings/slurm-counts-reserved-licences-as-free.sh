#!/bin/sh
# Slurm 22.05.8 shows a licence as free that a reservation keeps, and as reserved what the
# reservation's own job already uses.
#
# `scontrol show licenses` has Total, Used, Free and Reserved. Free is Total less Used: of 10
# licences, 2 of them reserved, Free is 10, and a job that asks for 9 waits with the reason
# "Licenses" while Free says 10. When a job within the reservation takes one, Used is 1 and Reserved
# is still 2, so Used and Reserved added together count that licence twice. What a job outside the
# reservation can have is in no field, and cannot be worked out of them: it is Total less Reserved
# less what is used outside.
#
# Who reads it should keep used and reserved apart, and take Free for no promise. Runs a private
# slurmctld, slurmd and munged of Debian 12 on loopback. Needs root: the packages are unpacked into a
# temporary folder, and laid over /usr in a mount namespace of their own, for Slurm has its own paths
# built in.
set -eu
[ "$(id -u)" = 0 ] || { echo "run this as root: it lays packages over /usr for itself" >&2; exit 2; }
if [ -z "${FOLDER:-}" ]; then
    FOLDER=$(mktemp -d)
    export FOLDER
    trap 'rm -rf "$FOLDER"' EXIT
    unshare --mount --propagation private sh "$0"
    exit
fi
cd "$FOLDER"
chmod 755 .

stop() {
    for name in slurmd slurmctld munged; do
        [ -s "$FOLDER/$name.pid" ] || continue
        pid=$(cat "$FOLDER/$name.pid")
        for _ in $(seq 20); do
            kill "$pid" 2>/dev/null || break
            sleep 0.5
        done
    done
}
trap stop EXIT

mkdir debs unpacked state spool socket
chmod 755 socket
(
    cd debs
    # apt reads as an account of its own, which may not write here.
    apt-get -qq -o APT::Sandbox::User=root download \
        slurmctld slurmd slurm-client slurm-wlm-basic-plugins munge libmunge2
)
for deb in debs/*.deb; do dpkg -x "$deb" unpacked; done
for name in slurmctld slurmd slurmstepd; do ln -sf "$name-wlm" "unpacked/usr/sbin/$name"; done
mount -t overlay overlay -o "lowerdir=$FOLDER/unpacked/usr:/usr" /usr

dd if=/dev/urandom of=munge.key bs=1024 count=1 2>/dev/null
chmod 400 munge.key
munged --force --key-file="$FOLDER/munge.key" --socket="$FOLDER/socket/munge" \
    --pid-file="$FOLDER/munged.pid" --log-file="$FOLDER/munged.log" --seed-file="$FOLDER/munge.seed"

host=$(hostname -s)
export SLURM_CONF="$FOLDER/slurm.conf"
cat > slurm.conf <<END
ClusterName=finding
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=26817
SlurmdPort=26818
SlurmUser=root
AuthInfo=socket=$FOLDER/socket/munge
StateSaveLocation=$FOLDER/state
SlurmdSpoolDir=$FOLDER/spool
SlurmctldPidFile=$FOLDER/slurmctld.pid
SlurmdPidFile=$FOLDER/slurmd.pid
SlurmctldLogFile=$FOLDER/slurmctld.log
SlurmdLogFile=$FOLDER/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
ReturnToService=2
Licenses=solver:10
NodeName=$host NodeAddr=127.0.0.1 CPUs=1 State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP
END
slurmctld
slurmd

# Waits until a command prints a line; half a minute at most.
until_says() {
    wanted=$1
    shift
    for _ in $(seq 60); do
        "$@" 2>/dev/null | grep -qx "$wanted" && return
        sleep 0.5
    done
    echo "no \"$wanted\" from: $*" >&2
    exit 1
}
licences() { scontrol -o show licenses solver; }
seen() {
    echo "$1: $(licences)"
    licences | grep -q "$2" || { echo "this has changed: \"$2\" was seen" >&2; exit 1; }
}

version=$(scontrol --version)
echo "$version"
[ "$version" = "slurm-wlm 22.05.8" ] || { echo "slurm-wlm 22.05.8 is meant" >&2; exit 1; }
until_says idle sinfo --noheader --format=%T
scontrol --quiet create reservation reservationname=kept starttime=now duration=10 users=root \
    licenses=solver:2 flags=LICENSE_ONLY > reservation.log
seen "2 are reserved" "Total=10 Used=0 Free=10 Reserved=2"

nine=$(sbatch --parsable --output=/dev/null --licenses=solver:9 --wrap "sleep 60")
until_says "PENDING Licenses" squeue --noheader --jobs="$nine" --format="%T %r"
seen "a job that asks for 9 waits" "Used=0 Free=10 Reserved=2"
scancel "$nine"

one=$(sbatch --parsable --output=/dev/null --reservation=kept --licenses=solver:1 --wrap "sleep 60")
until_says RUNNING squeue --noheader --jobs="$one" --format=%T
seen "the reservation's own job runs" "Used=1 Free=9 Reserved=2"
scancel "$one"
# slurmd stays for as long as its job does.
for _ in $(seq 20); do
    [ -z "$(squeue --noheader --jobs="$one" 2>/dev/null)" ] && break
    sleep 0.5
done
