// refuse <call>… -- <program> <argument>…: runs the program under a filter that answers ENOSYS to the system calls
// named (close_range, clone3, pidfd_open) and EPERM to unshare, as older kernels and container engines do.
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
  const char* name;
  int number;
  int error;
} calls[] = {
    {"clone3", SYS_clone3, ENOSYS},
    {"close_range", SYS_close_range, ENOSYS},
    {"pidfd_open", SYS_pidfd_open, ENOSYS},
    {"unshare", SYS_unshare, EPERM},
};

int main(int argc, char** argv) {
  struct sock_filter filter[64] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0)};
  unsigned short length = 1;
  int at = 1;
  for (; at < argc && strcmp(argv[at], "--") != 0; ++at) {
    for (unsigned call = 0; call < sizeof calls / sizeof *calls; ++call) {
      if (strcmp(argv[at], calls[call].name) != 0) continue;
      struct sock_filter compare = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)calls[call].number, 0, 1);
      struct sock_filter refuse = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)calls[call].error);
      filter[length++] = compare;
      filter[length++] = refuse;
    }
  }
  struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  filter[length++] = allow;
  struct sock_fprog program = {length, filter};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
    perror("seccomp");
    return 1;
  }
  execv(argv[at + 1], argv + at + 1);
  perror(argv[at + 1]);
  return 1;
}
