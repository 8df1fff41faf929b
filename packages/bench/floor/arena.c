/* Where a supervisor is measured: starts it, notes the times, and leaves nothing of it behind.
   As a child subreaper the arena inherits every process that the supervisor or its workers orphan, so "no child left"
   means that nothing started in here is alive. When stdin ends (also because the bench was killed), everything
   is killed.

   Usage: arena LOG PROGRAM ARGUMENT...; PROGRAM's output is appended to LOG. Prints, times in ns of CLOCK_MONOTONIC:
     launched PID TIME     before the fork
     exited PID STATUS TIME    PROGRAM has ended, STATUS as of waitpid
     empty TIME CPU     no process is left; CPU is the time in ns that all of them used; the arena ends */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pid_t program;

static uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Of all that ended in here: who was waited for counts as his parent's children, and in the end all are ours. */
static uint64_t cpu_ns(void) {
  struct rusage usage;
  if (getrusage(RUSAGE_CHILDREN, &usage) != 0) return 0;
  uint64_t seconds = (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec);
  return seconds * 1000000000u + (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000u;
}

/* Returns whether any child is left. */
static int reap(void) {
  for (;;) {
    int status;
    pid_t pid = waitpid(-1, &status, WNOHANG);
    if (pid == 0) return 1;
    if (pid < 0) return errno != ECHILD;
    if (pid == program) dprintf(1, "exited %d %d %" PRIu64 "\n", pid, status, now_ns());
  }
}

static void kill_children(void) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
  FILE *file = fopen(path, "re");
  if (file == NULL) return;
  int pid;
  while (fscanf(file, "%d", &pid) == 1) kill(pid, SIGKILL);
  fclose(file);
}

static void launch(const char *log, char **argv) {
  int output = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  int input = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (output < 0 || input < 0) {
    perror(log);
    exit(1);
  }
  sigset_t none;
  sigemptyset(&none);
  uint64_t at = now_ns();
  program = vfork();
  if (program == 0) {
    dup2(input, 0);
    dup2(output, 1);
    dup2(output, 2);
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execvp(argv[0], argv);
    _exit(127);
  }
  if (program < 0) exit(1);
  close(input);
  close(output);
  dprintf(1, "launched %d %" PRIu64 "\n", program, at);
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  signal(SIGPIPE, SIG_IGN);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child, NULL);
  int signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
  launch(argv[1], argv + 2);

  int killing = 0;
  while (reap()) {
    if (killing) kill_children();
    struct pollfd polled[2] = {{signals, POLLIN, 0}, {killing ? -1 : 0, POLLIN, 0}};
    poll(polled, 2, killing ? 5 : -1);
    struct signalfd_siginfo info[16];
    while (read(signals, info, sizeof info) > 0) continue;
    char byte;
    if (polled[1].revents != 0 && read(0, &byte, 1) <= 0) killing = 1;
  }
  dprintf(1, "empty %" PRIu64 " %" PRIu64 "\n", now_ns(), cpu_ns());
  return 0;
}
