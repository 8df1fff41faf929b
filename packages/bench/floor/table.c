/* The least it costs to list all processes. Usage: table names|told|ports ROUNDS RESULT: writes the mean of ms of a
   look, and how many processes it saw. names: /proc/<pid>/stat of each. told: cmdline, exe, cwd and status as well.
   ports: who of them has the one socket that listens on TCP port 1 open, which nobody has. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char text[1 << 16];

static void look_into(const char *pid, const char *name) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%.20s/%s", pid, name);
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  while (read(file, text, sizeof text) > 0) continue;
  close(file);
}

static void follow(const char *pid, const char *name) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%.20s/%s", pid, name);
  if (readlink(path, text, sizeof text) < 0) return;
}

static void look_at_files(const char *pid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%.20s/fd", pid);
  DIR *files = opendir(path);
  if (files == NULL) return;
  for (struct dirent *one; (one = readdir(files)) != NULL;)
    if (readlinkat(dirfd(files), one->d_name, text, sizeof text) < 0) continue;
  closedir(files);
}

static int look(int told, int ports) {
  int seen = 0;
  DIR *proc = opendir("/proc");
  for (struct dirent *one; proc != NULL && (one = readdir(proc)) != NULL;) {
    if (one->d_name[0] < '1' || one->d_name[0] > '9') continue;
    look_into(one->d_name, "stat");
    if (told) {
      look_into(one->d_name, "cmdline");
      look_into(one->d_name, "status");
      follow(one->d_name, "exe");
      follow(one->d_name, "cwd");
    }
    if (ports) look_at_files(one->d_name);
    seen++;
  }
  if (proc != NULL) closedir(proc);
  return seen;
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  int told = strcmp(argv[1], "told") == 0, ports = strcmp(argv[1], "ports") == 0, rounds = atoi(argv[2]), seen = 0;
  look(told, ports);
  struct timespec from, to;
  clock_gettime(CLOCK_MONOTONIC, &from);
  for (int round = 0; round < rounds; round++) seen = look(told, ports);
  clock_gettime(CLOCK_MONOTONIC, &to);
  double ms = (to.tv_sec - from.tv_sec) * 1e3 + (to.tv_nsec - from.tv_nsec) / 1e6;
  FILE *result = fopen(argv[3], "we");
  if (result == NULL) return 1;
  fprintf(result, "%f %d\n", ms / rounds, seen);
  return fclose(result) == 0 ? 0 : 1;
}
