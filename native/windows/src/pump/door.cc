#include "door.h"

#include <atomic>
#include <mutex>
#include <sstream>
#include <unordered_map>

#include "../identity.h"
#include "../text.h"

namespace hsu::pump {

namespace {

constexpr DWORD kPipeBuffer = 64 * 1024;
constexpr const char* kHeading = "hsu-channel-1";
constexpr DWORD kShare = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;

// The channels that this process has made and whose write end nobody was given yet.
struct Made {
  std::string pipe;
  Handle reader, writer;
};

std::mutex mutex;
std::unordered_map<std::string, Made>& made() {
  static auto* all = new std::unordered_map<std::string, Made>;
  return *all;
}

SystemError failed(const char* call) { return {call, static_cast<int>(::GetLastError())}; }

Handle copy_of(HANDLE handle, bool inheritable) {
  HANDLE copy = nullptr;
  HANDLE self = ::GetCurrentProcess();
  ::DuplicateHandle(self, handle, self, &copy, 0, inheritable, DUPLICATE_SAME_ACCESS);
  return Handle(copy);
}

std::string new_name() {
  static std::atomic<unsigned> count{0};
  LARGE_INTEGER now;
  ::QueryPerformanceCounter(&now);
  std::ostringstream name;
  name << "hsu-channel-" << ::GetCurrentProcessId() << '-' << std::hex << now.QuadPart << '-' << count++;
  return name.str();
}

std::string text_of(const ChannelRecord& record) {
  std::ostringstream text;
  text << kHeading << ' ' << record.pipe << ' ' << record.pid << ' ' << record.start_time << ' ' << record.handle << '\n';
  return text.str();
}

// In one call: a kill leaves the one or the other.
DWORD write_record(HANDLE file, const ChannelRecord& record) {
  std::string text = text_of(record);
  OVERLAPPED at = {};
  DWORD written = 0;
  return ::WriteFile(file, text.data(), static_cast<DWORD>(text.size()), &written, &at) ? 0 : ::GetLastError();
}

DWORD read_record(const std::string& path, ChannelRecord& record) {
  Handle file(::CreateFileW(file_path(path).c_str(), GENERIC_READ, kShare, nullptr, OPEN_EXISTING, 0, nullptr));
  if (!file) return ::GetLastError();
  char bytes[512];
  DWORD length = 0;
  if (!::ReadFile(file.get(), bytes, sizeof bytes, &length, nullptr)) return ::GetLastError();
  std::istringstream text(std::string(bytes, length));
  std::string heading;
  text >> heading >> record.pipe >> record.pid >> record.start_time >> record.handle;
  return text && heading == kHeading ? 0 : ERROR_INVALID_DATA;
}

// The process may have closed it and have another by that number.
bool is_pipe(HANDLE handle) {
  DWORD flags = 0;
  return ::GetFileType(handle) == FILE_TYPE_PIPE && ::GetNamedPipeInfo(handle, &flags, nullptr, nullptr, nullptr) &&
         (flags & PIPE_SERVER_END);
}

}  // namespace

Result<Handle> make_channel(const std::string& path) {
  Handle file(::CreateFileW(file_path(path).c_str(), GENERIC_WRITE, kShare, nullptr, CREATE_NEW, 0, nullptr));
  if (!file) return failed("CreateFile");
  ChannelRecord record;
  record.pipe = new_name();
  std::wstring name = L"\\\\.\\pipe\\" + wide(record.pipe);
  constexpr DWORD kOpen = PIPE_ACCESS_INBOUND | FILE_FLAG_OVERLAPPED | FILE_FLAG_FIRST_PIPE_INSTANCE;
  constexpr DWORD kMode = PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS;
  Handle reader(::CreateNamedPipeW(name.c_str(), kOpen, kMode, 1, 0, kPipeBuffer, 0, nullptr));
  if (!reader) return failed("CreateNamedPipe");
  // At once: the one instance that there is belongs to us, and nobody else can come.
  Handle writer(::CreateFileW(name.c_str(), GENERIC_WRITE, 0, nullptr, OPEN_EXISTING, SECURITY_SQOS_PRESENT | SECURITY_ANONYMOUS, nullptr));
  if (!writer) return failed("CreateFile(pipe)");
  DWORD error = write_record(file.get(), record);
  if (error) return SystemError{"WriteFile", static_cast<int>(error)};
  Handle kept = copy_of(reader.get(), false);
  if (!kept) return failed("DuplicateHandle");
  std::lock_guard lock(mutex);
  made()[path] = {record.pipe, std::move(kept), std::move(writer)};
  return reader;
}

Result<Handle> find_channel(const std::string& path) {
  ChannelRecord record;
  DWORD error = read_record(path, record);
  if (error) return SystemError{"ReadFile", static_cast<int>(error)};
  if (record.pid == 0) return Handle();
  auto process = open_process(record.pid, record.start_time, PROCESS_DUP_HANDLE);
  if (!process) {
    if (process.error().error == ERROR_ACCESS_DENIED) return process.error();
    return Handle();
  }
  HANDLE reader = nullptr;
  auto theirs = reinterpret_cast<HANDLE>(static_cast<uintptr_t>(record.handle));
  if (!::DuplicateHandle(process->get(), theirs, ::GetCurrentProcess(), &reader, 0, FALSE, DUPLICATE_SAME_ACCESS)) return Handle();
  Handle found(reader);
  return is_pipe(found.get()) ? std::move(found) : Handle();
}

HANDLE open_writer(const std::string& path, DWORD& error) {
  std::lock_guard lock(mutex);
  auto found = made().find(path);
  if (found == made().end() || !found->second.writer) {
    error = ERROR_FILE_NOT_FOUND;
    return nullptr;
  }
  Handle copy = copy_of(found->second.writer.get(), true);
  error = copy ? 0 : ::GetLastError();
  return copy.release();
}

DWORD park_reader(const std::string& path, HANDLE process, DWORD pid, uint64_t start_time) {
  std::lock_guard lock(mutex);
  auto found = made().find(path);
  if (found == made().end()) return ERROR_FILE_NOT_FOUND;
  HANDLE parked = nullptr;
  if (!::DuplicateHandle(::GetCurrentProcess(), found->second.reader.get(), process, &parked, 0, FALSE, DUPLICATE_SAME_ACCESS))
    return ::GetLastError();
  Handle file(::CreateFileW(file_path(path).c_str(), GENERIC_WRITE, kShare, nullptr, OPEN_EXISTING, 0, nullptr));
  if (!file) return ::GetLastError();
  ChannelRecord record = {found->second.pipe, pid, start_time, reinterpret_cast<uintptr_t>(parked)};
  DWORD error = write_record(file.get(), record);
  if (!error) made().erase(found);
  return error;
}

void drop_writer(const std::string& path) {
  std::lock_guard lock(mutex);
  made().erase(path);
}

void forget_channel(const std::string& path, bool remove) {
  drop_writer(path);
  if (remove) ::DeleteFileW(file_path(path).c_str());
}

size_t held_by(HANDLE reader) {
  DWORD available = 0;
  return ::PeekNamedPipe(reader, nullptr, 0, nullptr, &available, nullptr) ? available : 0;
}

}  // namespace hsu::pump
