// The node-* platform packages name `os` and `cpu` as plain strings; pnpm reads only lists and would
// install the binaries of every platform.
const list = (value) => (typeof value === 'string' ? [value] : value);

function readPackage(manifest) {
  if (manifest.os) manifest.os = list(manifest.os);
  if (manifest.cpu) manifest.cpu = list(manifest.cpu);
  return manifest;
}

module.exports = { hooks: { readPackage } };
