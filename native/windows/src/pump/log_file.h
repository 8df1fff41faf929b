#pragma once

// One log file, written at its end. Rotates before it would grow past its bound, at a line end where one is in reach. While the disk
// refuses it writes nothing and counts what is lost, and says in the file how much that was. Used by the pump's thread alone.

#include <cstdint>
#include <functional>
#include <string>

#include "../handle.h"
#include "hsu/pump/file_news.h"
#include "hsu/pump/format.h"

namespace hsu::pump {

using Milliseconds = int64_t;

inline Milliseconds monotonic() { return static_cast<Milliseconds>(::GetTickCount64()); }
Milliseconds wall();

class LogFile {
 public:
  static constexpr Milliseconds kRetry = 500;
  static constexpr Milliseconds kVerify = 1000;

  LogFile(std::string path, Format gap_format, FileListener& listener)
      : path_(std::move(path)), gap_format_(gap_format), listener_(listener) {}

  // Whole, in as many files as it takes; false where an outage has begun, with `written` bytes of it in the file.
  bool write(const char* bytes, size_t length, const Rotation& rotation, Milliseconds now, size_t& written);

  bool is_out() const { return out_; }
  Milliseconds next_try() const { return next_try_; }
  void lose(uint64_t bytes, uint64_t lines);
  bool resume(Milliseconds now);  // tries to end the outage
  void tell_gap();                // of what was lost after it had ended
  void close();
  bool make_ready(Milliseconds now);
  bool idle_since(Milliseconds before) const { return file_ && last_write_ <= before; }
  void let_go() { file_.reset(); }

  int users = 0;
  uint64_t last = 0;  // who wrote to it last
  bool at_line_end() const { return at_line_end_; }

 private:
  DWORD open();
  DWORD check(Milliseconds now);
  DWORD append(const char* bytes, size_t length);
  DWORD write_gap();
  bool due(const Rotation& rotation);
  void move_away(const Rotation& rotation, Milliseconds now);
  bool refuse(const char* call, DWORD error, Milliseconds now);

  const std::string path_;
  const Format gap_format_;
  FileListener& listener_;
  Handle file_;
  uint64_t index_ = 0, length_ = 0;
  bool at_line_end_ = true;
  int64_t changed_ = 0;  // seconds of wall time
  Milliseconds verified_ = 0, last_write_ = 0, unrotatable_until_ = 0;
  bool unrotatable_ = false;
  bool out_ = false;
  DWORD out_error_ = 0;
  Milliseconds next_try_ = 0;
  uint64_t lost_bytes_ = 0, lost_lines_ = 0;
};

}  // namespace hsu::pump
