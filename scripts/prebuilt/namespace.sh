#!/bin/sh
# Runs a command in a mount namespace, with other folders in the place of some:
#   namespace.sh [--arm64] FROM:TO … -- COMMAND …
# With --arm64 in a user namespace, too, of the same users, so that the kernel runs programs for arm64 by qemu in there and nowhere else.
set -eu
arm64=
[ "$1" != --arm64 ] || { arm64=1 && shift; }
mounts=
while [ "$1" != -- ]; do
  mounts="$mounts $1"
  shift
done
shift

# shellcheck disable=SC2016
inside='
read -r _ <"$0"
if [ -n "$ARM64" ]; then
  mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
  printf "%s" ":qemu-aarch64:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00:\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:/usr/bin/qemu-aarch64-static:OCF" >/proc/sys/fs/binfmt_misc/register
fi
for one in $MOUNTS; do mount --bind "${one%%:*}" "${one#*:}"; done
unset MOUNTS ARM64
exec "$@"'

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
mkfifo "$place/go"
export MOUNTS="$mounts" ARM64="$arm64"
unshare ${arm64:+-U} -m --propagation private sh -c "$inside" "$place/go" "$@" &
pid=$!
if [ -n "$arm64" ]; then
  own=$(readlink /proc/self/ns/user)
  until [ "$(readlink "/proc/$pid/ns/user")" != "$own" ]; do sleep 0.05; done
  echo '0 0 65536' >"/proc/$pid/uid_map"
  echo '0 0 65536' >"/proc/$pid/gid_map"
fi
echo go >"$place/go"
code=0
wait "$pid" || code=$?
exit "$code"
