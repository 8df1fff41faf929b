/**
 * A small program that does what its arguments say, one after the other:
 *
 *   print TEXT   warn TEXT   bytes N   env NAME   cwd   pid      write a line (N bytes of a pattern) to stdout or stderr
 *   partial TEXT                                                 write without a newline
 *   ignore SIGNAL   session   wipe   close                       TERM HUP INT · setsid · blank the environment · close 0 to 2
 *   child { … }   orphan { … }                                   fork · fork twice, so that init adopts the one that goes on
 *   on-term { … }                                                what `sleep` does when SIGTERM comes
 *   pidfile FILE   pause MS   sleep   hog MIB   flood   stop     flood and sleep never end
 *   exit CODE   crash SIGNAL-NUMBER
 */
export const CREATURE_SOURCE = `
#define _POSIX_C_SOURCE 200809L
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
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
    else if (strcmp(op, "close") == 0) { close(0); close(1); close(2); }
    else if (strcmp(op, "sleep") == 0) sleep_on(on_term);
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
      else if (strcmp(op, "exit") == 0) _exit(atoi(with));
      else if (strcmp(op, "crash") == 0) { signal(atoi(with), SIG_DFL); raise(atoi(with)); }
      else if (strcmp(op, "pidfile") == 0) {
        FILE *file = fopen(with, "w");
        if (file == NULL) _exit(122);
        fprintf(file, "%ld\\n", (long)getpid());
        fclose(file);
      } else if (strcmp(op, "hog") == 0) {
        size_t size = (size_t)atol(with) << 20;
        char *held = malloc(size);
        if (held == NULL) _exit(123);
        memset(held, 1, size);
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
