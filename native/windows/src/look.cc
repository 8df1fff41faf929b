#include "look.h"

#include <sddl.h>

#include <algorithm>

#include "identity.h"
#include "ntdll.h"

namespace hsu {

namespace {

constexpr ULONG kBasicInformation = 0;
constexpr ULONG kCommandLineInformation = 60;
// No environment is larger than this by the system’s own rule (32767 characters); programs that go on without it exist.
constexpr size_t kMostEnvironment = 1024 * 1024;

// The part of RTL_USER_PROCESS_PARAMETERS that is the same since Windows Vista.
struct Parameters {
  ULONG maximum_length, length, flags, debug_flags;
  HANDLE console;
  ULONG console_flags;
  HANDLE in, out, err;
  UNICODE_STRING directory;
  HANDLE directory_handle;
  UNICODE_STRING dll_path, image, command_line;
  PVOID environment;
};

bool read(HANDLE process, const void* from, void* to, size_t size) {
  SIZE_T done = 0;
  return ::ReadProcessMemory(process, from, to, size, &done) && done == size;
}

// Where the process itself keeps what it was given. It may be any that may write there: nothing of it is trusted to be whole.
class Block {
 public:
  explicit Block(HANDLE process) : process_(process) {
    PROCESS_BASIC_INFORMATION basic = {};
    const auto& nt = ntdll();
    if (!nt.query_process) {
      error_ = ERROR_PROC_NOT_FOUND;
      return;
    }
    NTSTATUS status = nt.query_process(process, kBasicInformation, &basic, sizeof basic, nullptr);
    if (status < 0) {
      error_ = nt.error_of(status);
      return;
    }
    // PEB: four bytes of flags, two pointers, then the loader’s data and this one.
    auto place = reinterpret_cast<const char*>(basic.PebBaseAddress) + 4 * sizeof(void*);
    const void* parameters = nullptr;
    if (!hsu::read(process, place, &parameters, sizeof parameters) || !parameters ||
        !hsu::read(process, parameters, &parameters_, sizeof parameters_))
      error_ = ERROR_PARTIAL_COPY;
  }

  DWORD error() const { return error_; }
  const Parameters& parameters() const { return parameters_; }

  LookText text(const UNICODE_STRING& string) const {
    if (error_) return {std::nullopt, error_};
    std::wstring text(string.Length / sizeof(wchar_t), L'\0');
    if (!text.empty() && !hsu::read(process_, string.Buffer, text.data(), text.size() * sizeof(wchar_t)))
      return {std::nullopt, ERROR_PARTIAL_COPY};
    return {text, 0};
  }

  LookText environment() const {
    if (error_) return {std::nullopt, error_};
    MEMORY_BASIC_INFORMATION region = {};
    auto start = static_cast<const char*>(parameters_.environment);
    if (!start || !::VirtualQueryEx(process_, start, &region, sizeof region)) return {std::nullopt, ERROR_PARTIAL_COPY};
    size_t there = static_cast<size_t>(static_cast<const char*>(region.BaseAddress) + region.RegionSize - start);
    std::wstring text(std::min(there, kMostEnvironment) / sizeof(wchar_t), L'\0');
    if (!hsu::read(process_, start, text.data(), text.size() * sizeof(wchar_t))) return {std::nullopt, ERROR_PARTIAL_COPY};
    // An empty text ends it.
    size_t end = text.find(std::wstring(2, L'\0'));
    if (!text.empty() && text[0] == L'\0') return {std::wstring(), 0};
    if (end == std::wstring::npos) return {std::nullopt, ERROR_PARTIAL_COPY};
    text.resize(end + 1);
    return {text, 0};
  }

 private:
  HANDLE process_;
  Parameters parameters_ = {};
  DWORD error_ = 0;
};

LookText command_line_of(HANDLE process) {
  const auto& nt = ntdll();
  std::vector<char> buffer(64 * 1024 + sizeof(UNICODE_STRING));
  if (!nt.query_process) return {std::nullopt, ERROR_PROC_NOT_FOUND};
  NTSTATUS status =
      nt.query_process(process, kCommandLineInformation, buffer.data(), static_cast<ULONG>(buffer.size()), nullptr);
  if (status < 0) return {std::nullopt, nt.error_of(status)};
  auto string = reinterpret_cast<const UNICODE_STRING*>(buffer.data());
  return {std::wstring(string->Buffer, string->Length / sizeof(wchar_t)), 0};
}

LookText image_of(HANDLE process) {
  std::wstring path(32768, L'\0');
  auto length = static_cast<DWORD>(path.size());
  if (!::QueryFullProcessImageNameW(process, 0, path.data(), &length)) return {std::nullopt, ::GetLastError()};
  path.resize(length);
  return {path, 0};
}

LookText user_of(HANDLE process) {
  HANDLE opened = nullptr;
  if (!::OpenProcessToken(process, TOKEN_QUERY, &opened)) return {std::nullopt, ::GetLastError()};
  Handle token(opened);
  alignas(TOKEN_USER) char buffer[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
  DWORD length = 0;
  if (!::GetTokenInformation(token.get(), TokenUser, buffer, sizeof buffer, &length))
    return {std::nullopt, ::GetLastError()};
  LPWSTR text = nullptr;
  if (!::ConvertSidToStringSidW(reinterpret_cast<TOKEN_USER*>(buffer)->User.Sid, &text))
    return {std::nullopt, ::GetLastError()};
  LookText found = {std::wstring(text), 0};
  ::LocalFree(text);
  return found;
}

// A directory ends with a backslash, as the process keeps it; the root of a drive is to keep its own.
void trim(LookText& directory) {
  if (directory.text && directory.text->size() > 3 && directory.text->back() == L'\\') directory.text->pop_back();
}

void read_memory(DWORD pid, uint64_t start_time, const LookQuery& query, Look& look) {
  bool wants_command_line = query.command_line && !look.command_line.text;
  if (!wants_command_line && !query.directory && !query.environment) return;
  auto process = open_process(pid, start_time, PROCESS_QUERY_INFORMATION | PROCESS_VM_READ);
  DWORD refused = process ? 0 : static_cast<DWORD>(process.error().error);
  if (refused) {
    if (wants_command_line) look.command_line.error = refused;
    if (query.directory) look.directory.error = refused;
    if (query.environment) look.environment.error = refused;
    return;
  }
  Block block(process->get());
  if (wants_command_line) look.command_line = block.text(block.parameters().command_line);
  if (query.directory) look.directory = block.text(block.parameters().directory);
  if (query.environment) look.environment = block.environment();
  trim(look.directory);
}

}  // namespace

Look look_at(DWORD pid, const LookQuery& query) {
  Look look;
  uint64_t start_time = 0;
  auto process = open_living(pid, 0, start_time);
  if (!process) {
    auto error = static_cast<DWORD>(process.error().error);
    if (query.command_line) look.command_line.error = error;
    if (query.image) look.image.error = error;
    if (query.directory) look.directory.error = error;
    if (query.environment) look.environment.error = error;
    if (query.user) look.user.error = error;
    return look;
  }
  look.start_time = start_time;
  if (query.command_line) look.command_line = command_line_of(process->get());
  if (query.image) look.image = image_of(process->get());
  if (query.user) look.user = user_of(process->get());
  read_memory(pid, start_time, query, look);
  return look;
}

}  // namespace hsu
