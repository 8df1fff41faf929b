/**
 * A small program that does what its arguments say, one after the other:
 *
 *   print TEXT   warn TEXT   bytes N   env NAME   cwd   pid      write a line (N bytes of a pattern) to stdout or stderr
 *   partial TEXT                                                 write without a newline
 *   ignore SIGNAL   session   wipe   close                       TERM HUP INT · setsid · blank the environment · close 0 to 2
 *   child { … }   orphan { … }                                   fork · fork twice, so that init adopts the one that goes on
 *   on-term { … }                                                what `sleep` does when SIGTERM comes
 *   pidfile FILE   await FILE   pause MS   sleep   flood   stop  flood and sleep never end; await: until it is there
 *   hog MIB   grow MIB MS                                        hold memory: at once · a MiB every MS milliseconds
 *   map MIB   lock MIB                                           map and never touch · lock into memory
 *   spin   burn MS                                               use a processor: without end · for MS of its time
 *   forks N   opens N   write-direct FILE MIB                    children that sleep · descriptors · O_DIRECT, MiB by MiB
 *   bomb   swarm N MS                                            fork without end, as do all that come of it · the same
 *                                                                every MS milliseconds, each in a session, N in all
 *   exit CODE   crash SIGNAL-NUMBER   kill-all                   kill-all: SIGKILL to its process group
 *
 * hog, grow, map, lock, burn, forks, opens and write-direct say on stdout how far they came, as in `forks 12 EAGAIN` or
 * `grow 64 ok`, and go on.
 */
export const CREATURE_SOURCE = `
#if defined(__linux__)
#define _GNU_SOURCE
#else
#define _POSIX_C_SOURCE 200809L
#endif
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/wait.h>

extern char **environ;
static volatile sig_atomic_t asked = 0;
static void ask(int number) { (void)number; asked = 1; }

static void put(int fd, const char *data, size_t size) {
  while (size > 0) {
    ssize_t done = write(fd, data, size);
    if (done <= 0) _exit(120);
    data += done;
    size -= (size_t)done;
  }
}

static void line(int fd, const char *text) {
  char all[8192];
  int size = snprintf(all, sizeof all, "%s\\n", text);
  put(fd, all, size < (int)sizeof all ? (size_t)size : sizeof all - 1);
}

static void wait_ms(long span) {
  struct timespec left = {span / 1000, (span % 1000) * 1000000L};
  while (nanosleep(&left, &left) != 0) {}
}

static const char *name_of(int number) {
  switch (number) {
    case 0: return "ok";
    case EAGAIN: return "EAGAIN";
    case ENOMEM: return "ENOMEM";
    case EMFILE: return "EMFILE";
    case EPERM: return "EPERM";
    case ENOSPC: return "ENOSPC";
    case EINVAL: return "EINVAL";
    default: { static char text[16]; snprintf(text, sizeof text, "%d", number); return text; }
  }
}

static void tell(const char *op, long count, int error) {
  char text[96];
  snprintf(text, sizeof text, "%s %ld %s", op, count, name_of(error));
  line(1, text);
}

static int hold(long mebibytes, int touch) {
  size_t size = (size_t)mebibytes << 20;
  char *held = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
  if (held == MAP_FAILED) return errno;
  if (touch == 1) memset(held, 1, size);
  return touch == 2 && mlock(held, size) != 0 ? errno : 0;
}

static void grow(long mebibytes, long every) {
  long held = 0;
  int error = 0;
  for (; held < mebibytes && (error = hold(1, 1)) == 0; held++) wait_ms(every);
  tell("grow", held, error);
}

static long used_ms(void) {
  struct timespec used;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return used.tv_sec * 1000 + used.tv_nsec / 1000000;
}

static void forks(long count) {
  long made = 0;
  int error = 0;
  for (; made < count; made++) {
    pid_t pid = fork();
    if (pid < 0) { error = errno; break; }
    if (pid == 0) for (;;) pause();
  }
  tell("forks", made, error);
}

static void swarm(long most, long every) {
  long *made = mmap(NULL, sizeof *made, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANON, -1, 0);
  if (made == MAP_FAILED) _exit(123);
  for (;;) {
    wait_ms(every);
    if (__sync_add_and_fetch(made, 1) > most) for (;;) pause();
    if (fork() == 0) setsid();
  }
}

static void opens(long count) {
  long made = 0;
  int error = 0;
  for (; made < count; made++) if (open("/dev/null", O_RDONLY) < 0) { error = errno; break; }
  tell("opens", made, error);
}

static void write_direct(const char *path, long mebibytes) {
  int flags = O_WRONLY | O_CREAT;
#ifdef O_DIRECT
  flags |= O_DIRECT;
#endif
  void *block = NULL;
  int fd = open(path, flags, 0644);
  if (fd < 0 || posix_memalign(&block, 4096, 1 << 20) != 0) { tell("write-direct", 0, errno); return; }
  memset(block, 1, 1 << 20);
  long done = 0;
  int error = 0;
  for (; done < mebibytes; done++) if (write(fd, block, 1 << 20) != 1 << 20) { error = errno; break; }
  close(fd);
  tell("write-direct", done, error);
}

static int signal_of(const char *name) {
  if (strcmp(name, "TERM") == 0) return SIGTERM;
  if (strcmp(name, "HUP") == 0) return SIGHUP;
  if (strcmp(name, "INT") == 0) return SIGINT;
  return atoi(name);
}

static char **after_block(char **word) {
  int depth = 0;
  for (; *word != NULL; word++) {
    if (strcmp(*word, "{") == 0) depth++;
    if (strcmp(*word, "}") == 0 && --depth == 0) return word + 1;
  }
  return word;
}

static void live(char **word);

static void sleep_on(char **on_term) {
  for (;;) {
    if (asked && on_term != NULL) live(on_term);
    sigset_t term, old;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, &old);
    if (!asked) sigsuspend(&old);
    sigprocmask(SIG_SETMASK, &old, NULL);
  }
}

static void live(char **word) {
  char **on_term = NULL;
  while (*word != NULL && strcmp(*word, "}") != 0) {
    const char *op = *word++;
    if (strcmp(op, "session") == 0) setsid();
    else if (strcmp(op, "stop") == 0) raise(SIGSTOP);
    else if (strcmp(op, "kill-all") == 0) kill(0, SIGKILL);
    else if (strcmp(op, "close") == 0) { close(0); close(1); close(2); }
    else if (strcmp(op, "sleep") == 0) sleep_on(on_term);
    else if (strcmp(op, "bomb") == 0) for (;;) fork();
    else if (strcmp(op, "spin") == 0) for (volatile unsigned long turn = 0;; turn++) {}
    else if (strcmp(op, "pid") == 0) { char text[32]; snprintf(text, sizeof text, "%ld", (long)getpid()); line(1, text); }
    else if (strcmp(op, "cwd") == 0) { char text[4096]; line(1, getcwd(text, sizeof text) ? text : "?"); }
    else if (strcmp(op, "flood") == 0) {
      char text[4096];
      memset(text, 'x', sizeof text);
      for (size_t i = 99; i < sizeof text; i += 100) text[i] = '\\n';
      for (;;) put(1, text, sizeof text);
    } else if (strcmp(op, "wipe") == 0) {
      for (char **one = environ; *one != NULL; one++) memset(*one, 0, strlen(*one));
      environ = NULL;
    } else if (strcmp(op, "child") == 0 || strcmp(op, "orphan") == 0) {
      pid_t pid = fork();
      if (pid < 0) _exit(121);
      if (pid == 0) {
        if (strcmp(op, "orphan") == 0 && fork() != 0) _exit(0);
        live(word + 1);
        _exit(0);
      }
      if (strcmp(op, "orphan") == 0) waitpid(pid, NULL, 0);
      word = after_block(word);
    } else if (strcmp(op, "on-term") == 0) {
      struct sigaction action;
      memset(&action, 0, sizeof action);
      action.sa_handler = ask;
      sigaction(SIGTERM, &action, NULL);
      on_term = word + 1;
      word = after_block(word);
    } else {
      const char *with = *word != NULL ? *word++ : "";
      if (strcmp(op, "print") == 0) line(1, with);
      else if (strcmp(op, "warn") == 0) line(2, with);
      else if (strcmp(op, "partial") == 0) put(1, with, strlen(with));
      else if (strcmp(op, "env") == 0) line(1, getenv(with) != NULL ? getenv(with) : "(unset)");
      else if (strcmp(op, "ignore") == 0) signal(signal_of(with), SIG_IGN);
      else if (strcmp(op, "pause") == 0) wait_ms(atol(with));
      else if (strcmp(op, "await") == 0) while (access(with, F_OK) != 0) wait_ms(5);
      else if (strcmp(op, "exit") == 0) _exit(atoi(with));
      else if (strcmp(op, "crash") == 0) { signal(atoi(with), SIG_DFL); raise(atoi(with)); }
      else if (strcmp(op, "pidfile") == 0) {
        FILE *file = fopen(with, "w");
        if (file == NULL) _exit(122);
        fprintf(file, "%ld\\n", (long)getpid());
        fclose(file);
      } else if (strcmp(op, "hog") == 0) tell(op, atol(with), hold(atol(with), 1));
      else if (strcmp(op, "map") == 0) tell(op, atol(with), hold(atol(with), 0));
      else if (strcmp(op, "lock") == 0) tell(op, atol(with), hold(atol(with), 2));
      else if (strcmp(op, "grow") == 0) grow(atol(with), *word != NULL ? atol(*word++) : 0);
      else if (strcmp(op, "forks") == 0) forks(atol(with));
      else if (strcmp(op, "swarm") == 0) swarm(atol(with), *word != NULL ? atol(*word++) : 0);
      else if (strcmp(op, "opens") == 0) opens(atol(with));
      else if (strcmp(op, "write-direct") == 0) write_direct(with, *word != NULL ? atol(*word++) : 0);
      else if (strcmp(op, "burn") == 0) {
        while (used_ms() < atol(with)) {}
        tell(op, used_ms(), 0);
      } else if (strcmp(op, "bytes") == 0) {
        long size = atol(with);
        char text[4096];
        for (long at = 0; at < size;) {
          size_t count = 0;
          for (; count < sizeof text && at < size; count++, at++) text[count] = (char)(at % 251);
          put(1, text, count);
        }
      } else { line(2, op); _exit(124); }
    }
  }
}

int main(int argc, char **argv) {
  (void)argc;
  live(argv + 1);
  return 0;
}
`;
