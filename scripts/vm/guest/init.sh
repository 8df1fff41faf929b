#!/bin/bash
# PID 1 of a guest without systemd: cgroup v2 as systemd mounts it, all controllers for the children of the root.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LANG=C.UTF-8
mount -t tmpfs -o mode=755 none /run
mkdir -p /dev/pts /dev/shm /run/lock
mount -t devpts none /dev/pts
mount -t tmpfs none /dev/shm
mode=v2
for word in $(cat /proc/cmdline); do
  case $word in vm.cgroup=*) mode=${word#*=} ;; esac
done
case $mode in
  v2)
    mount -t cgroup2 -o nsdelegate,memory_recursiveprot none /sys/fs/cgroup
    for one in $(cat /sys/fs/cgroup/cgroup.controllers); do
      echo "+$one" >/sys/fs/cgroup/cgroup.subtree_control 2>/dev/null
    done
    ;;
  v1 | hybrid)
    mount -t tmpfs -o mode=755 none /sys/fs/cgroup
    for one in cpu cpuacct cpuset memory devices freezer blkio pids; do
      mkdir /sys/fs/cgroup/$one
      mount -t cgroup -o $one none /sys/fs/cgroup/$one
    done
    if [ "$mode" = hybrid ]; then
      mkdir /sys/fs/cgroup/unified
      mount -t cgroup2 none /sys/fs/cgroup/unified
    fi
    ;;
esac
ip link set lo up
hostname vm
/sbin/vm-job </dev/null
sync
echo o >/proc/sysrq-trigger
sleep 60
