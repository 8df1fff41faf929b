#include "log_file.h"

#include <string.h>

#include <algorithm>
#include <utility>

#include "../errors.h"
#include "../text.h"
#include "../file_time.h"
#include "hsu/pump/lines.h"
#include "hsu/pump/local_time.h"
#include "rotation.h"

namespace hsu::pump {

namespace {

constexpr DWORD kShare = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;

// Which stretch of `every` seconds of local time a moment is in.
int64_t period_of(int64_t at, uint32_t every) {
  struct tm local;
  long offset = to_local(static_cast<time_t>(at), local);
  return (at + offset) / every;
}

DWORD make_folder(const std::wstring& folder) {
  if (::CreateDirectoryW(folder.c_str(), nullptr)) return 0;
  DWORD error = ::GetLastError();
  if (error == ERROR_ALREADY_EXISTS) return 0;
  size_t above = folder.rfind(L'\\');
  if (error != ERROR_PATH_NOT_FOUND || above == std::wstring::npos || above < 7) return error;
  error = make_folder(folder.substr(0, above));
  if (error) return error;
  return ::CreateDirectoryW(folder.c_str(), nullptr) ? 0 : ::GetLastError();
}

HANDLE open_file(const std::wstring& path) {
  return ::CreateFileW(path.c_str(), GENERIC_READ | GENERIC_WRITE, kShare, nullptr, OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL, nullptr);
}

}  // namespace

Milliseconds wall() {
  FILETIME now;
  ::GetSystemTimeAsFileTime(&now);
  return static_cast<Milliseconds>(start_time_of(ticks_of(now)) / 1000);
}

DWORD LogFile::open() {
  std::wstring path = file_path(path_);
  file_.reset(open_file(path));
  if (!file_ && ::GetLastError() == ERROR_PATH_NOT_FOUND) {
    DWORD error = make_folder(path.substr(0, path.rfind(L'\\')));
    if (error) return error;
    file_.reset(open_file(path));
  }
  if (!file_) return ::GetLastError();
  BY_HANDLE_FILE_INFORMATION facts;
  if (!::GetFileInformationByHandle(file_.get(), &facts)) {
    DWORD error = ::GetLastError();
    file_.reset();
    return error;
  }
  index_ = (static_cast<uint64_t>(facts.nFileIndexHigh) << 32) | facts.nFileIndexLow;
  length_ = (static_cast<uint64_t>(facts.nFileSizeHigh) << 32) | facts.nFileSizeLow;
  changed_ = static_cast<int64_t>(start_time_of(ticks_of(facts.ftLastWriteTime)) / 1'000'000);
  at_line_end_ = true;
  if (length_ == 0) return 0;
  OVERLAPPED at = {};
  at.Offset = static_cast<DWORD>(length_ - 1);
  at.OffsetHigh = static_cast<DWORD>((length_ - 1) >> 32);
  char byte;
  DWORD got = 0;
  if (::ReadFile(file_.get(), &byte, 1, &got, &at) && got == 1) at_line_end_ = byte == '\n';
  return 0;
}

// Whether the handle is still what the path names, and how long the file is now: others may write to it, too.
DWORD LogFile::check(Milliseconds now) {
  if (file_ && now - verified_ >= kVerify) {
    uint64_t index = 0;
    if (!index_of(file_path(path_), index) || index != index_) let_go();
    verified_ = now;
  }
  if (file_) {
    LARGE_INTEGER size;
    if (!::GetFileSizeEx(file_.get(), &size)) {
      let_go();
    } else if (static_cast<uint64_t>(size.QuadPart) != length_) {
      length_ = static_cast<uint64_t>(size.QuadPart);
      if (length_ == 0) at_line_end_ = true;
    }
  }
  if (file_) return 0;
  verified_ = now;
  return open();
}

bool LogFile::make_ready(Milliseconds now) {
  if (out_) return false;
  DWORD error = check(now);
  return error ? refuse("open", error, now) : true;
}

bool LogFile::refuse(const char* call, DWORD error, Milliseconds now) {
  let_go();
  next_try_ = now + kRetry;
  out_error_ = error;
  if (!std::exchange(out_, true)) {
    lost_bytes_ = lost_lines_ = 0;
    listener_.outage(path_, call, errno_of(error));
  }
  return false;
}

void LogFile::lose(uint64_t bytes, uint64_t lines) {
  lost_bytes_ += bytes;
  lost_lines_ += lines;
}

// All or nothing.
DWORD LogFile::append(const char* bytes, size_t length) {
  OVERLAPPED at = {};
  at.Offset = static_cast<DWORD>(length_);
  at.OffsetHigh = static_cast<DWORD>(length_ >> 32);
  DWORD written = 0;
  BOOL done = ::WriteFile(file_.get(), bytes, static_cast<DWORD>(length), &written, &at);
  if (done && written == length) {
    length_ += length;
    at_line_end_ = bytes[length - 1] == '\n';
    return 0;
  }
  DWORD error = done ? ERROR_DISK_FULL : ::GetLastError();
  FILE_END_OF_FILE_INFO end;
  end.EndOfFile.QuadPart = static_cast<LONGLONG>(length_);
  ::SetFileInformationByHandle(file_.get(), FileEndOfFileInfo, &end, sizeof end);
  return error;
}

DWORD LogFile::write_gap() {
  if (lost_bytes_ == 0) return 0;
  std::string gap = gap_line(gap_format_, lost_bytes_, lost_lines_, ::strerror(errno_of(out_error_)), wall());
  if (!at_line_end_) gap = "\n" + gap;
  return append(gap.data(), gap.size());
}

bool LogFile::resume(Milliseconds now) {
  if (!out_) return true;
  DWORD error = check(now);
  if (!error) error = write_gap();
  if (error) {
    let_go();
    out_error_ = error;
    next_try_ = now + kRetry;
    return false;
  }
  out_ = false;
  listener_.resumed(path_, std::exchange(lost_bytes_, 0), std::exchange(lost_lines_, 0));
  return true;
}

void LogFile::tell_gap() {
  if (out_ || lost_bytes_ == 0 || !file_) return;
  write_gap();
  listener_.resumed(path_, std::exchange(lost_bytes_, 0), std::exchange(lost_lines_, 0));
}

void LogFile::close() {
  let_go();
  if (!std::exchange(out_, false)) return;
  listener_.resumed(path_, std::exchange(lost_bytes_, 0), std::exchange(lost_lines_, 0));
}

bool LogFile::due(const Rotation& rotation) {
  if (rotation.every == 0) return false;
  int64_t now = wall() / 1000;
  int64_t before = std::exchange(changed_, now);
  if (length_ == 0 || period_of(before, rotation.every) >= period_of(now, rotation.every)) return false;
  changed_ = before;  // until it is done
  return true;
}

void LogFile::move_away(const Rotation& rotation, Milliseconds now) {
  uint64_t size = length_;
  // Nobody can rename what we hold open on every file system.
  let_go();
  DWORD error = rotate(path_, rotation.max_files);
  if (error) {
    if (!std::exchange(unrotatable_, true)) listener_.unrotatable(path_, "rename", errno_of(error), size);
    unrotatable_until_ = now + kVerify;
    return;
  }
  unrotatable_ = false;
  listener_.rotated(path_);
}

bool LogFile::write(const char* bytes, size_t length, const Rotation& rotation, Milliseconds now, size_t& written) {
  written = 0;
  while (written < length) {
    if (!make_ready(now)) return false;
    size_t take = length - written;
    bool may_rotate = !(unrotatable_ && now < unrotatable_until_);
    if (may_rotate && at_line_end_ && due(rotation)) {
      move_away(rotation, now);
      continue;
    }
    if (may_rotate && rotation.max_size > 0 && length_ + take > rotation.max_size) {
      auto room = length_ >= rotation.max_size ? 0 : static_cast<size_t>(rotation.max_size - length_);
      size_t whole = whole_lines(bytes + written, std::min(room, take));
      // A line is cut only where the file has no line end to offer: it is longer than what is left of an otherwise empty file.
      take = whole > 0 ? whole : length_ > 0 && at_line_end_ ? 0 : std::min(std::max<size_t>(room, 1), take);
      if (take == 0 || room == 0) {
        move_away(rotation, now);
        continue;
      }
    }
    DWORD error = append(bytes + written, take);
    if (error) return refuse("write", error, now);
    written += take;
    last_write_ = now;
  }
  return true;
}

}  // namespace hsu::pump
