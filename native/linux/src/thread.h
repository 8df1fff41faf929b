#pragma once

// Starts a thread that takes no signals: they belong to the threads that the host application knows.

#include <pthread.h>
#include <signal.h>

namespace hsu {

inline int start_thread(pthread_t& thread, const char* name, void* (*entry)(void*), void* argument) {
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setstacksize(&attributes, 256 * 1024);
  int error = ::pthread_create(&thread, &attributes, entry, argument);
  ::pthread_attr_destroy(&attributes);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
#ifdef __APPLE__
  static_cast<void>(name);  // there only a thread itself can say how it is called
#else
  if (!error) ::pthread_setname_np(thread, name);
#endif
  return error;
}

}  // namespace hsu
