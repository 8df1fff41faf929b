#pragma once

// A named pipe that a master is asked by: this machine only, its owner, the system and administrators only, and nobody else's pipe by
// that name. One thread takes connections in; each is handed over and belongs to who takes it.

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "handle.h"
#include "hsu/result.h"

namespace hsu {

class ControlPipe {
 public:
  struct Connection {
    Handle handle;
    DWORD pid;          // of the client; 0: not known
    std::string user;   // its SID; empty: not known
  };

  // `name` with \\.\pipe\ before it. Errors are those of <errno.h>: EEXIST where somebody has it.
  static Result<std::shared_ptr<ControlPipe>> open(const std::string& name, std::function<void()> wake);
  ~ControlPipe();

  std::deque<Connection> take();
  std::string security();  // of the pipe, as the system has it; empty: not to be read
  void close();            // ends the thread; connections that were taken live on

 private:
  ControlPipe(std::wstring name, std::function<void()> wake) : name_(std::move(name)), wake_(std::move(wake)) {}
  Handle make_instance(bool first);
  static DWORD WINAPI run(void* self);
  void serve();
  bool await(HANDLE instance);

  const std::wstring name_;
  std::function<void()> wake_;
  Handle thread_, stop_, connected_, instance_;
  std::mutex mutex_;
  std::deque<Connection> waiting_;
};

}  // namespace hsu
