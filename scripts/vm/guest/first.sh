#!/bin/busybox sh
# First program of the guest: finds the root disk and hands over to the init that the command line names.
B=/bin/busybox
$B mount -t proc none /proc
$B mount -t sysfs none /sys
$B mount -t devtmpfs none /dev
while read -r module; do $B insmod "/modules/$module"; done </modules/order
tries=0
while [ ! -b /dev/vda ] && [ $tries -lt 200 ]; do
  $B usleep 20000
  tries=$((tries + 1))
done
$B mount -t ext4 -o rw,noatime /dev/vda /newroot || { echo 'vm: no root disk'; $B poweroff -f; }
# These two come with each boot, so that a change of them builds nothing anew.
for name in init job; do
  $B cat /sys/firmware/qemu_fw_cfg/by_name/opt/vm/$name/raw >/newroot/sbin/vm-$name
  $B chmod 755 /newroot/sbin/vm-$name
done
for place in dev sys proc; do $B mount --move /$place /newroot/$place; done
init=/sbin/vm-init
for word in $($B cat /newroot/proc/cmdline); do
  case $word in vm.init=*) init=${word#vm.init=} ;; esac
done
exec $B switch_root /newroot "$init"
