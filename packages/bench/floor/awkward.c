/* A worker that is hard to end: four processes, of which a stop by signal to the leader ends one.
   1. the leader (dies of SIGTERM), 2. a child that ignores SIGTERM, 3. a child in its own session,
   4. a daemon, forked twice, in its own session, in another directory. */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void sleep_for_ever(void) {
  for (;;) pause();
}

static pid_t fork_or_die(void) {
  pid_t pid = fork();
  if (pid < 0) exit(1);
  return pid;
}

int main(void) {
  if (fork_or_die() == 0) {
    signal(SIGTERM, SIG_IGN);
    sleep_for_ever();
  }
  if (fork_or_die() == 0) {
    setsid();
    sleep_for_ever();
  }
  pid_t middle = fork_or_die();
  if (middle == 0) {
    setsid();
    if (fork_or_die() != 0) _exit(0);
    if (chdir("/") != 0) _exit(1);
    sleep_for_ever();
  }
  waitpid(middle, NULL, 0);
  sleep_for_ever();
}
