#pragma once

// Included before everything else: calls of Linux that sources of native/linux make which are compiled here, too.

// As many descriptors as there are, not 1024.
#define _DARWIN_UNLIMITED_SELECT 1

#include <sys/stat.h>

// As much of statx as tells the device of a file.
#define AT_STATX_DONT_SYNC 0

struct statx {
  unsigned stx_dev_major, stx_dev_minor;
};

static inline int statx(int folder, const char* path, int flags, unsigned mask, struct statx* facts) {
  struct stat found;
  (void)folder, (void)flags, (void)mask;
  if (stat(path, &found) != 0) return -1;
  facts->stx_dev_major = (unsigned)((found.st_dev >> 24) & 0xff);
  facts->stx_dev_minor = (unsigned)(found.st_dev & 0xffffff);
  return 0;
}
