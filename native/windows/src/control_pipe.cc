#include "control_pipe.h"

#include <aclapi.h>
#include <errno.h>
#include <sddl.h>

#include <utility>

#include "errors.h"
#include "access.h"
#include "text.h"

namespace hsu {

namespace {

constexpr DWORD kBuffer = 64 * 1024;
constexpr DWORD kRetry = 100;

ControlPipe::Connection connection_of(Handle&& handle) {
  ULONG pid = 0;
  std::string user;
  if (::GetNamedPipeClientProcessId(handle.get(), &pid)) {
    Handle process(::OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid));
    if (process) user = narrow(user_of_process(process.get()));
  }
  return {std::move(handle), pid, std::move(user)};
}

}  // namespace

Result<std::shared_ptr<ControlPipe>> ControlPipe::open(const std::string& name, std::function<void()> wake) {
  std::shared_ptr<ControlPipe> pipe(new ControlPipe(wide(name), std::move(wake)));
  // The flag for the first instance decides; Wine does not know it.
  if (::WaitNamedPipeW(pipe->name_.c_str(), 1) || ::GetLastError() == ERROR_SEM_TIMEOUT) return SystemError{"CreateNamedPipe", EEXIST};
  pipe->instance_ = pipe->make_instance(true);
  if (!pipe->instance_) {
    DWORD error = ::GetLastError();
    // That is how the system says that somebody has a pipe of this name.
    return SystemError{"CreateNamedPipe", error == ERROR_ACCESS_DENIED || error == ERROR_PIPE_BUSY ? EEXIST : errno_of(error)};
  }
  pipe->stop_ = Handle(::CreateEventW(nullptr, TRUE, FALSE, nullptr));
  pipe->connected_ = Handle(::CreateEventW(nullptr, TRUE, FALSE, nullptr));
  if (!pipe->stop_ || !pipe->connected_) return SystemError{"CreateEvent", last_errno()};
  pipe->thread_ = Handle(::CreateThread(nullptr, 0, &ControlPipe::run, pipe.get(), 0, nullptr));
  if (!pipe->thread_) return SystemError{"CreateThread", last_errno()};
  return pipe;
}

ControlPipe::~ControlPipe() { close(); }

void ControlPipe::close() {
  if (!thread_) return;
  ::SetEvent(stop_.get());
  ::WaitForSingleObject(thread_.get(), INFINITE);
  thread_.reset();
  instance_.reset();
  take();
}

std::deque<ControlPipe::Connection> ControlPipe::take() {
  std::lock_guard lock(mutex_);
  return std::exchange(waiting_, {});
}

std::string ControlPipe::security() {
  if (!instance_) return {};
  PSECURITY_DESCRIPTOR descriptor = nullptr;
  if (::GetSecurityInfo(instance_.get(), SE_KERNEL_OBJECT, DACL_SECURITY_INFORMATION, nullptr, nullptr, nullptr, nullptr,
                        &descriptor) != ERROR_SUCCESS)
    return {};
  LPWSTR text = nullptr;
  std::string result;
  if (::ConvertSecurityDescriptorToStringSecurityDescriptorW(descriptor, SDDL_REVISION_1, DACL_SECURITY_INFORMATION, &text, nullptr)) {
    result = narrow(text);
    ::LocalFree(text);
  }
  ::LocalFree(descriptor);
  return result;
}

Handle ControlPipe::make_instance(bool first) {
  PSECURITY_DESCRIPTOR descriptor = descriptor_of(owners_only());
  if (!descriptor) return {};
  SECURITY_ATTRIBUTES security = {sizeof security, descriptor, FALSE};
  DWORD open = PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | (first ? FILE_FLAG_FIRST_PIPE_INSTANCE : 0);
  constexpr DWORD kMode = PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS;
  Handle instance(::CreateNamedPipeW(name_.c_str(), open, kMode, PIPE_UNLIMITED_INSTANCES, kBuffer, kBuffer, 0, &security));
  DWORD error = ::GetLastError();
  ::LocalFree(descriptor);
  ::SetLastError(error);
  return instance;
}

DWORD WINAPI ControlPipe::run(void* self) {
  static_cast<ControlPipe*>(self)->serve();
  return 0;
}

// true: a client is there; false: it is to stop.
bool ControlPipe::await(HANDLE instance) {
  OVERLAPPED connecting = {};
  connecting.hEvent = reinterpret_cast<HANDLE>(reinterpret_cast<uintptr_t>(connected_.get()) | 1);
  ::ResetEvent(connected_.get());
  if (::ConnectNamedPipe(instance, &connecting)) return true;
  DWORD error = ::GetLastError();
  if (error == ERROR_PIPE_CONNECTED) return true;
  // One that came and went already: whoever takes it sees its end.
  if (error != ERROR_IO_PENDING) return error == ERROR_NO_DATA;
  HANDLE both[] = {stop_.get(), connected_.get()};
  DWORD length = 0;
  if (::WaitForMultipleObjects(2, both, FALSE, INFINITE) == WAIT_OBJECT_0) {
    ::CancelIoEx(instance, &connecting);
    ::GetOverlappedResult(instance, &connecting, &length, TRUE);
    return false;
  }
  return true;
}

void ControlPipe::serve() {
  for (;;) {
    if (!instance_) {
      instance_ = make_instance(false);
      // Nothing is free to make one of: later.
      if (!instance_ && ::WaitForSingleObject(stop_.get(), kRetry) == WAIT_OBJECT_0) return;
      if (!instance_) continue;
    }
    if (!await(instance_.get())) {
      if (::WaitForSingleObject(stop_.get(), 0) == WAIT_OBJECT_0) return;
      instance_.reset();
      continue;
    }
    Handle client = std::move(instance_);
    // Before the one that is there is given away: the name must not be free for a moment.
    instance_ = make_instance(false);
    Connection connection = connection_of(std::move(client));
    {
      std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(connection));
    }
    wake_();
  }
}

}  // namespace hsu
