/* The least it costs to ask over a unix socket. Usage:
   ask serve SOCKET BYTES: answers each request with as many bytes, for ever.
   ask SOCKET PATH TIMES: asks so often over one connection and prints the ns that each took. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static char text[1 << 16];

static int place(const char *path, struct sockaddr_un *address) {
  memset(address, 0, sizeof *address);
  address->sun_family = AF_UNIX;
  if (strlen(path) >= sizeof address->sun_path) return -1;
  strcpy(address->sun_path, path);
  return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int write_all(int to, const char *from, size_t size) {
  for (size_t done = 0; done < size;) {
    ssize_t wrote = write(to, from + done, size - done);
    if (wrote <= 0) return -1;
    done += (size_t)wrote;
  }
  return 0;
}

/* A request is small and comes at once; who sends another kind of request is no client of this. */
static int serve(const char *path, size_t size) {
  struct sockaddr_un address;
  int listener = place(path, &address);
  if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 64) < 0) return 1;
  char *answer = malloc(size + 256);
  if (answer == NULL) return 1;
  int head = sprintf(answer, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %zu\r\n\r\n", size);
  memset(answer + head, ' ', size);
  int watched = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
  if (watched < 0 || epoll_ctl(watched, EPOLL_CTL_ADD, listener, &event) < 0) return 1;
  for (;;) {
    if (epoll_wait(watched, &event, 1, -1) != 1) continue;
    int from = event.data.fd;
    if (from == listener) {
      event.data.fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
      event.events = EPOLLIN;
      if (event.data.fd >= 0) epoll_ctl(watched, EPOLL_CTL_ADD, event.data.fd, &event);
    } else if (read(from, text, sizeof text) <= 0 || write_all(from, answer, (size_t)head + size) < 0) {
      close(from);
    }
  }
}

static long long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

/* Reads one answer, which says its length. */
static int take(int from) {
  size_t got = 0;
  char *end = NULL;
  while (end == NULL) {
    ssize_t more = read(from, text + got, sizeof text - 1 - got);
    if (more <= 0) return -1;
    got += (size_t)more;
    text[got] = 0;
    end = strstr(text, "\r\n\r\n");
  }
  const char *length = strcasestr(text, "content-length:");
  if (strncmp(text, "HTTP/1.1 200", 12) != 0 || length == NULL) return -1;
  long left = atol(length + 15) - (long)(text + got - (end + 4));
  while (left > 0) {
    ssize_t more = read(from, text, sizeof text);
    if (more <= 0) return -1;
    left -= more;
  }
  return 0;
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  if (strcmp(argv[1], "serve") == 0) return serve(argv[2], (size_t)atol(argv[3]));
  struct sockaddr_un address;
  int to = place(argv[1], &address);
  if (to < 0 || connect(to, (struct sockaddr *)&address, sizeof address) < 0) return 1;
  char request[512];
  int size = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nhost: localhost\r\n\r\n", argv[2]);
  for (int left = atoi(argv[3]); left > 0; left--) {
    long long from = now();
    if (write_all(to, request, (size_t)size) < 0 || take(to) < 0) return 1;
    printf("took %lld\n", now() - from);
  }
  return 0;
}
