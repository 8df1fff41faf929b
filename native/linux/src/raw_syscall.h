#pragma once

// System calls that touch neither errno nor any other thread-local storage: the child shares ours until it execs.
// Results are the kernel's own: negative errno on failure.

#include <sys/syscall.h>

namespace hsu {

#if defined(__x86_64__)

__attribute__((always_inline)) inline long raw(long nr, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0) {
  long result = nr;
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  asm volatile("syscall" : "+a"(result) : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8) : "rcx", "r11", "memory");
  return result;
}

// A clone whose child begins in `entry(argument)` on the stack given in the clone arguments. Returns in the parent only.
inline long raw_clone(long nr, long a, long b, long c, long d, long e, void (*entry)(void*), void* argument) {
  long result = nr;
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register auto r12 asm("r12") = entry;
  register auto r13 asm("r13") = argument;
  asm volatile(
      "syscall\n\t"
      "test %%rax, %%rax\n\t"
      "jnz 1f\n\t"
      "xor %%ebp, %%ebp\n\t"
      "mov %%r13, %%rdi\n\t"
      "call *%%r12\n\t"
      "ud2\n"
      "1:"
      : "+a"(result)
      : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r12), "r"(r13)
      : "rcx", "r11", "memory");
  return result;
}

// Where clone() expects its fourth and fifth argument differs by architecture; both are unused here.
#elif defined(__aarch64__)

__attribute__((always_inline)) inline long raw(long nr, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0) {
  register long x8 asm("x8") = nr;
  register long x0 asm("x0") = a;
  register long x1 asm("x1") = b;
  register long x2 asm("x2") = c;
  register long x3 asm("x3") = d;
  register long x4 asm("x4") = e;
  asm volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
  return x0;
}

inline long raw_clone(long nr, long a, long b, long c, long d, long e, void (*entry)(void*), void* argument) {
  register long x8 asm("x8") = nr;
  register long x0 asm("x0") = a;
  register long x1 asm("x1") = b;
  register long x2 asm("x2") = c;
  register long x3 asm("x3") = d;
  register long x4 asm("x4") = e;
  register auto x19 asm("x19") = entry;
  register auto x20 asm("x20") = argument;
  asm volatile(
      "svc #0\n\t"
      "cbnz x0, 1f\n\t"
      "mov x29, xzr\n\t"
      "mov x30, xzr\n\t"
      "mov x0, x20\n\t"
      "blr x19\n\t"
      "brk #1\n"
      "1:"
      : "+r"(x0)
      : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x19), "r"(x20)
      : "memory");
  return x0;
}

#else
#error "native/linux knows x86_64 and aarch64"
#endif

}  // namespace hsu
