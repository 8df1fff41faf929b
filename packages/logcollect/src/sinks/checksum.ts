/** CRC-32. The module is loaded by the first call: most masters have no spill. */
export function crc32(data: Uint8Array | string): number {
  return process.getBuiltinModule('node:zlib').crc32(data);
}
