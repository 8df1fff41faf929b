/* A worker that writes numbered lines, one write(2) each, and says when.
   Usage: flood STAMPS ID GATE LINES LENGTH
   With a GATE, a FIFO: appends {CLOCK_MONOTONIC ns, pid, id} to STAMPS, waits until the FIFO is opened for writing, writes
   its lines, appends a second record, then sleeps for ever.
   With - as GATE: writes its lines and ends at once. Its next instance finds STAMPS.ID and only sleeps.
   A line is "@IIII:NNNNNNNNNN:", letters, and its end. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void stamp(const char *path, uint32_t id) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  struct {
    uint64_t at;
    uint32_t pid, id;
  } record = {(uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec, (uint32_t)getpid(), id};
  int file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0 || write(file, &record, sizeof record) != sizeof record) _exit(1);
  close(file);
}

static void put(const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t written = write(1, bytes, length);
    if (written < 0) _exit(3);
    bytes += written;
    length -= (size_t)written;
  }
}

static void count_up(char *last) {
  for (; *last == '9'; last--) *last = '0';
  *last += 1;
}

static void write_lines(uint32_t id, long lines, size_t length) {
  char *line = malloc(length + 1);
  if (!line) _exit(1);
  for (size_t at = 0; at < length; at++) line[at] = (char)('a' + at % 26);
  memcpy(line, "@0000:0000000000:", 17);
  char digits[11];
  snprintf(digits, sizeof digits, "%04u", id % 10000);
  memcpy(line + 1, digits, 4);
  line[length - 1] = '\n';
  for (long left = lines; left > 0; left--) {
    put(line, length);
    count_up(line + 15);
  }
}

int main(int count, char **given) {
  if (count != 6) return 2;
  uint32_t id = (uint32_t)strtoul(given[2], NULL, 10);
  long lines = atol(given[4]);
  size_t length = (size_t)atol(given[5]);
  if (length < 20) return 2;
  if (strcmp(given[3], "-") != 0) {
    stamp(given[1], id);
    if (open(given[3], O_RDONLY | O_CLOEXEC) < 0) return 1;
    write_lines(id, lines, length);
    stamp(given[1], id);
  } else {
    char mark[4096];
    snprintf(mark, sizeof mark, "%s.%u", given[1], id);
    if (open(mark, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) >= 0) {
      write_lines(id, lines, length);
      return 0;
    }
  }
  for (;;) pause();
}
