/* The plain way to write the output of programs to files: a pipe for each, epoll, read, write.
   Usage: logloop plain|stamped CONFIG, whose lines are "LOG PROGRAM ARGUMENT..."; stamped puts the time before each line. Does not
   rotate, counts nothing, starts nothing again. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER = 64 * 1024, WORDS = 64, STAMP = 26 };

struct channel {
  int pipe, log, in_line;
};

static char buffer[BUFFER];
static char *stamped;

static void put(int file, const char *bytes, size_t size) {
  while (size > 0) {
    ssize_t written = write(file, bytes, size);
    if (written < 0) exit(1);
    bytes += written;
    size -= (size_t)written;
  }
}

static void put_stamped(struct channel *channel, size_t size) {
  struct timespec now;
  struct tm parts;
  char stamp[64];
  clock_gettime(CLOCK_REALTIME, &now);
  localtime_r(&now.tv_sec, &parts);
  size_t width = strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &parts);
  width += (size_t)snprintf(stamp + width, sizeof stamp - width, ".%03ld ", now.tv_nsec / 1000000);
  const char *at = buffer, *end = buffer + size;
  char *to = stamped;
  while (at < end) {
    if (!channel->in_line) to = mempcpy(to, stamp, width);
    const char *feed = memchr(at, '\n', (size_t)(end - at));
    const char *next = feed == NULL ? end : feed + 1;
    to = mempcpy(to, at, (size_t)(next - at));
    channel->in_line = feed == NULL;
    at = next;
  }
  put(channel->log, stamped, (size_t)(to - stamped));
}

static void start(char *line, int epoll) {
  char *words[WORDS + 1];
  int count = 0;
  for (char *word = strtok(line, " \n"); word != NULL && count < WORDS; word = strtok(NULL, " \n")) words[count++] = word;
  if (count < 2) return;
  words[count] = NULL;
  int ends[2];
  struct channel *channel = calloc(1, sizeof *channel);
  if (channel == NULL || pipe2(ends, O_CLOEXEC) != 0) exit(1);
  channel->log = open(words[0], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  channel->pipe = ends[0];
  if (channel->log < 0) exit(1);
  pid_t pid = vfork();
  if (pid == 0) {
    dup2(ends[1], 1);
    execv(words[1], words + 1);
    _exit(127);
  }
  if (pid < 0) exit(1);
  close(ends[1]);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = channel};
  epoll_ctl(epoll, EPOLL_CTL_ADD, channel->pipe, &event);
}

int main(int count, char **given) {
  if (count != 3) return 2;
  int stamps = strcmp(given[1], "stamped") == 0;
  // Each byte may be a line.
  stamped = malloc((size_t)BUFFER * STAMP);
  FILE *config = fopen(given[2], "re");
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  if (config == NULL || epoll < 0 || stamped == NULL) return 1;
  char *line = NULL;
  size_t room = 0;
  while (getline(&line, &room, config) > 0) start(line, epoll);
  struct epoll_event ready[64];
  for (;;) {
    int events = epoll_wait(epoll, ready, 64, -1);
    for (int at = 0; at < events; at++) {
      struct channel *channel = ready[at].data.ptr;
      ssize_t size = read(channel->pipe, buffer, BUFFER);
      if (size > 0 && stamps) put_stamped(channel, (size_t)size);
      else if (size > 0) put(channel->log, buffer, (size_t)size);
      else if (size == 0) close(channel->pipe);
    }
  }
}
