// Writes numbered lines and checks them again, for the tests of the log pump.
//   lines write FIRST COUNT LENGTH AT_ONCE [MICROSECONDS]  to stdout: lines of LENGTH bytes, AT_ONCE bytes by one write (0: line by
//                                           line), a pause after each write
//   lines check FIRST < files in order      "OK next" or "BROKEN at line: what was expected, what is there"
// A line is its number in ten digits, a space, letters, and the line end.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void put(const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t written = write(1, bytes, length);
    if (written < 0) exit(3);
    bytes += written;
    length -= (size_t)written;
  }
}

static int write_lines(long first, long count, size_t length, size_t at_once, long pause) {
  char *line = malloc(length);
  char *batch = malloc(at_once + length);
  size_t gathered = 0;
  if (length < 12 || !line || !batch) return 2;
  for (size_t at = 0; at < length; at++) line[at] = (char)('a' + at % 26);
  line[length - 1] = '\n';
  for (long number = first; number < first + count; number++) {
    char digits[16];
    snprintf(digits, sizeof digits, "%010ld ", number);
    memcpy(line, digits, 11);
    if (at_once == 0) {
      put(line, length);
      if (pause > 0) usleep((useconds_t)pause);
      continue;
    }
    memcpy(batch + gathered, line, length);
    gathered += length;
    while (gathered >= at_once) {
      put(batch, at_once);
      if (pause > 0) usleep((useconds_t)pause);
      gathered -= at_once;
      memmove(batch, batch + at_once, gathered);
    }
  }
  put(batch, gathered);
  return 0;
}

static int check_lines(long expected) {
  char *line = NULL;
  size_t room = 0;
  long at = 0;
  ssize_t length;
  while ((length = getline(&line, &room, stdin)) > 0) {
    at++;
    if (length < 12 || line[length - 1] != '\n' || line[10] != ' ' || atol(line) != expected) {
      printf("BROKEN at line %ld: %ld expected, %.40s\n", at, expected, line);
      return 1;
    }
    for (ssize_t i = 11; i < length - 1; i++) {
      if (line[i] != (char)('a' + i % 26)) {
        printf("BROKEN inside of %ld\n", expected);
        return 1;
      }
    }
    expected++;
  }
  printf("OK %ld\n", expected);
  return 0;
}

int main(int count, char **given) {
  if (count >= 6 && strcmp(given[1], "write") == 0) {
    return write_lines(atol(given[2]), atol(given[3]), (size_t)atol(given[4]), (size_t)atol(given[5]),
                       count > 6 ? atol(given[6]) : 0);
  }
  if (count == 3 && strcmp(given[1], "check") == 0) return check_lines(atol(given[2]));
  return 2;
}
