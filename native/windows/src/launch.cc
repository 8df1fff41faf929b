#include "launch.h"

#include <atomic>
#include <memory>

#include "pump/door.h"
#include "file_time.h"

namespace hsu {

namespace {

constexpr DWORD kPipeBuffer = 64 * 1024;

// The attribute list of a process to be made. What it points to must outlive it.
class Attributes {
 public:
  explicit Attributes(DWORD count) {
    SIZE_T size = 0;
    ::InitializeProcThreadAttributeList(nullptr, count, 0, &size);
    memory_ = std::make_unique<char[]>(size);
    ready_ = ::InitializeProcThreadAttributeList(list(), count, 0, &size);
  }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  ~Attributes() {
    if (ready_) ::DeleteProcThreadAttributeList(list());
  }

  bool set(DWORD_PTR attribute, std::vector<HANDLE>& handles) {
    return ready_ && ::UpdateProcThreadAttribute(list(), 0, attribute, handles.data(), handles.size() * sizeof(HANDLE),
                                                 nullptr, nullptr);
  }
  LPPROC_THREAD_ATTRIBUTE_LIST list() { return reinterpret_cast<LPPROC_THREAD_ATTRIBUTE_LIST>(memory_.get()); }

 private:
  std::unique_ptr<char[]> memory_;
  bool ready_ = false;
};

// PROC_THREAD_ATTRIBUTE_JOB_LIST; older headers lack it.
constexpr DWORD_PTR kJobList = 13 | 0x00020000;

SECURITY_ATTRIBUTES inheritable() { return {sizeof(SECURITY_ATTRIBUTES), nullptr, TRUE}; }

// Our end can be read without waiting, theirs is an ordinary one.
DWORD make_pipe(Handle& ours, Handle& theirs) {
  static std::atomic<unsigned> made{0};
  std::wstring name = L"\\\\.\\pipe\\hsu-output-" + std::to_wstring(::GetCurrentProcessId()) + L"-" +
                      std::to_wstring(::GetTickCount64()) + L"-" + std::to_wstring(made++);
  ours = Handle(::CreateNamedPipeW(name.c_str(), PIPE_ACCESS_INBOUND | FILE_FLAG_OVERLAPPED | FILE_FLAG_FIRST_PIPE_INSTANCE,
                                   PIPE_TYPE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS, 1, 0, kPipeBuffer, 0, nullptr));
  if (!ours) return ::GetLastError();
  SECURITY_ATTRIBUTES shared = inheritable();
  theirs = Handle(::CreateFileW(name.c_str(), GENERIC_WRITE, 0, &shared, OPEN_EXISTING, 0, nullptr));
  return theirs ? 0 : ::GetLastError();
}

DWORD open_null(DWORD access, Handle& handle) {
  SECURITY_ATTRIBUTES shared = inheritable();
  handle = Handle(
      ::CreateFileW(L"NUL", access, FILE_SHARE_READ | FILE_SHARE_WRITE, &shared, OPEN_EXISTING, 0, nullptr));
  return handle ? 0 : ::GetLastError();
}

DWORD inherit(DWORD which, Handle& handle) {
  HANDLE own = ::GetStdHandle(which), copy = nullptr;
  if (own == nullptr || own == INVALID_HANDLE_VALUE) return open_null(GENERIC_WRITE, handle);
  if (!::DuplicateHandle(::GetCurrentProcess(), own, ::GetCurrentProcess(), &copy, 0, TRUE, DUPLICATE_SAME_ACCESS))
    return ::GetLastError();
  handle = Handle(copy);
  return 0;
}

struct Streams {
  Handle in, out, err;
};

StepFailure open_stream(Output kind, const std::string& channel, DWORD which, Handle& ours, Handle& theirs) {
  DWORD error = 0;
  switch (kind) {
    case Output::capture:
      error = make_pipe(ours, theirs);
      break;
    case Output::channel:
      theirs = Handle(pump::open_writer(channel, error));
      if (!theirs) return {Step::channel, error};
      return {};
    case Output::inherit:
      error = inherit(which, theirs);
      break;
    default:
      error = open_null(GENERIC_WRITE, theirs);
  }
  return error ? StepFailure{Step::stdio, error} : StepFailure{};
}

StepFailure open_streams(const LaunchOptions& options, Launched& launched, Streams& streams) {
  if (DWORD error = open_null(GENERIC_READ, streams.in)) return {Step::stdio, error};
  if (auto failed = open_stream(options.out, options.out_channel, STD_OUTPUT_HANDLE, launched.out, streams.out))
    return failed;
  if (options.err == Output::same) return {};
  return open_stream(options.err, options.err_channel, STD_ERROR_HANDLE, launched.err, streams.err);
}

StepFailure create(LaunchOptions& options, Streams& streams, Launched& launched) {
  HANDLE err = streams.err ? streams.err.get() : streams.out.get();
  std::vector<HANDLE> inherited = {streams.in.get(), streams.out.get()};
  if (streams.err) inherited.push_back(err);
  Attributes attributes(2);
  if (!attributes.set(PROC_THREAD_ATTRIBUTE_HANDLE_LIST, inherited)) return {Step::attributes, ::GetLastError()};
  if (!options.jobs.empty() && !attributes.set(kJobList, options.jobs)) return {Step::attributes, ::GetLastError()};

  STARTUPINFOEXW startup = {};
  startup.StartupInfo.cb = sizeof startup;
  startup.StartupInfo.dwFlags = STARTF_USESTDHANDLES | STARTF_USESHOWWINDOW;
  startup.StartupInfo.wShowWindow = SW_HIDE;
  startup.StartupInfo.hStdInput = streams.in.get();
  startup.StartupInfo.hStdOutput = streams.out.get();
  startup.StartupInfo.hStdError = err;
  startup.lpAttributeList = attributes.list();
  PROCESS_INFORMATION made = {};
  DWORD flags = CREATE_SUSPENDED | CREATE_UNICODE_ENVIRONMENT | EXTENDED_STARTUPINFO_PRESENT | options.console;
  // The system writes into the command line.
  if (!::CreateProcessW(options.application.c_str(), options.command_line.data(), nullptr, nullptr, TRUE, flags,
                        options.environment.data(), options.directory.empty() ? nullptr : options.directory.c_str(),
                        &startup.StartupInfo, &made))
    return {Step::create, ::GetLastError()};
  launched.process = Handle(made.hProcess);
  launched.thread = Handle(made.hThread);
  launched.pid = made.dwProcessId;
  return {};
}

}  // namespace

StepFailure launch(LaunchOptions& options, Launched& launched) {
  Streams streams;
  if (auto failed = open_streams(options, launched, streams)) return failed;
  if (auto failed = create(options, streams, launched)) return failed;
  FILETIME created = {}, exited, kernel, user;
  ::GetProcessTimes(launched.process.get(), &created, &exited, &kernel, &user);
  launched.start_time = start_time_of(ticks_of(created));
  DWORD error = 0;
  auto park = [&](Output kind, const std::string& channel) {
    if (kind == Output::channel && !error)
      error = pump::park_reader(channel, launched.process.get(), launched.pid, launched.start_time);
  };
  park(options.out, options.out_channel);
  park(options.err, options.err_channel);
  return error ? StepFailure{Step::park, error} : StepFailure{};
}

}  // namespace hsu
