/* Counts for the bench what it cannot count itself.
   tally lines WORKERS LINES LENGTH FILE...  what of flood.c's lines is in the files, whatever stands before them: prints how many
                                             are there whole, how many of these more than once, and how many are torn
   tally cpu PID...                          for each the processor time in ns that all its threads have used, 0 if it is gone */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>

static long workers, lines, length;
static unsigned char *seen;
static long whole, twice, torn;

static void see(const char *line, size_t size) {
  const char *at = memchr(line, '@', size);
  if (at == NULL) return;
  size_t rest = size - (size_t)(at - line);
  if (rest < (size_t)length - 1 || at[5] != ':' || at[16] != ':') {
    torn++;
    return;
  }
  long worker = atol(at + 1), number = atol(at + 6);
  for (long place = 17; place < length - 1; place++) {
    if (at[place] == 'a' + place % 26) continue;
    torn++;
    return;
  }
  if (worker < 0 || worker >= workers || number < 0 || number >= lines) {
    torn++;
    return;
  }
  unsigned char *one = &seen[worker * lines + number];
  if (*one) twice++;
  else whole++;
  *one = 1;
}

static int tally_lines(char **files) {
  seen = calloc((size_t)(workers * lines), 1);
  char *line = NULL;
  size_t room = 0;
  for (; *files != NULL; files++) {
    FILE *file = fopen(*files, "re");
    if (file == NULL) continue;
    for (ssize_t size; (size = getline(&line, &room, file)) > 0;) see(line, (size_t)size);
    fclose(file);
  }
  printf("%ld %ld %ld\n", whole, twice, torn);
  return 0;
}

static int tally_cpu(char **pids) {
  for (; *pids != NULL; pids++) {
    clockid_t clock;
    struct timespec used = {0, 0};
    if (clock_getcpuclockid((pid_t)atol(*pids), &clock) == 0) clock_gettime(clock, &used);
    printf("%" PRIu64 "\n", (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec);
  }
  return 0;
}

int main(int count, char **given) {
  if (count >= 2 && strcmp(given[1], "cpu") == 0) return tally_cpu(given + 2);
  if (count < 6 || strcmp(given[1], "lines") != 0) return 2;
  workers = atol(given[2]);
  lines = atol(given[3]);
  length = atol(given[4]);
  return tally_lines(given + 5);
}
