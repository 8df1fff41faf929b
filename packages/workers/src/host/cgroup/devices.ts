/** A whole block device, as cgroups name it. */
export interface Device {
  /** `major:minor`. */
  readonly id: string;
  /** `vda`, `dm-0`. */
  readonly name: string;
  /** What shares it between groups by weight; null: nothing does. */
  readonly weighs: 'bfq' | 'cfq' | 'iocost' | null;
}

/** Where the files of a path are kept. */
export interface DeviceLookup {
  /** As it was asked. */
  readonly path: string;
  /** Several for a file system over several disks; none: `reason` says why. */
  readonly devices: readonly Device[];
  readonly reason: string;
}
