/* A worker that says when it began: appends {CLOCK_MONOTONIC ns, pid, id} to a file, then sleeps for ever.
   Usage: stamp FILE ID [CHILDREN]. The children only sleep. A record is 16 bytes, one write, so O_APPEND keeps
   records whole. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  if (argc != 3 && argc != 4) return 2;
  struct {
    uint64_t at;
    uint32_t pid, id;
  } record = {(uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec, (uint32_t)getpid(),
              (uint32_t)strtoul(argv[2], NULL, 10)};
  int file = open(argv[1], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0 || write(file, &record, sizeof record) != sizeof record) return 1;
  close(file);
  for (long left = argc == 4 ? strtol(argv[3], NULL, 10) : 0; left > 0; left--)
    if (fork() == 0) break;
  for (;;) pause();
}
