/* The least it costs to know what processes use: reads /proc/<pid>/stat of each once a second.
   Usage: reader PIDS SAMPLES. PIDS is a file with a pid in each line; after each sample a byte is added to SAMPLES. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  FILE *file = fopen(argv[1], "re");
  if (file == NULL) return 1;
  long *pids = NULL;
  size_t count = 0;
  for (long pid; fscanf(file, "%ld", &pid) == 1; count++) {
    if ((count & (count - 1)) == 0) pids = realloc(pids, (count ? count * 2 : 1) * sizeof *pids);
    if (pids == NULL) return 1;
    pids[count] = pid;
  }
  fclose(file);
  int samples = open(argv[2], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  struct timespec next;
  clock_gettime(CLOCK_MONOTONIC, &next);
  for (;;) {
    for (size_t i = 0; i < count; i++) {
      char path[32], text[4096];
      snprintf(path, sizeof path, "/proc/%ld/stat", pids[i]);
      int stat = open(path, O_RDONLY | O_CLOEXEC);
      if (stat < 0 || read(stat, text, sizeof text) <= 0) return 1;
      close(stat);
    }
    if (write(samples, ".", 1) != 1) return 1;
    next.tv_sec++;
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL) != 0) continue;
  }
}
