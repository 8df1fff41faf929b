/* The least it costs to start a program and to wait for its end, one after the other.
   Usage: spawns fork|vfork|posix_spawn COUNT PROGRAM. Prints microseconds of CLOCK_MONOTONIC for each. */
#define _GNU_SOURCE
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static pid_t start(const char *how, char **argv) {
  static char *none[] = {NULL};
  pid_t pid = -1;
  if (strcmp(how, "posix_spawn") == 0) return posix_spawn(&pid, argv[0], NULL, NULL, argv, none) == 0 ? pid : -1;
  pid = strcmp(how, "vfork") == 0 ? vfork() : fork();
  if (pid == 0) {
    execve(argv[0], argv, none);
    _exit(127);
  }
  return pid;
}

static void once(const char *how, char **argv) {
  int status;
  pid_t pid = start(how, argv);
  if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) exit(1);
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  long count = atol(argv[2]);
  if (count <= 0) return 2;
  for (long i = 0; i < 50; i++) once(argv[1], argv + 3);
  double from = now_us();
  for (long i = 0; i < count; i++) once(argv[1], argv + 3);
  printf("%.3f\n", (now_us() - from) / (double)count);
  return 0;
}
