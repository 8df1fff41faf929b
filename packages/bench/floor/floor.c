/* The least a supervisor on Linux can do, as the limit that others are measured against: vfork + exec of every
   worker in its own session, restart at once, no output collected, no delay, no limits, no state on disk.
   SIGTERM or SIGINT: SIGTERM to every worker's group, SIGKILL after the grace, then the same for what the
   workers left behind, which a child subreaper inherits.

   Usage: floor CONFIG. Lines of the config: "grace MILLISECONDS" and "worker PROGRAM ARGUMENT..."; words are
   separated by single spaces, nothing is quoted. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct worker {
  char **argv;
  pid_t pid; /* 0 while there is none */
};

static struct worker *workers;
static size_t count;
static long grace = 10000;
static sigset_t original;

static long now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void add_worker(char *words) {
  char **argv = NULL;
  size_t n = 0;
  for (char *word = strtok(words, " \n");; word = strtok(NULL, " \n")) {
    argv = realloc(argv, (n + 1) * sizeof *argv);
    if (argv == NULL) exit(1);
    argv[n++] = word != NULL ? strdup(word) : NULL;
    if (word == NULL) break;
  }
  if ((count & (count - 1)) == 0) workers = realloc(workers, (count ? count * 2 : 1) * sizeof *workers);
  if (workers == NULL) exit(1);
  workers[count++] = (struct worker){argv, 0};
}

static void read_config(const char *path) {
  FILE *file = fopen(path, "re");
  if (file == NULL) {
    perror(path);
    exit(2);
  }
  char *line = NULL;
  size_t size = 0;
  while (getline(&line, &size, file) > 0) {
    if (strncmp(line, "grace ", 6) == 0) grace = atol(line + 6);
    else if (strncmp(line, "worker ", 7) == 0) add_worker(line + 7);
  }
  free(line);
  fclose(file);
}

static void launch(struct worker *worker) {
  pid_t pid = vfork();
  if (pid == 0) {
    setsid();
    sigprocmask(SIG_SETMASK, &original, NULL);
    execv(worker->argv[0], worker->argv);
    _exit(127);
  }
  worker->pid = pid > 0 ? pid : 0;
}

static struct worker *worker_of(pid_t pid) {
  for (size_t i = 0; i < count; i++)
    if (workers[i].pid == pid) return &workers[i];
  return NULL;
}

static int leader_left(void) {
  for (size_t i = 0; i < count; i++)
    if (workers[i].pid > 0) return 1;
  return 0;
}

/* Children that are no worker: what workers left behind. Returns how many there are. */
static int signal_adopted(int signal) {
  char path[64], text[65536];
  snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
  FILE *file = fopen(path, "re");
  if (file == NULL) return 0;
  size_t length = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  text[length] = 0;
  int found = 0;
  for (char *word = strtok(text, " "); word != NULL; word = strtok(NULL, " ")) {
    pid_t pid = (pid_t)atol(word);
    if (pid <= 0 || worker_of(pid) != NULL) continue;
    found++;
    kill(pid, signal);
  }
  return found;
}

/* Reaps all that have ended; returns whether any child is left. */
static int reap(int restart) {
  for (;;) {
    pid_t pid = waitpid(-1, NULL, WNOHANG);
    if (pid == 0) return 1;
    if (pid < 0) return errno != ECHILD;
    struct worker *worker = worker_of(pid);
    if (worker == NULL) continue;
    worker->pid = 0;
    if (restart) launch(worker);
  }
}

static void stop(const sigset_t *awaited) {
  for (size_t i = 0; i < count; i++)
    if (workers[i].pid > 0) kill(-workers[i].pid, SIGTERM);
  long deadline = now_ms() + grace;
  int adopted = 0;
  while (reap(0)) {
    long left = deadline - now_ms();
    if (left <= 0) {
      for (size_t i = 0; i < count; i++)
        if (workers[i].pid > 0) kill(-workers[i].pid, SIGKILL);
      signal_adopted(SIGKILL);
      left = 1;
    } else if (!leader_left()) {
      int found = signal_adopted(0);
      if (found != adopted) signal_adopted(SIGTERM);
      adopted = found;
    }
    struct timespec timeout = {left / 1000, left % 1000 * 1000000};
    sigtimedwait(awaited, NULL, &timeout);
  }
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  read_config(argv[1]);
  sigset_t awaited;
  sigemptyset(&awaited);
  sigaddset(&awaited, SIGCHLD);
  sigaddset(&awaited, SIGTERM);
  sigaddset(&awaited, SIGINT);
  sigprocmask(SIG_BLOCK, &awaited, &original);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  for (size_t i = 0; i < count; i++) launch(&workers[i]);
  for (;;) {
    int signal = sigwaitinfo(&awaited, NULL);
    if (signal == SIGCHLD) reap(1);
    else if (signal > 0) break;
  }
  stop(&awaited);
  return 0;
}
