// Numbers its lines, one every so many milliseconds (0: none), behind a first line with its HSU_RUN; each line is one write.
// SIGTERM: says how far it came and ends with 0. SIGUSR1: ends with 7 at once. A second one of the same LOCK says TWIN.
// counts LOCK EVERY_MS [AFTER_LINES EXIT_CODE]
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t asked;

static void on_term(int signal) {
  (void)signal;
  asked = 1;
}

static void on_usr1(int signal) {
  (void)signal;
  _exit(7);
}

static void say(const char *format, long number) {
  char line[64];
  int length = snprintf(line, sizeof line, format, number);
  while (write(1, line, (size_t)length) < 0 && errno == EINTR) {
  }
}

int main(int argc, char **argv) {
  if (argc < 3) return 64;
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_term;
  sigaction(SIGTERM, &action, NULL);
  action.sa_handler = on_usr1;
  sigaction(SIGUSR1, &action, NULL);

  const char *mark = getenv("HSU_RUN");
  char line[256];
  int length = snprintf(line, sizeof line, "life %s\n", mark ? mark : "?");
  if (write(1, line, (size_t)length) < 0) return 65;
  int lock = open(argv[1], O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) != 0) {
    say("TWIN %ld\n", (long)getpid());
    return 99;
  }
  long every = atol(argv[2]), most = argc > 3 ? atol(argv[3]) : 0;
  struct timespec pause_time = {every / 1000, every % 1000 * 1000000};
  sigset_t term, before;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  long number = 0;
  for (;;) {
    if (every == 0) {
      sigprocmask(SIG_BLOCK, &term, &before);
      if (!asked) sigsuspend(&before);
      sigprocmask(SIG_SETMASK, &before, NULL);
    } else {
      if (!asked) nanosleep(&pause_time, NULL);
      if (!asked) say("%ld\n", ++number);
    }
    if (asked) {
      say("end %ld\n", number);
      return 0;
    }
    if (most && number >= most) return argc > 4 ? atoi(argv[4]) : 1;
  }
}
