#!/bin/bash
# Runs the command that the host gave; its output and its result leave by two virtual serial ports.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
given=/sys/firmware/qemu_fw_cfg/by_name/opt/vm
port() {
  local one
  for one in /sys/class/virtio-ports/*; do
    [ "$(cat "$one/name")" = "$1" ] && { echo "/dev/${one##*/}"; return; }
  done
  echo /dev/null
}
out=$(port vm.out)
result=$(port vm.result)
begun=$(cut -d' ' -f1 /proc/uptime)

mountpoint -q /tmp || mount -t tmpfs -o mode=1777 none /tmp

# The host's tree, at the path it has there: read-only underneath, what is written stays in memory.
tree=$(cat $given/tree/raw 2>/dev/null)
if [ -n "$tree" ]; then
  mkdir -p /run/vm/tree /run/vm/written "$tree"
  mount -t tmpfs none /run/vm/written
  mkdir /run/vm/written/{upper,work}
  mount -t virtiofs -o ro vmtree /run/vm/tree &&
    mount -t overlay -o lowerdir=/run/vm/tree,upperdir=/run/vm/written/upper,workdir=/run/vm/written/work none "$tree" ||
    echo "vm: the tree $tree cannot be mounted" >"$out"
  # An ordinary user must get through to it.
  above=$tree
  while above=$(dirname "$above"); [ "$above" != / ]; do chmod a+x "$above"; done
fi

for one in /sys/block/vd*; do
  [ "$(cat "$one/serial" 2>/dev/null)" = vmdisk ] || continue
  mkdir -p /mnt/disk
  mount -t ext4 "/dev/${one##*/}" /mnt/disk && chmod 1777 /mnt/disk
done

cat $given/command/raw >/run/vm-command
cd "${tree:-/root}" || exit 1
HSU_VM_REPORT=/run/vm-report bash /run/vm-command >"$out" 2>&1 </dev/null
code=$?
{
  echo "$code $begun $(cut -d' ' -f1 /proc/uptime)"
  cat /run/vm-report 2>/dev/null
  printf '\nend of result\n'
} >"$result"
# The host ends the machine as soon as it has read that.
sleep 60
