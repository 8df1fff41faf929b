/** A cgroup hierarchy as this process sees it. */
export interface Hierarchy {
  /** Where it is mounted. */
  readonly mount: string;
  /** Directory of the cgroup that this process is in; null where no mount shows it. */
  readonly own: string | null;
  /** The path of that cgroup as the kernel names it: relative to the root of the cgroup namespace. */
  readonly path: string;
  /** The mount may not be written to. */
  readonly readOnly: boolean;
}

export interface Hierarchies {
  /** cgroup v2, with or without controllers. */
  readonly unified: Hierarchy | null;
  /** cgroup v1, by controller; joined controllers (`cpu,cpuacct`) share one. Named ones (`name=systemd`) are left out. */
  readonly controllers: ReadonlyMap<string, Hierarchy>;
}

interface Mount {
  readonly root: string;
  readonly point: string;
  readonly type: 'cgroup' | 'cgroup2';
  readonly options: readonly string[];
  readonly readOnly: boolean;
}

/** Reads `/proc/self/cgroup` and `/proc/self/mountinfo`, whichever way a system or container has mounted its cgroups. */
export function parseHierarchies(cgroups: string, mountinfo: string): Hierarchies {
  const mounts = parseMounts(mountinfo);
  let unified: Hierarchy | null = null;
  const controllers = new Map<string, Hierarchy>();
  for (const line of cgroups.split('\n')) {
    // The path may hold colons itself.
    const [, id, names, path] = /^(\d+):([^:]*):(.*)$/.exec(line) ?? [];
    if (id === undefined || names === undefined || path === undefined) continue;
    if (id === '0' && names === '') {
      unified = choose(mounts, path, ({ type }) => type === 'cgroup2');
      continue;
    }
    for (const name of names.split(',')) {
      if (name === '' || name.startsWith('name=')) continue;
      const found = choose(mounts, path, ({ type, options }) => type === 'cgroup' && options.includes(name));
      if (found !== null) controllers.set(name, found);
    }
  }
  return { unified, controllers };
}

/** Of several mounts of one hierarchy the first that shows our cgroup and may be written to, else that shows it, else any. */
function choose(mounts: readonly Mount[], path: string, fits: (mount: Mount) => boolean): Hierarchy | null {
  const seen = mounts.filter(fits).map(({ root, point, readOnly }): Hierarchy => {
    const below = relativePath(root, withoutDeleted(path));
    return { mount: point, own: below === null ? null : joined(point, below), path, readOnly };
  });
  return (
    seen.find(({ own, readOnly }) => own !== null && !readOnly) ??
    seen.find(({ own }) => own !== null) ??
    seen[0] ??
    null
  );
}

/** The kernel says so of a cgroup that was removed while a process of it lived on. */
function withoutDeleted(path: string): string {
  return path.endsWith(' (deleted)') ? path.slice(0, -' (deleted)'.length) : path;
}

/**
 * Where `path` is below `root`, both as the kernel names them: from the root of the cgroup namespace, with `/..` for each step
 * above it. Null where it is not below, or where a name on the way is not known: that of the namespace’s own root seen from above.
 */
function relativePath(root: string, path: string): string | null {
  const from = parts(root);
  const to = parts(path);
  for (const [index, part] of from.entries()) if (to[index] !== part) return null;
  const rest = to.slice(from.length);
  return rest.includes('..') ? null : rest.join('/');
}

function parts(path: string): readonly string[] {
  return path.split('/').filter((part) => part !== '');
}

function joined(directory: string, below: string): string {
  if (below === '') return directory;
  return directory === '/' ? `/${below}` : `${directory}/${below}`;
}

function parseMounts(mountinfo: string): readonly Mount[] {
  const byPoint = new Map<string, Mount | null>();
  for (const line of mountinfo.split('\n')) {
    const [before, after] = separated(line);
    const [, , , root, point, flags = ''] = before;
    const [type, , options = ''] = after;
    if (root === undefined || point === undefined || type === undefined) continue;
    const place = unescaped(point);
    // A later mount hides an earlier one on the same point.
    byPoint.delete(place);
    if (type !== 'cgroup' && type !== 'cgroup2') {
      byPoint.set(place, null);
      continue;
    }
    const readOnly = flags.split(',').includes('ro') || options.split(',').includes('ro');
    byPoint.set(place, {
      root: unescaped(root),
      point: place,
      type,
      options: options.split(','),
      readOnly,
    });
  }
  return [...byPoint.values()].filter((mount) => mount !== null);
}

/** Optional fields, any number of them, end with a lone dash. */
function separated(line: string): readonly [readonly string[], readonly string[]] {
  const fields = line.split(' ');
  const dash = fields.indexOf('-', 6);
  return dash < 0 ? [[], []] : [fields.slice(0, dash), fields.slice(dash + 1)];
}

/** Blanks, tabs, line ends and backslashes are written as three octal digits. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
